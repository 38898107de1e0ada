package io.tidemark.bench.redo;

import io.tidemark.bench.cluster.StorageSource;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.bench.wal.Pgbench;
import io.tidemark.bench.wal.WalSample;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A PostgreSQL 15 that crashed: its files as they were at the last checkpoint, and the WAL since then. Pages that it wrote between
 * are not taken along, so recovery has to apply every record.
 *
 * @param binaries of the server
 * @param base the files at the checkpoint, shut down
 * @param crashed the data directory after the crash
 * @param end where the WAL ends
 */
record CrashedServer(PostgresBinaries binaries, Path base, Path crashed, Lsn end) {
    private static final int CLIENTS = 4;
    private static final Duration STOP_DEADLINE = Duration.ofMinutes(5);
    private static final Path CONTROL = Path.of("global", "pg_control");

    /** PostgreSQL 15 and later say what the startup process used between the first and the last record. */
    private static final Pattern REDO_DONE = Pattern.compile(
            "redo done at (\\S+) system usage: CPU: user: ([0-9.]+) s, system: ([0-9.]+) s, elapsed: ([0-9.]+) s");

    /** Without images of pages there is something to redo; the buffers hold everything, as our memory does. */
    private static final Map<String, String> SETTINGS = Map.of(
            "full_page_writes", "off",
            "fsync", "off",
            "synchronous_commit", "off",
            "autovacuum", "off",
            "wal_keep_size", "64GB",
            "max_wal_size", "64GB",
            "checkpoint_timeout", "1h",
            "shared_buffers", "1GB");

    /** What a recovery used. */
    record Recovery(double cpuSeconds, double elapsedSeconds) {}

    /** Fills pgbench's tables, stops and copies them, runs transactions on them, crashes. */
    static CrashedServer make(String pgbench, Path work, int scale, int transactions)
            throws IOException, InterruptedException, SQLException {
        PostgresBinaries binaries = PostgresArchives.configured().require(WalSample.PG_MAJOR);
        Path crashed = work.resolve("crashed");
        Path base = work.resolve("base");
        try (PostgresServer server =
                PostgresServer.create(binaries, ServerUser.current(), crashed, InitDbOptions.defaults())) {
            server.configure(SETTINGS);
            server.start();
            Pgbench bench = new Pgbench(pgbench, server);
            bench.initialize(scale);
            server.stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
            StorageSource.copy(crashed, base);
            server.start();
            bench.runTimes(CLIENTS, Math.max(1, transactions / CLIENTS));
            Lsn end = durableEnd(server);
            server.stop(PostgresServer.Shutdown.IMMEDIATE, STOP_DEADLINE);
            return new CrashedServer(binaries, base, crashed, end);
        }
    }

    /** The end of a record that is on disk, as all before it. The flush LSN would not do: it may lie in the middle of one. */
    private static Lsn durableEnd(PostgresServer server) throws SQLException {
        try (Connection connection = DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
                Statement statement = connection.createStatement()) {
            statement.execute("SET synchronous_commit = on");
            try (ResultSet row = statement.executeQuery("SELECT pg_logical_emit_message(true, 'end', '')::text")) {
                row.next();
                return Lsn.parse(row.getString(1));
            }
        }
    }

    Path wal() {
        return crashed.resolve("pg_wal");
    }

    /** Lets PostgreSQL recover a copy; its files are in the page cache, since they have just been copied. */
    Recovery recover(Path into) throws IOException, InterruptedException {
        ScratchDirectory.deleteTree(into);
        StorageSource.copy(base, into);
        ScratchDirectory.deleteTree(into.resolve("pg_wal"));
        StorageSource.copy(wal(), into.resolve("pg_wal"));
        Files.copy(
                crashed.resolve(CONTROL),
                into.resolve(CONTROL),
                StandardCopyOption.REPLACE_EXISTING,
                StandardCopyOption.COPY_ATTRIBUTES);
        Files.deleteIfExists(into.resolve("postmaster.pid"));
        try (PostgresServer server = PostgresServer.adopt(binaries, ServerUser.current(), into)) {
            Map<String, String> settings = new HashMap<>(SETTINGS);
            server.configure(settings);
            server.start();
            Recovery recovery = recovery(Files.readString(server.logFile()));
            server.stop(PostgresServer.Shutdown.IMMEDIATE, STOP_DEADLINE);
            return recovery;
        } finally {
            ScratchDirectory.deleteTree(into);
        }
    }

    /** The last one that the log tells of: it goes on from turn to turn. */
    static Recovery recovery(String log) throws IOException {
        Recovery last = null;
        for (Matcher matcher = REDO_DONE.matcher(log); matcher.find(); ) {
            last = new Recovery(
                    Double.parseDouble(matcher.group(2)) + Double.parseDouble(matcher.group(3)),
                    Double.parseDouble(matcher.group(4)));
        }
        if (last == null) {
            throw new IOException("PostgreSQL did not say how long its redo took: " + log);
        }
        return last;
    }
}
