-- GiST: killed entries removed by an insertion; pages deleted and used again.

CREATE TABLE placed (id int, p point, b box) WITH (fillfactor = 20, autovacuum_enabled = off)

CREATE INDEX placed_p ON placed USING gist (p)

CREATE INDEX placed_b ON placed USING gist (b)

INSERT INTO placed
SELECT i, point(i % 31, i / 31), box(point(i % 31, i / 31), point(i % 31 + 2, i / 31 + 2)) FROM generate_series(1, 900) i

DELETE FROM placed WHERE id % 2 = 0

SET enable_seqscan = off

SET enable_bitmapscan = off

SELECT count(id) FROM placed WHERE p <@ box(point(-1, -1), point(100, 100))

SELECT count(id) FROM placed WHERE b && box(point(-1, -1), point(100, 100))

RESET enable_seqscan

RESET enable_bitmapscan

INSERT INTO placed
SELECT i, point(i % 31, i / 31), box(point(i % 31, i / 31), point(i % 31 + 2, i / 31 + 2)) FROM generate_series(1, 900) i

DELETE FROM placed

VACUUM (INDEX_CLEANUP on) placed

SELECT pg_current_xact_id()

VACUUM (INDEX_CLEANUP on) placed

INSERT INTO placed
SELECT i, point(i % 31, i / 31), box(point(i % 31, i / 31), point(i % 31 + 2, i / 31 + 2)) FROM generate_series(1, 900) i

-- A range type and a text search vector with GiST, other split and penalty functions.

CREATE TABLE ranged (id int, r int4range, v tsvector) WITH (autovacuum_enabled = off)

CREATE INDEX ranged_r ON ranged USING gist (r)

CREATE INDEX ranged_v ON ranged USING gist (v)

INSERT INTO ranged
SELECT i, int4range(i % 300, i % 300 + i % 9), to_tsvector('simple', 'a' || i || ' b' || i % 40) FROM generate_series(1, 500) i

-- SP-GiST: quad-tree, k-d tree, radix tree, ranges, network addresses; nulls; a root that is a leaf.

CREATE TABLE spaced (id int, p point, q point, t text, r int4range, a inet) WITH (fillfactor = 30, autovacuum_enabled = off)

CREATE INDEX spaced_quad ON spaced USING spgist (p)

CREATE INDEX spaced_kd ON spaced USING spgist (q kd_point_ops)

CREATE INDEX spaced_text ON spaced USING spgist (t)

CREATE INDEX spaced_range ON spaced USING spgist (r)

CREATE INDEX spaced_inet ON spaced USING spgist (a)

INSERT INTO spaced
SELECT i, point(i * 7 % 101, i * 13 % 103), point(i * 11 % 97, i * 5 % 89),
       CASE WHEN i % 20 = 0 THEN NULL ELSE repeat('p', i % 50) || md5(i::text) END,
       CASE WHEN i % 30 = 0 THEN 'empty' ELSE int4range(i % 211, i % 211 + i % 17 + 1) END,
       ('10.' || i % 3 || '.' || i % 200 || '.' || i % 250)::inet
FROM generate_series(1, 800) i

INSERT INTO spaced (id, t) SELECT i, repeat('long common prefix ', 12) || i FROM generate_series(1, 200) i

DELETE FROM spaced WHERE id % 3 = 0

VACUUM (INDEX_CLEANUP on) spaced

INSERT INTO spaced (id, p, t) SELECT i, point(i % 10, i % 11), 'p' || i FROM generate_series(1, 300) i

SELECT pg_current_xact_id()

VACUUM (INDEX_CLEANUP on) spaced

CREATE TABLE spaced_little (id int, p point) WITH (autovacuum_enabled = off)

CREATE INDEX spaced_little_p ON spaced_little USING spgist (p)

INSERT INTO spaced_little SELECT i, point(i, i) FROM generate_series(1, 40) i

INSERT INTO spaced_little SELECT i, NULL FROM generate_series(1, 40) i

DELETE FROM spaced_little WHERE id % 2 = 0

VACUUM (INDEX_CLEANUP on) spaced_little

-- BRIN: one row per page and range; summaries outgrow their page, at first a little, then much.

CREATE TABLE summed (id int, k text, filler text) WITH (fillfactor = 10, autovacuum_enabled = off)

ALTER TABLE summed ALTER COLUMN filler SET STORAGE PLAIN

ALTER TABLE summed ALTER COLUMN k SET STORAGE PLAIN

INSERT INTO summed SELECT i, 'k', repeat('f', 1000) FROM generate_series(1, 250) i

CREATE INDEX summed_k ON summed USING brin (k) WITH (pages_per_range = 1)

UPDATE summed SET k = repeat('m', 120)

UPDATE summed SET k = repeat('z', 700)

SELECT brin_desummarize_range('summed_k', 5)

SELECT brin_summarize_range('summed_k', 5)

-- Other kinds of summaries.

CREATE TABLE summed_otherwise (id int, b box, n int) WITH (autovacuum_enabled = off)

CREATE INDEX summed_boxes ON summed_otherwise USING brin (b box_inclusion_ops) WITH (pages_per_range = 1)

CREATE INDEX summed_bloom ON summed_otherwise USING brin (n int4_bloom_ops) WITH (pages_per_range = 1)

CREATE INDEX summed_multi ON summed_otherwise USING brin (n int4_minmax_multi_ops) WITH (pages_per_range = 1)

INSERT INTO summed_otherwise SELECT i, box(point(i, i), point(i + 1, i + 1)), i FROM generate_series(1, 300) i

VACUUM summed_otherwise

INSERT INTO summed_otherwise SELECT i, box(point(-i, i), point(i + 1, i + 1)), -i FROM generate_series(1, 60) i
