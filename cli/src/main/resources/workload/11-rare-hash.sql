-- Hash: one long chain of overflow pages, emptied in part, squeezed; entries killed by a scan and removed by an insertion.

CREATE TABLE chained (id int, k int) WITH (fillfactor = 10, autovacuum_enabled = off)

CREATE INDEX chained_k ON chained USING hash (k)

INSERT INTO chained SELECT i, 7 FROM generate_series(1, 2200) i

INSERT INTO chained SELECT i, i FROM generate_series(1, 1500) i

DELETE FROM chained WHERE k = 7 AND id % 3 = 0

VACUUM (INDEX_CLEANUP on) chained

DELETE FROM chained WHERE k = 7 AND id > 700

VACUUM (INDEX_CLEANUP on) chained

INSERT INTO chained SELECT i, 7 FROM generate_series(1, 900) i

DELETE FROM chained WHERE k = 7 AND id % 2 = 0

SET enable_seqscan = off

SET enable_bitmapscan = off

SELECT count(id) FROM chained WHERE k = 7

INSERT INTO chained SELECT i, 7 FROM generate_series(1, 600) i

RESET enable_seqscan

RESET enable_bitmapscan

DELETE FROM chained

VACUUM (INDEX_CLEANUP on) chained
