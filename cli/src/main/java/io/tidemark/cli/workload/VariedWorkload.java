package io.tidemark.cli.workload;

import static io.tidemark.cli.workload.SqlScript.execute;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.List;
import java.util.Map;
import org.postgresql.PGConnection;

/**
 * A workload that makes PostgreSQL 14 to 18 write nearly every kind of WAL record: all index types, sequences, large objects,
 * out-of-line values, definitions, maintenance, subtransactions, prepared transactions, multixacts, databases, logical
 * messages, replication origins, a segment switch. One run per database.
 *
 * <p>What can be said in SQL alone is in the resources {@code workload/*.sql}; here is what needs two sessions or a
 * transaction's shape. Needs a superuser and {@link #SETTINGS}.
 */
public final class VariedWorkload {
    /** Settings without which part of the workload fails or writes less varied WAL. */
    public static final Map<String, String> SETTINGS = Map.of(
            "wal_level", "logical",
            "max_prepared_transactions", "10",
            "max_replication_slots", "10",
            "track_commit_timestamp", "on",
            "wal_log_hints", "on",
            "max_wal_size", "8GB",
            "checkpoint_timeout", "1h");

    private static final List<String> SCRIPTS = List.of(
            "01-indexes.sql", "02-values.sql", "03-ddl.sql", "04-btree-hash-brin.sql", "05-gin-gist-spgist.sql");

    private final Connection first;
    private final Connection second;
    private final int rows;
    private boolean tablespaces = true;

    /**
     * @param first a session in autocommit mode
     * @param second another session of the same database, in autocommit mode
     * @param rows how much to do; 2000 makes some 20 MB of WAL
     */
    public VariedWorkload(Connection first, Connection second, int rows) {
        this.first = first;
        this.second = second;
        this.rows = rows;
    }

    /** Leaves out what needs a tablespace of its own, which storage refuses. */
    public VariedWorkload withoutTablespaces() {
        tablespaces = false;
        return this;
    }

    /** Runs everything once and leaves both sessions in autocommit mode. */
    public void run() throws SQLException, IOException {
        for (String script : SCRIPTS) {
            SqlScript.run(first, script, Map.of("rows", Integer.toString(rows)));
        }
        copyIn();
        subtransactions();
        preparedTransactions();
        multixacts();
        replicationOrigin();
        databases();
        if (tablespaces) {
            tablespace();
        }
        execute(first, "SELECT pg_create_restore_point('varied')");
        execute(first, "SELECT pg_switch_wal()");
        execute(first, "CHECKPOINT");
    }

    /** Many rows per record. */
    private void copyIn() throws SQLException, IOException {
        execute(first, "CREATE TABLE copied (id int, v text)");
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < rows; i++) {
            lines.append(i).append("\tvalue ").append(i).append('\n');
        }
        first.unwrap(PGConnection.class)
                .getCopyAPI()
                .copyIn(
                        "COPY copied FROM STDIN",
                        new ByteArrayInputStream(lines.toString().getBytes(UTF_8)));
    }

    /** Nested ones, rolled back ones, and more than fit a backend's cache: they need assignment records. */
    private void subtransactions() throws SQLException {
        execute(first, "CREATE TABLE nested (id int PRIMARY KEY)");
        first.setAutoCommit(false);
        for (int i = 0; i < 100; i++) {
            Savepoint savepoint = first.setSavepoint();
            execute(first, "INSERT INTO nested VALUES (" + i + ")");
            if (i % 3 == 0) {
                first.rollback(savepoint);
            }
        }
        first.commit();
        execute(first, "INSERT INTO nested SELECT 1000 + i FROM generate_series(1, 50) i");
        first.rollback();
        first.setAutoCommit(true);
    }

    private void preparedTransactions() throws SQLException {
        execute(first, "CREATE TABLE prepared (id int)");
        for (String end : List.of("COMMIT", "ROLLBACK")) {
            execute(first, "BEGIN");
            execute(first, "INSERT INTO prepared SELECT generate_series(1, 100)");
            execute(first, "CREATE TABLE made_when_" + end + " (id int)");
            execute(first, "PREPARE TRANSACTION 'varied " + end + "'");
            execute(first, "CHECKPOINT");
            execute(first, end + " PREPARED 'varied " + end + "'");
        }
    }

    /** Rows locked by both sessions, and updated under a lock: none of these waits. */
    private void multixacts() throws SQLException {
        execute(first, "CREATE TABLE shared_rows (id int PRIMARY KEY, v int)");
        execute(first, "INSERT INTO shared_rows SELECT i, 0 FROM generate_series(1, 300) i");
        first.setAutoCommit(false);
        second.setAutoCommit(false);
        execute(first, "SELECT count(*) FROM (SELECT FROM shared_rows WHERE id <= 200 FOR KEY SHARE) s");
        execute(second, "SELECT count(*) FROM (SELECT FROM shared_rows WHERE id <= 100 FOR KEY SHARE) s");
        execute(second, "UPDATE shared_rows SET v = v + 1 WHERE id BETWEEN 50 AND 150");
        execute(first, "SELECT count(*) FROM (SELECT FROM shared_rows WHERE id BETWEEN 120 AND 300 FOR KEY SHARE) s");
        second.commit();
        first.commit();
        execute(second, "UPDATE shared_rows SET v = v + 1 WHERE id BETWEEN 200 AND 250");
        execute(first, "SELECT count(*) FROM (SELECT FROM shared_rows WHERE id BETWEEN 200 AND 250 FOR KEY SHARE) s");
        second.rollback();
        first.commit();
        first.setAutoCommit(true);
        second.setAutoCommit(true);
        execute(first, "VACUUM (FREEZE) shared_rows");
    }

    private void replicationOrigin() throws SQLException {
        execute(first, "SELECT pg_replication_origin_create('varied')");
        execute(first, "SELECT pg_replication_origin_session_setup('varied')");
        execute(first, "CREATE TABLE from_elsewhere AS SELECT generate_series(1, 100) id");
        execute(first, "SELECT pg_replication_origin_session_reset()");
        execute(first, "SELECT pg_replication_origin_advance('varied', '0/1234')");
        execute(first, "SELECT pg_replication_origin_drop('varied')");
    }

    private void databases() throws SQLException {
        execute(first, "CREATE DATABASE varied_copy");
        execute(first, "ALTER DATABASE varied_copy SET work_mem = '8MB'");
        if (first.getMetaData().getDatabaseMajorVersion() >= 15) {
            execute(first, "CREATE DATABASE varied_files STRATEGY file_copy");
            execute(first, "DROP DATABASE varied_files");
        }
        execute(first, "DROP DATABASE varied_copy");
    }

    private void tablespace() throws SQLException {
        execute(first, "SET allow_in_place_tablespaces = on");
        execute(first, "CREATE TABLESPACE varied_space LOCATION ''");
        execute(first, "CREATE TABLE elsewhere (id int) TABLESPACE varied_space");
        execute(first, "INSERT INTO elsewhere SELECT generate_series(1, 100)");
        execute(first, "ALTER TABLE elsewhere SET TABLESPACE pg_default");
        execute(first, "DROP TABLESPACE varied_space");
    }
}
