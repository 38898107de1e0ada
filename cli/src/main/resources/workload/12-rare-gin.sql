-- GIN: posting lists become trees, whose pages split, shrink and go; the pending list is flushed.

CREATE TABLE tagged (id int, tags int[]) WITH (fillfactor = 10, autovacuum_enabled = off)

CREATE INDEX tagged_lazily ON tagged USING gin (tags) WITH (fastupdate = on, gin_pending_list_limit = 1024)

INSERT INTO tagged SELECT i, CASE WHEN i % 100 = 0 THEN ARRAY[1, 2, i] ELSE ARRAY[1] END FROM generate_series(1, 5000) i

SELECT gin_clean_pending_list('tagged_lazily')

CREATE INDEX tagged_eagerly ON tagged USING gin (tags) WITH (fastupdate = off)

INSERT INTO tagged SELECT i, ARRAY[1, i % 10] FROM generate_series(1, 1000) i

CREATE TABLE posted (id int, tags int[]) WITH (fillfactor = 10, autovacuum_enabled = off)

INSERT INTO posted SELECT i, ARRAY[1] FROM generate_series(1, 24000) i

CREATE INDEX posted_tags ON posted USING gin (tags) WITH (fastupdate = off)

DELETE FROM posted WHERE id % 5 = 0 AND id < 3000

VACUUM (INDEX_CLEANUP on) posted

DELETE FROM posted WHERE id BETWEEN 4000 AND 20000

VACUUM (INDEX_CLEANUP on) posted

INSERT INTO posted SELECT i, ARRAY[1] FROM generate_series(1, 500) i

DELETE FROM posted WHERE id > 100

VACUUM (INDEX_CLEANUP on) posted

INSERT INTO posted SELECT i, ARRAY[1] FROM generate_series(1, 500) i

DELETE FROM tagged WHERE id > 3

VACUUM (INDEX_CLEANUP on) tagged

-- Keys so wide that entry pages split on several levels.

CREATE TABLE worded (id int, words text[]) WITH (autovacuum_enabled = off)

CREATE INDEX worded_words ON worded USING gin (words) WITH (fastupdate = off)

INSERT INTO worded
SELECT i, ARRAY[(SELECT string_agg(md5(i || '.' || j), '') FROM generate_series(1, 14) j), 'every'] FROM generate_series(1, 300) i

DELETE FROM worded WHERE id % 2 = 0

VACUUM (INDEX_CLEANUP on) worded
