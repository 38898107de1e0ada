-- B-tree: keys so wide that a few hundred rows make three levels; all is deleted, the pages are used again.

CREATE TABLE shrinking (id int, k text) WITH (fillfactor = 30, autovacuum_enabled = off)

ALTER TABLE shrinking ALTER COLUMN k SET STORAGE PLAIN

CREATE INDEX shrinking_k ON shrinking (k)

INSERT INTO shrinking
SELECT i, (SELECT string_agg(md5(i || '.' || j), '') FROM generate_series(1, 15) j) FROM generate_series(1, 700) i

DELETE FROM shrinking

VACUUM (INDEX_CLEANUP on) shrinking

SELECT pg_current_xact_id()

VACUUM (INDEX_CLEANUP on) shrinking

INSERT INTO shrinking
SELECT i, (SELECT string_agg(md5(i || '.' || j), '') FROM generate_series(1, 15) j) FROM generate_series(1, 700) i

-- Killed entries are removed by an insertion that finds no room: a scan has to see them dead first.

CREATE TABLE killed (id int, k text) WITH (fillfactor = 30, autovacuum_enabled = off)

ALTER TABLE killed ALTER COLUMN k SET STORAGE PLAIN

CREATE INDEX killed_k ON killed (k)

INSERT INTO killed SELECT i, lpad(i::text, 400, '0') FROM generate_series(1, 200) i

DELETE FROM killed WHERE id % 2 = 0

SET enable_seqscan = off

SET enable_bitmapscan = off

SELECT count(id) FROM killed WHERE k >= ''

INSERT INTO killed SELECT i, lpad(i::text, 400, '0') FROM generate_series(1, 200) i

-- Versions of the same row in an index whose key does not change: bottom-up deletion.

CREATE TABLE versions (id int PRIMARY KEY, a int, b int) WITH (fillfactor = 30, autovacuum_enabled = off)

CREATE INDEX versions_a ON versions (a)

CREATE INDEX versions_b ON versions (b)

INSERT INTO versions SELECT i, i, 0 FROM generate_series(1, 200) i

DO $$ BEGIN
  FOR i IN 1..12 LOOP
    UPDATE versions SET b = i;
    COMMIT;
  END LOOP;
END $$

RESET enable_seqscan

RESET enable_bitmapscan
