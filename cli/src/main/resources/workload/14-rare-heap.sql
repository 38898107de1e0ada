-- Heap: what is left. Multixacts of one transaction's own subtransactions, enough to fill a page of pg_multixact/offsets.

CREATE TABLE twice_locked (id int PRIMARY KEY, v int) WITH (fillfactor = 10, autovacuum_enabled = off)

INSERT INTO twice_locked SELECT i, 0 FROM generate_series(1, 60) i

DO $$ BEGIN
  FOR i IN 1..2200 LOOP
    PERFORM FROM twice_locked WHERE id = i % 60 + 1 FOR KEY SHARE;
    BEGIN
      UPDATE twice_locked SET v = v + 1 WHERE id = i % 60 + 1;
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
    IF i % 20 = 0 THEN COMMIT; END IF;
  END LOOP;
END $$

-- Rows frozen as they are loaded, locked while frozen, and pages that come back to life.

CREATE TABLE icy (id int, v text) WITH (fillfactor = 30, autovacuum_enabled = off)

INSERT INTO icy SELECT i, 'v' || i FROM generate_series(1, 400) i

VACUUM (FREEZE) icy

SELECT count(*) FROM (SELECT FROM icy WHERE id % 10 = 0 FOR UPDATE) s

UPDATE icy SET v = v || 'u' WHERE id % 20 = 5

DELETE FROM icy WHERE id % 20 = 6

DELETE FROM icy WHERE id > 200

VACUUM (FREEZE) icy

INSERT INTO icy SELECT i, 'again' FROM generate_series(1, 100) i

VACUUM (FREEZE, DISABLE_PAGE_SKIPPING) icy

-- Chains that are pruned by a reader, and line pointers that redirect, die and are given up.

CREATE TABLE chain (id int PRIMARY KEY, v text) WITH (fillfactor = 50, autovacuum_enabled = off)

INSERT INTO chain SELECT i, repeat('c', 60) FROM generate_series(1, 200) i

DO $$ BEGIN
  FOR i IN 1..10 LOOP
    UPDATE chain SET v = v || i WHERE id % 3 = i % 3;
    COMMIT;
  END LOOP;
END $$

SELECT count(*) FROM chain

DELETE FROM chain WHERE id % 4 <> 0

SELECT count(*) FROM chain

VACUUM (INDEX_CLEANUP off) chain

VACUUM (INDEX_CLEANUP on) chain

-- A key that is moved to another partition, an update of the key itself, a conflict that is locked.

CREATE TABLE moving (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)

CREATE TABLE moving_low PARTITION OF moving FOR VALUES FROM (0) TO (100)

CREATE TABLE moving_high PARTITION OF moving FOR VALUES FROM (100) TO (10000)

INSERT INTO moving SELECT i, 'm' FROM generate_series(1, 90) i

UPDATE moving SET id = id + 1000 WHERE id % 3 = 0

INSERT INTO moving VALUES (1, 'n'), (2, 'n') ON CONFLICT (id) DO NOTHING

-- Tables that are not logged stay in the cluster to the end; so do sequences of both kinds.

CREATE UNLOGGED TABLE fleeting (id serial PRIMARY KEY, v text)

CREATE INDEX fleeting_gist ON fleeting USING gist (int4range(id, id + 1))

INSERT INTO fleeting (v) SELECT 'v' || i FROM generate_series(1, 300) i

CREATE TEMP TABLE mine (id serial PRIMARY KEY, v text)

INSERT INTO mine (v) SELECT 'v' || i FROM generate_series(1, 300) i

UPDATE mine SET v = v || 'u'

-- Truncated in the transaction that made it, and truncated with its indexes, sequences and toast.

CREATE TABLE emptied (id serial PRIMARY KEY, v text)

INSERT INTO emptied (v) SELECT (SELECT string_agg(md5((i * 100 + j)::text), '') FROM generate_series(1, 100) j) FROM generate_series(1, 20) i

TRUNCATE emptied RESTART IDENTITY

INSERT INTO emptied (v) SELECT 'v' || i FROM generate_series(1, 20) i

CREATE INDEX icy_id ON icy (id)

CLUSTER icy USING icy_id

REINDEX TABLE CONCURRENTLY chain

REINDEX TABLE chain
