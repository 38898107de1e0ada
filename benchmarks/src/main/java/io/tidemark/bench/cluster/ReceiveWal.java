package io.tidemark.bench.cluster;

import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.shim.postgres.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** {@code pg_receivewal --synchronous} as the standby that a PostgreSQL's commits wait for; started for each turn. */
public final class ReceiveWal implements AutoCloseable {
    private static final String NAME = "receivewal";
    private static final Duration SYNC_DEADLINE = Duration.ofMinutes(2);
    private static final Duration POLL = Duration.ofMillis(50);
    private static final int STOP_SECONDS = 20;

    private final PostgresServer postgres;
    private final String program;
    private final Path directory;
    private @Nullable Process process;

    /**
     * For a server that runs when it is started.
     *
     * @param program the path of pg_receivewal
     * @param directory where it keeps WAL; made when first needed. Its log is beside it
     */
    public ReceiveWal(PostgresServer postgres, String program, Path directory) {
        this.postgres = postgres;
        this.program = program;
        this.directory = directory;
    }

    /**
     * Starts it, and returns when commits wait for it and it has all WAL from here on: what it kept in the turn before is deleted, since
     * the server may have removed what came in between.
     *
     * @return its process id
     */
    public long start() throws IOException, InterruptedException, SQLException {
        ScratchDirectory.deleteTree(directory);
        Files.createDirectories(directory);
        Process started = new ProcessBuilder(
                        program,
                        "--directory=" + directory,
                        "--synchronous",
                        "--dbname=host=127.0.0.1 port=" + postgres.port() + " user=postgres application_name=" + NAME)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolveSibling(NAME + ".log").toFile())
                .start();
        process = started;
        postgres.configure(Map.of("synchronous_standby_names", NAME));
        postgres.reload();
        awaitSync(postgres, NAME);
        return started.pid();
    }

    /** Waits until a PostgreSQL counts on a standby, and that has all WAL: a turn must not begin with what others have left. */
    public static void awaitSync(PostgresServer postgres, String standby)
            throws IOException, InterruptedException, SQLException {
        PostgresProbe probe = new PostgresProbe(postgres);
        long deadline = System.nanoTime() + SYNC_DEADLINE.toNanos();
        String question = "SELECT count(*)::text FROM pg_stat_replication WHERE application_name = '" + standby
                + "' AND state = 'streaming' AND sync_state = 'sync' AND flush_lsn >= pg_current_wal_flush_lsn()";
        while (!probe.require(question).equals("1")) {
            if (System.nanoTime() > deadline) {
                throw new IOException("PostgreSQL does not count on " + standby + "; logs are around "
                        + postgres.dataDir().getParent());
            }
            Thread.sleep(POLL);
        }
    }

    /** Ends it; the server is not told. Does nothing when it does not run. */
    public void stop() throws InterruptedException {
        Process running = process;
        process = null;
        if (running != null) {
            running.destroy();
            if (!running.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                running.destroyForcibly();
            }
        }
    }

    @Override
    public void close() throws InterruptedException {
        stop();
    }
}
