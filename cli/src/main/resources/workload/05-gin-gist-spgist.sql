-- What index pages go through that needs a shape: trees of posting pages that split in the middle, inner tuples that move.

-- GIN: the pages of a posting tree are full once it is built, so what comes in between splits them below an inner page that stays.
-- The heap's own records are many and say nothing new: no images for them.

SELECT set_config('wal_consistency_checking', 'gin', false) WHERE current_setting('wal_consistency_checking') = 'all'

CREATE TABLE shaped (id int, tags int[]) WITH (autovacuum_enabled = off)

INSERT INTO shaped SELECT i, CASE i % 3 WHEN 0 THEN '{0}' ELSE '{1}' END::int[] FROM generate_series(1, 20 * ${rows}) i

CREATE INDEX shaped_tree ON shaped USING gin (tags) WITH (fastupdate = off)

CREATE INDEX shaped_list ON shaped USING gin (tags) WITH (fastupdate = off) WHERE id <= 3900

DELETE FROM shaped WHERE id % 3 = 0 AND (id <= 3000 OR id BETWEEN 8000 AND 20000)

VACUUM (INDEX_CLEANUP on) shaped

INSERT INTO shaped SELECT i, '{1}' FROM generate_series(1, 1200) i

-- Segments with gaps, then fewer, then none: the leaf pages between the first and the last go.

DELETE FROM shaped WHERE ctid > '(60,0)' AND id % 7 = 0

VACUUM (INDEX_CLEANUP on) shaped

DELETE FROM shaped WHERE ctid > '(20,0)' AND ctid < '(220,0)'

VACUUM (INDEX_CLEANUP on) shaped

INSERT INTO shaped SELECT i, '{0,1}' FROM generate_series(1, 500) i

-- The pending list in pages of one row each, then its flush into trees that exist.

ALTER INDEX shaped_tree SET (fastupdate = on)

INSERT INTO shaped
SELECT i, (SELECT array_agg(CASE WHEN j > 2 THEN i * 700 + j ELSE j END) FROM generate_series(0, 600) j)
FROM generate_series(50001, 50004) i

INSERT INTO shaped SELECT i, '{1}' FROM generate_series(60001, 60300) i

SELECT gin_clean_pending_list('shaped_tree')

DO $$ BEGIN
  IF current_setting('wal_consistency_checking') = 'gin' THEN
    SET wal_consistency_checking = 'all';
  END IF;
END $$

-- GIN: keys so wide that inner entry pages split as well.

CREATE TABLE shaped_wide (k text[]) WITH (autovacuum_enabled = off)

CREATE INDEX shaped_wide_k ON shaped_wide USING gin (k) WITH (fastupdate = off)

INSERT INTO shaped_wide
SELECT ARRAY[(SELECT string_agg(md5(i || '/' || j), '') FROM generate_series(1, 60) j)] FROM generate_series(1, 120) i

-- SP-GiST: radix tree tuples that get node after node, until they no longer fit their pages and leave a redirect.

CREATE TABLE shaped_text (id int, t text) WITH (autovacuum_enabled = off)

CREATE INDEX shaped_text_t ON shaped_text USING spgist (t)

INSERT INTO shaped_text
SELECT i, chr(48 + i % 24) || chr(48 + i / 24) || (SELECT string_agg(md5(i || '/' || j), '') FROM generate_series(1, 30) j)
FROM generate_series(0, 1199) i

-- The same prefix in part: tuples split, with the rest on the same page or on another.

INSERT INTO shaped_text
SELECT i, left('http://tidemark.example/' || repeat('path/', 20), 4 + i % 100) || md5(i::text) FROM generate_series(1, 400) i

DELETE FROM shaped_text WHERE id % 4 > 0

VACUUM (INDEX_CLEANUP on) shaped_text

INSERT INTO shaped_text SELECT i, chr(48 + i % 40) || md5(i::text) FROM generate_series(1, 300) i

SELECT pg_current_xact_id()

VACUUM (INDEX_CLEANUP on) shaped_text

-- SP-GiST: a tree of nulls, and columns that come along.

CREATE TABLE shaped_null (id int, p point, b box) WITH (autovacuum_enabled = off)

CREATE INDEX shaped_null_p ON shaped_null USING spgist (p) INCLUDE (id)

CREATE INDEX shaped_null_b ON shaped_null USING spgist (b)

INSERT INTO shaped_null
SELECT CASE WHEN i % 5 > 0 THEN i END, CASE WHEN i % 4 = 0 THEN point(i % 30, i % 23) END,
       CASE WHEN i % 3 > 0 THEN box(point(i % 41, i % 37), point(i % 41 + i % 7, i % 37 + 2)) END
FROM generate_series(1, 900) i

DELETE FROM shaped_null WHERE id % 2 = 0

VACUUM (INDEX_CLEANUP on) shaped_null

INSERT INTO shaped_null SELECT i, NULL, NULL FROM generate_series(1, 100) i
