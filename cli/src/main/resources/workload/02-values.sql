-- Sequences, large objects, out-of-line values, logical messages.

CREATE SEQUENCE ticket

SELECT sum(nextval('ticket')) FROM generate_series(1, 200)

SELECT setval('ticket', 1000000)

ALTER SEQUENCE ticket RESTART WITH 5 INCREMENT BY 3

CREATE UNLOGGED TABLE scratch (id serial PRIMARY KEY, v text)

INSERT INTO scratch (v) SELECT 'v' || i FROM generate_series(1, 500) i

ALTER TABLE scratch SET LOGGED

ALTER TABLE scratch SET UNLOGGED

CREATE TABLE document (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, plain text, packed text)

ALTER TABLE document ALTER COLUMN plain SET STORAGE EXTERNAL

INSERT INTO document (plain, packed)
SELECT (SELECT string_agg(md5((i * 1000 + j)::text), '') FROM generate_series(1, 100 + i % 400) j), repeat('lots of it ', i * 200)
FROM generate_series(1, 40) i

UPDATE document SET plain = reverse(plain) WHERE id % 2 = 0

DELETE FROM document WHERE id % 3 = 0

VACUUM document

CREATE TABLE blob (id oid)

INSERT INTO blob SELECT lo_from_bytea(0, decode(repeat(md5(i::text), 500 * i), 'hex')) FROM generate_series(1, 10) i

SELECT lo_put(id, 5000, decode(repeat('00ff', 4000), 'hex')) FROM blob

SELECT lo_unlink(id) FROM blob WHERE id::bigint % 2 = 0

SELECT pg_logical_emit_message(true, 'tidemark', 'inside a transaction')

SELECT pg_logical_emit_message(false, 'tidemark', repeat('outside ', 3000))
