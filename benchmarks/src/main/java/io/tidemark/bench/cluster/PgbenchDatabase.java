package io.tidemark.bench.cluster;

import io.tidemark.bench.wal.Pgbench;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/** Makes a stock PostgreSQL with pgbench's tables in it, quickly: what is loaded is not in its WAL. */
public final class PgbenchDatabase {
    private static final Duration STOP_DEADLINE = Duration.ofMinutes(10);

    /** What initdb makes, and what a unit of scale adds, both in 10^6 bytes. */
    private static final double EMPTY_MEGABYTES = 23;

    private static final double MEGABYTES_PER_SCALE = 15.7;

    private static final Map<String, String> LOADING = Map.of(
            "wal_level", "minimal",
            "max_wal_senders", "0",
            "fsync", "off",
            "synchronous_commit", "off",
            "autovacuum", "off",
            "shared_buffers", "256MB",
            "maintenance_work_mem", "512MB",
            "max_wal_size", "4GB");

    // The last run must be one with WAL that can be streamed: pg_control remembers.
    private static final Map<String, String> LOADED = Map.of("wal_level", "replica", "max_wal_senders", "10");

    private PgbenchDatabase() {}

    /** The scale of a data directory of about so many 10^6 bytes. */
    public static int scaleOf(int megabytes) {
        return (int) Math.max(1, Math.round((megabytes - EMPTY_MEGABYTES) / MEGABYTES_PER_SCALE));
    }

    /**
     * Makes one; it does not run when this returns, and was shut down in order.
     *
     * @param pgbench the path of pgbench
     * @param dataDir must not exist
     * @param settings its configuration parameters from now on
     */
    public static PostgresServer create(
            PostgresBinaries binaries, Path dataDir, String pgbench, int scale, Map<String, String> settings)
            throws IOException, InterruptedException {
        PostgresServer server =
                PostgresServer.create(binaries, ServerUser.current(), dataDir, InitDbOptions.defaults());
        try {
            server.configure(LOADING);
            server.start();
            new Pgbench(pgbench, server).load(scale);
            server.stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
            Map<String, String> loaded = new HashMap<>(LOADED);
            loaded.put("fsync", "on");
            loaded.put("synchronous_commit", "on");
            loaded.putAll(settings);
            server.configure(loaded);
            server.start();
            server.stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
            return server;
        } finally {
            server.close();
        }
    }

    /** The bytes of a data directory's files, without its WAL. */
    public static long bytes(Path dataDir) throws IOException {
        Path wal = dataDir.resolve("pg_wal");
        try (Stream<Path> files = Files.walk(dataDir)) {
            return files.filter(file -> !file.startsWith(wal))
                    .mapToLong(file -> file.toFile().isFile() ? file.toFile().length() : 0)
                    .sum();
        }
    }
}
