-- Definitions, rewrites, maintenance.

CREATE SCHEMA work

CREATE TABLE work.parent (id int, region text, amount numeric) PARTITION BY LIST (region)

CREATE TABLE work.north PARTITION OF work.parent FOR VALUES IN ('n')

CREATE TABLE work.south PARTITION OF work.parent FOR VALUES IN ('s')

INSERT INTO work.parent SELECT i, CASE WHEN i % 2 = 0 THEN 'n' ELSE 's' END, i * 1.5 FROM generate_series(1, ${rows}) i

CREATE INDEX ON work.parent (id)

CREATE MATERIALIZED VIEW work.totals AS SELECT region, sum(amount) AS total FROM work.parent GROUP BY region

REFRESH MATERIALIZED VIEW work.totals

CREATE FUNCTION work.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.amount := NEW.amount + 1; RETURN NEW; END $$

CREATE TRIGGER touch BEFORE UPDATE ON work.north FOR EACH ROW EXECUTE FUNCTION work.touch()

UPDATE work.parent SET amount = amount * 2 WHERE id % 10 = 0

UPDATE work.parent SET region = CASE region WHEN 'n' THEN 's' ELSE 'n' END WHERE id % 50 = 0

ALTER TABLE work.parent ADD COLUMN extra int DEFAULT 7

ALTER TABLE work.south ALTER COLUMN id SET NOT NULL

ALTER TABLE work.parent DETACH PARTITION work.north

ALTER TABLE work.north ALTER COLUMN id TYPE bigint

CREATE INDEX north_id ON work.north (id)

CLUSTER work.north USING north_id

VACUUM (FULL, ANALYZE) work.north

VACUUM (FREEZE) work.north

VACUUM FULL pg_class

REINDEX TABLE pg_type

TRUNCATE work.south

CREATE TABLE work.copied AS SELECT * FROM work.north

CREATE TYPE work.mood AS ENUM ('calm', 'busy')

ALTER TYPE work.mood ADD VALUE 'asleep'

ANALYZE

DROP TABLE work.copied

DROP SCHEMA work CASCADE

VACUUM (FREEZE)
