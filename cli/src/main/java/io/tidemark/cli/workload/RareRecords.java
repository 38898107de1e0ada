package io.tidemark.cli.workload;

import static io.tidemark.cli.workload.SqlScript.execute;

import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.wire.wal.WalPageHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What {@link VariedWorkload} leaves out: records that need an index of some shape, a certain age, a change of settings, another
 * database or a crash. The server is restarted once in between.
 *
 * <p>Needs a server to itself, {@link VariedWorkload#SETTINGS} and autovacuum off.
 */
public final class RareRecords {
    private static final List<String> SCRIPTS = List.of(
            "10-rare-btree.sql",
            "11-rare-hash.sql",
            "12-rare-gin.sql",
            "13-rare-gist-spgist-brin.sql",
            "14-rare-heap.sql");

    /** So many transactions fill more than a page of pg_xact, and two segments of pg_commit_ts. */
    private static final int FEW_XIDS = 60_000;

    /** So many transactions fill a segment of pg_xact, which can then be removed. */
    private static final int MANY_XIDS = 1_100_000;

    private static final Duration CRASH_DEADLINE = Duration.ofMinutes(1);
    private static final Duration SETTING_DEADLINE = Duration.ofSeconds(30);

    /** From here on things are named differently. */
    private static final int BACKUPS_RENAMED = 15;

    private final PostgresServer server;
    private final boolean thorough;

    /** @param thorough also uses up a million transaction ids */
    public RareRecords(PostgresServer server, boolean thorough) {
        this.server = server;
        this.thorough = thorough;
    }

    /** Runs everything once, in the database postgres and some others. */
    public void run() throws SQLException, IOException, InterruptedException {
        try (Connection session = WalMaker.connect(server, "postgres")) {
            for (String script : SCRIPTS) {
                SqlScript.run(session, script, Map.of());
            }
            catalogRewrite(session);
            fullPageWrites(session);
            backup(session);
            compression(session);
        }
        databases();
        crash();
        tornRecord();
        try (Connection session = WalMaker.connect(server, "postgres")) {
            useXids(session);
        }
        freezeEverything();
    }

    /** While somebody decodes logically, rewriting a catalog logs where its rows went. */
    private static void catalogRewrite(Connection session) throws SQLException {
        execute(session, "SELECT pg_create_logical_replication_slot('rare', 'pgoutput')");
        execute(session, "CREATE TABLE decoded (id int)");
        execute(session, "ALTER TABLE decoded ADD COLUMN v int");
        execute(session, "VACUUM FULL pg_attribute");
        execute(session, "VACUUM FULL pg_class");
        execute(session, "SELECT pg_drop_replication_slot('rare')");
    }

    /** The checkpointer logs the change of the setting when it hears of it. */
    private static void fullPageWrites(Connection session) throws SQLException, InterruptedException {
        String before = ask(session, "SELECT full_page_writes FROM pg_control_checkpoint()");
        for (String value : before.equals("t") ? List.of("off", "on") : List.of("on", "off")) {
            execute(session, "ALTER SYSTEM SET full_page_writes = " + value);
            execute(session, "SELECT pg_reload_conf()");
            awaitFullPageWrites(session, value.equals("on") ? "t" : "f");
            execute(session, "UPDATE item SET note = 'fpw' WHERE id % 50 = 0");
        }
        execute(session, "ALTER SYSTEM RESET full_page_writes");
    }

    private static void awaitFullPageWrites(Connection session, String value)
            throws SQLException, InterruptedException {
        long deadline = System.nanoTime() + SETTING_DEADLINE.toNanos();
        do {
            if (System.nanoTime() > deadline) {
                throw new SQLException("the checkpointer does not take over full_page_writes = " + value);
            }
            execute(session, "CHECKPOINT");
        } while (!ask(session, "SELECT full_page_writes FROM pg_control_checkpoint()")
                .equals(value));
    }

    private static void backup(Connection session) throws SQLException {
        if (session.getMetaData().getDatabaseMajorVersion() < BACKUPS_RENAMED) {
            execute(session, "SELECT pg_start_backup('rare', true, false)");
            execute(session, "UPDATE item SET note = 'backup' WHERE id % 50 = 1");
            execute(session, "SELECT pg_stop_backup(false, false)");
        } else {
            execute(session, "SELECT pg_backup_start('rare', true)");
            execute(session, "UPDATE item SET note = 'backup' WHERE id % 50 = 1");
            execute(session, "SELECT pg_backup_stop(false)");
        }
    }

    /** Images packed with each method that the server was built with. */
    private static void compression(Connection session) throws SQLException {
        String known = ask(
                session,
                "SELECT coalesce(array_to_string(enumvals, ','), 'on') FROM pg_settings WHERE name = 'wal_compression'");
        for (String method : List.of("on", "lz4", "zstd")) {
            if (!List.of(known.split(",", -1)).contains(method)) {
                continue;
            }
            execute(session, "SET wal_compression = '" + method + "'");
            execute(session, "CHECKPOINT");
            execute(session, "CREATE TABLE packed_" + method + " AS SELECT * FROM item LIMIT 100");
            execute(session, "CREATE INDEX ON packed_" + method + " USING gin (tags)");
            execute(session, "UPDATE item SET note = '" + method + "' WHERE id % 20 = 2");
            execute(session, "VACUUM packed_" + method);
        }
        execute(session, "RESET wal_compression");
    }

    /** Databases that stay: what was copied is changed, so a wrong copy shows. */
    private void databases() throws SQLException, IOException {
        boolean strategies;
        try (Connection session = WalMaker.connect(server, "template1")) {
            strategies = session.getMetaData().getDatabaseMajorVersion() >= BACKUPS_RENAMED;
            execute(session, "CREATE DATABASE rare_default TEMPLATE postgres");
            if (strategies) {
                execute(session, "CREATE DATABASE rare_files TEMPLATE postgres STRATEGY file_copy");
            }
        }
        for (String name : strategies ? List.of("rare_default", "rare_files") : List.of("rare_default")) {
            try (Connection session = WalMaker.connect(server, name)) {
                execute(session, "UPDATE item SET note = note || 'copied' WHERE id % 9 = 0");
                execute(session, "DELETE FROM item WHERE id % 9 = 1");
                execute(session, "INSERT INTO chain SELECT i, 'copied' FROM generate_series(1001, 1100) i");
                execute(session, "VACUUM (INDEX_CLEANUP on) item");
                execute(session, "VACUUM FULL pg_class");
            }
        }
        try (Connection session = WalMaker.connect(server, "postgres")) {
            execute(session, "SET allow_in_place_tablespaces = on");
            execute(session, "CREATE TABLESPACE rare_space LOCATION ''");
            execute(session, "ALTER DATABASE rare_default SET TABLESPACE rare_space");
        }
        try (Connection session = WalMaker.connect(server, "rare_default")) {
            execute(session, "UPDATE item SET note = note || 'moved' WHERE id % 9 = 2");
        }
    }

    private void crash() throws SQLException, IOException, InterruptedException {
        try (Connection session = WalMaker.connect(server, "postgres")) {
            execute(session, "UPDATE item SET note = 'crash' WHERE id % 50 = 3");
            server.stop(PostgresServer.Shutdown.IMMEDIATE, CRASH_DEADLINE);
        }
        server.start();
    }

    /**
     * A record whose end did not reach the disk: recovery puts a mark in the place of the rest. Nothing after it may have been
     * written, so it stands at the start of a segment, after a checkpoint.
     */
    private void tornRecord() throws SQLException, IOException, InterruptedException {
        String segment;
        try (Connection session = WalMaker.connect(server, "postgres")) {
            execute(session, "CHECKPOINT");
            execute(session, "SELECT pg_switch_wal()");
            execute(session, "SELECT pg_logical_emit_message(false, 'rare', repeat('torn ', 10000))");
            awaitFlush(session, ask(session, "SELECT pg_current_wal_insert_lsn()"));
            segment = ask(session, "SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
            server.stop(PostgresServer.Shutdown.IMMEDIATE, CRASH_DEADLINE);
        }
        Path file = server.dataDir().resolve("pg_wal").resolve(segment);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            int kept = 2 * WalPageHeader.PAGE_SIZE_BYTES;
            ByteBuffer zeros = ByteBuffer.allocate((int) channel.size() - kept);
            while (zeros.hasRemaining()) {
                channel.write(zeros, kept + zeros.position());
            }
        }
        server.start();
    }

    /** The WAL writer does it by itself. */
    private static void awaitFlush(Connection session, String lsn) throws SQLException {
        long deadline = System.nanoTime() + SETTING_DEADLINE.toNanos();
        while (!ask(session, "SELECT pg_current_wal_flush_lsn() >= '" + lsn + "'")
                .equals("t")) {
            if (System.nanoTime() > deadline) {
                throw new SQLException("the WAL is not flushed up to " + lsn);
            }
        }
    }

    private void useXids(Connection session) throws SQLException {
        execute(session, "SET synchronous_commit = off");
        execute(session, """
                DO $$ BEGIN
                  FOR i IN 1..%d LOOP
                    PERFORM pg_current_xact_id();
                    COMMIT;
                  END LOOP;
                END $$
                """.formatted(thorough ? MANY_XIDS : FEW_XIDS));
    }

    /** In every database, or the oldest transaction of the cluster stays where it is. */
    private void freezeEverything() throws SQLException {
        List<String> names;
        try (Connection session = WalMaker.connect(server, "postgres")) {
            execute(session, "ALTER DATABASE template0 ALLOW_CONNECTIONS true");
            names = List.of(ask(session, "SELECT string_agg(datname, ',') FROM pg_database")
                    .split(",", -1));
        }
        for (String name : names) {
            try (Connection session = WalMaker.connect(server, name)) {
                execute(session, "VACUUM (FREEZE)");
            }
        }
        try (Connection session = WalMaker.connect(server, "postgres")) {
            execute(session, "ALTER DATABASE template0 ALLOW_CONNECTIONS false");
        }
    }

    private static String ask(Connection session, String sql) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }
}
