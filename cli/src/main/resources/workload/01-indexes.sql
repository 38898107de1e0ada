-- Statements are separated by an empty line. ${rows} is how much to do.

CREATE TABLE item (id int, k int, name text, tags int[], area box, place point, body tsvector, note text)
WITH (fillfactor = 80, autovacuum_enabled = off)

CREATE INDEX item_btree ON item (id)

CREATE INDEX item_duplicates ON item (k)

CREATE INDEX item_hash ON item USING hash (name)

CREATE INDEX item_gin ON item USING gin (tags)

CREATE INDEX item_gin_eager ON item USING gin (body) WITH (fastupdate = off)

CREATE INDEX item_gist ON item USING gist (area)

CREATE INDEX item_spgist ON item USING spgist (place)

CREATE INDEX item_spgist_text ON item USING spgist (name)

CREATE INDEX item_brin ON item USING brin (id) WITH (pages_per_range = 2, autosummarize = off)

INSERT INTO item
SELECT i, i % 17, 'name ' || md5(i::text), ARRAY[0, i % 7, i % 101, i],
       box(point(i % 97, i % 89), point(i % 97 + 3, i % 89 + 5)), point(i % 211 + random(), i % 199),
       to_tsvector('simple', 'word' || i % 50 || ' word' || i % 333 || ' word' || i), repeat('n', i % 100)
FROM generate_series(1, ${rows}) i

SELECT brin_summarize_new_values('item_brin')

CHECKPOINT

UPDATE item SET note = note || 'hot' WHERE id % 3 = 0

UPDATE item SET id = id + ${rows}, k = k + 1, name = name || 'x', tags = tags || 5 WHERE id % 5 = 0

SELECT gin_clean_pending_list('item_gin')

DELETE FROM item WHERE id % 4 = 1

SELECT count(*) FROM item WHERE id > 0

VACUUM item

INSERT INTO item
SELECT i, i % 3, 'again ' || i, ARRAY[i], box(point(i, i), point(i + 1, i + 1)), point(i, -i), to_tsvector('simple', 'w' || i), ''
FROM generate_series(1, ${rows} / 2) i

SELECT brin_desummarize_range('item_brin', 0)

SELECT brin_summarize_range('item_brin', 0)

DELETE FROM item WHERE id BETWEEN ${rows} / 4 AND ${rows}

VACUUM item

VACUUM item

REINDEX INDEX item_hash

REINDEX INDEX CONCURRENTLY item_btree

CREATE INDEX CONCURRENTLY item_expression ON item (lower(name))

DROP INDEX CONCURRENTLY item_expression

CREATE TABLE wide_key (k text PRIMARY KEY, v int)

INSERT INTO wide_key SELECT repeat(md5(i::text), 30), i FROM generate_series(1, ${rows} / 4) i

INSERT INTO wide_key SELECT repeat(md5(i::text), 30), -i FROM generate_series(1, ${rows} / 2) i
ON CONFLICT (k) DO UPDATE SET v = excluded.v

DELETE FROM wide_key WHERE v < 0

VACUUM wide_key

DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'bloom') THEN
    CREATE EXTENSION bloom;
    CREATE INDEX item_bloom ON item USING bloom (id, k);
    INSERT INTO item (id, k) SELECT i, i FROM generate_series(1, 500) i;
  END IF;
END $$
