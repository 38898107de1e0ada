package io.tidemark.it.compute;

import static io.tidemark.it.compute.ScratchCluster.connect;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.cli.workload.VariedWorkload;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.wire.id.Lsn;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;

/** A database that has something of nearly everything that pg_dump dumps, and that has more and other of it after each {@link #step}. */
final class DumpedDatabase {
    private static final int ROWS = 60;

    // What the varied workload has dropped again by its end, or never had.
    private static final String[] DEFINITIONS = {
        "CREATE EXTENSION amcheck",
        "CREATE SCHEMA \"odd name\"",
        "CREATE TYPE mood AS ENUM ('calm', 'busy')",
        "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
        "CREATE TABLE account (id serial PRIMARY KEY, note text, feels mood DEFAULT 'calm', CHECK (length(note) < 99999))",
        "CREATE INDEX ON account (lower(left(note, 40))) WHERE id > 10",
        "CREATE STATISTICS account_both (dependencies) ON id, feels FROM account",
        "CREATE TABLE owned (account int REFERENCES account ON DELETE CASCADE DEFERRABLE, what positive)",
        "CREATE TABLE \"odd name\".part (id positive, year int, note text) PARTITION BY RANGE (year)",
        "CREATE TABLE \"odd name\".early PARTITION OF \"odd name\".part FOR VALUES FROM (MINVALUE) TO (2000)",
        "CREATE TABLE \"odd name\".late PARTITION OF \"odd name\".part DEFAULT",
        "CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := NEW.note || '.'; RETURN NEW; END $$",
        "CREATE TRIGGER tells BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION told()",
        "CREATE MATERIALIZED VIEW moods AS SELECT feels, count(*) FROM account GROUP BY feels",
        "ALTER TABLE account ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY calm_only ON account USING (feels = 'calm')",
        "CREATE PUBLICATION told_to_all FOR TABLE account"
    };

    // A dump that lacks one of these would be no witness.
    private static final String[] WITNESSES = {
        "USING btree",
        "USING hash",
        "USING gin",
        "USING gist",
        "USING spgist",
        "USING brin",
        "CREATE SEQUENCE",
        "pg_catalog.setval(",
        "pg_catalog.lowrite(",
        "CREATE FUNCTION",
        "CREATE TRIGGER",
        "CREATE MATERIALIZED VIEW",
        "CREATE VIEW",
        "CREATE POLICY",
        "CREATE TYPE",
        "CREATE DOMAIN",
        "CREATE STATISTICS",
        "CREATE PUBLICATION",
        "CREATE UNLOGGED TABLE",
        "ATTACH PARTITION",
        "FOREIGN KEY",
        "COMMENT ON TABLE",
        "COPY public.item ",
        "COPY public.owned "
    };

    private DumpedDatabase() {}

    /** Fills an empty database. */
    static void fill(PostgresServer server) throws Exception {
        try (Connection first = connect(server);
                Connection second = connect(server)) {
            new VariedWorkload(first, second, ROWS).withoutTablespaces().run();
            SqlDigest.run(first, DEFINITIONS);
        }
    }

    /**
     * Changes rows, definitions, large objects, sequences and statistics.
     *
     * @param number from 0; what is changed depends on it alone
     * @return the end of WAL after it
     */
    static Lsn step(PostgresServer server, int number) throws Exception {
        try (Connection connection = connect(server)) {
            SqlDigest.run(
                    connection,
                    "INSERT INTO account (note) SELECT repeat(md5(n::text), n % 120) FROM generate_series(1, 300) AS n",
                    "UPDATE account SET note = 'step " + number + "' WHERE id % 7 = " + number % 7,
                    "DELETE FROM account WHERE id % 11 = " + number % 11,
                    "INSERT INTO owned SELECT id, id FROM account WHERE id % 50 = " + number % 50,
                    "INSERT INTO \"odd name\".part SELECT n, 1990 + n, 'in ' || n FROM generate_series(1, 20) AS n",
                    "CREATE TABLE made_" + number + " AS SELECT * FROM account ORDER BY id LIMIT 10",
                    "CREATE VIEW seen_" + number + " AS SELECT count(*) FROM made_" + number,
                    "CREATE FUNCTION half_" + number + "(int) RETURNS int LANGUAGE sql AS 'SELECT $1 / 2'",
                    "COMMENT ON TABLE account IS 'after step " + number + "'",
                    "REFRESH MATERIALIZED VIEW moods",
                    "SELECT lo_from_bytea(0, convert_to('object " + number + "', 'UTF8'))",
                    "ANALYZE account");
            if (number % 3 == 2) {
                SqlDigest.run(
                        connection,
                        "VACUUM FULL account",
                        "ALTER TABLE account ADD COLUMN c" + number + " int DEFAULT 7",
                        "DROP TABLE made_" + (number - 1) + " CASCADE");
            }
            settleSequences(connection);
            return Lsn.parse(SqlDigest.one(connection, "SELECT pg_current_wal_lsn()"));
        }
    }

    /** WAL has a sequence up to 32 values ahead (SEQ_LOG_VALS), where it goes on after a crash; but setval writes the value as it is. */
    private static void settleSequences(Connection connection) throws Exception {
        SqlDigest.run(
                connection,
                "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, last_value) FROM pg_sequences"
                        + " WHERE last_value IS NOT NULL");
    }

    static void requireVaried(Path dump) throws Exception {
        assertThat(Files.readString(dump)).contains(WITNESSES);
    }

    /** As small a change as there is. */
    static void changeOneRow(PostgresServer server) throws Exception {
        try (Connection connection = connect(server)) {
            SqlDigest.run(connection, "UPDATE item SET k = k + 1 WHERE ctid = (SELECT max(ctid) FROM item)");
        }
    }
}
