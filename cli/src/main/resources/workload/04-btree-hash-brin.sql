-- What B-tree, hash and BRIN indexes do seldom. Statements are separated by an empty line. ${rows} is how much to do.

-- Long keys make a tree of three levels. Without all but its last rows, it has a fast root below its root; the split of that root
-- inserts into a page of one downlink and changes the meta page.

CREATE TABLE hollow (k text COLLATE "C" PRIMARY KEY) WITH (autovacuum_enabled = off)

INSERT INTO hollow SELECT lpad(i::text, 400, '0') FROM generate_series(1, ${rows}) i

DELETE FROM hollow WHERE k < lpad((${rows} - 5)::text, 400, '0')

VACUUM hollow

VACUUM hollow

INSERT INTO hollow SELECT lpad((${rows} + i)::text, 400, '0') FROM generate_series(1, ${rows} / 2) i

DELETE FROM hollow WHERE k BETWEEN lpad((${rows} + 30)::text, 400, '0') AND lpad((${rows} + 700)::text, 400, '0')

VACUUM hollow

SELECT txid_current()

VACUUM hollow

INSERT INTO hollow SELECT lpad((${rows} + 50)::text || '-' || i, 400, '0') FROM generate_series(1, ${rows} / 4) i

-- Rows that take the place of removed ones have TIDs inside of posting lists; updates of all versions at once make deletion
-- pick rows out of posting lists.

CREATE TABLE crowd (k int, id int, note text) WITH (fillfactor = 60, autovacuum_enabled = off)

CREATE INDEX crowd_k ON crowd (k)

CREATE INDEX crowd_id ON crowd (id)

INSERT INTO crowd SELECT i % 5, i FROM generate_series(1, 2 * ${rows}) i

DELETE FROM crowd WHERE id % 3 = 0

VACUUM crowd

INSERT INTO crowd SELECT i % 5, i FROM generate_series(1, 2 * ${rows}) i

UPDATE crowd SET id = id + 1 WHERE k = 1

UPDATE crowd SET id = id + 1 WHERE k = 1

UPDATE crowd SET id = id + 1 WHERE k = 1

UPDATE crowd SET id = id + 1 WHERE id % 7 = 0

UPDATE crowd SET id = id - 1 WHERE id % 7 = 1

DELETE FROM crowd WHERE id % 4 = 0

VACUUM crowd

-- One hash value: a bucket with many overflow pages. A squeeze then moves what is left of a page to two others.

CREATE TABLE bucket (id int, h int) WITH (autovacuum_enabled = off)

CREATE INDEX bucket_hash ON bucket USING hash (h)

INSERT INTO bucket SELECT i, 1 FROM generate_series(1, 2 * ${rows}) i

INSERT INTO bucket SELECT i, i FROM generate_series(1, ${rows}) i

DELETE FROM bucket WHERE h = 1 AND id % 5 < 2

VACUUM bucket

DELETE FROM bucket WHERE h = 1 AND id % 5 = 2

SET enable_seqscan = off

SET enable_bitmapscan = off

SELECT count(*) FROM bucket WHERE h = 1

RESET enable_seqscan

RESET enable_bitmapscan

INSERT INTO bucket SELECT i, 1 FROM generate_series(1, ${rows}) i

DELETE FROM bucket WHERE id % 10 <> 0

VACUUM bucket

INSERT INTO bucket SELECT i, 1 FROM generate_series(1, ${rows}) i

DELETE FROM bucket WHERE h = 1

VACUUM bucket

-- Summaries that outgrow their page, and a revmap that needs a page which summaries occupy.

CREATE TABLE growing (id int, t text) WITH (fillfactor = 40, autovacuum_enabled = off)

CREATE INDEX growing_brin ON growing USING brin (t) WITH (pages_per_range = 1)

INSERT INTO growing SELECT i, 'k' || i FROM generate_series(1, 2 * ${rows}) i

SELECT brin_summarize_new_values('growing_brin')

UPDATE growing SET t = 'm' || repeat('m', id % 40) WHERE id % 31 = 0

UPDATE growing SET t = 'z' || repeat('z', 300) WHERE id % 29 = 0

SELECT brin_desummarize_range('growing_brin', 3)

SELECT brin_summarize_range('growing_brin', 3)

CREATE TABLE sparse (id int, filler text) WITH (fillfactor = 10, autovacuum_enabled = off)

INSERT INTO sparse SELECT i, repeat('f', 500) FROM generate_series(1, 1500) i

CREATE INDEX sparse_brin ON sparse USING brin (id) WITH (pages_per_range = 1)

UPDATE sparse SET id = id + 7 WHERE id % 100 = 0
