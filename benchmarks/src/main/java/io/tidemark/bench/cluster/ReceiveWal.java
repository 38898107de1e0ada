package io.tidemark.bench.cluster;

import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.shim.postgres.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * {@code pg_receivewal --synchronous} as the standby that a PostgreSQL's commits wait for: one, or several of which a majority is enough.
 * Started for each turn.
 */
public final class ReceiveWal implements AutoCloseable {
    private static final String NAME = "receivewal";
    private static final Duration SYNC_DEADLINE = Duration.ofMinutes(2);
    private static final Duration POLL = Duration.ofMillis(50);
    private static final int STOP_SECONDS = 20;

    private final PostgresServer postgres;
    private final String program;
    private final Path directory;
    private final List<Process> processes = new ArrayList<>();

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
     * Starts so many, and returns when commits wait for a majority of them and each has all WAL from here on: what they kept in the turn
     * before is deleted, since the server may have removed what came in between.
     *
     * @return their process ids
     */
    public List<Long> start(int copies) throws IOException, InterruptedException, SQLException {
        ScratchDirectory.deleteTree(directory);
        List<String> names = new ArrayList<>();
        for (int copy = 1; copy <= copies; copy++) {
            names.add(NAME + copy);
            processes.add(startOne(NAME + copy));
        }
        postgres.configure(
                Map.of("synchronous_standby_names", "ANY %d (%s)".formatted(copies / 2 + 1, String.join(", ", names))));
        postgres.reload();
        for (String name : names) {
            awaitSync(postgres, name);
        }
        return processes.stream().map(Process::pid).toList();
    }

    private Process startOne(String name) throws IOException {
        Path own = directory.resolve(name);
        Files.createDirectories(own);
        return new ProcessBuilder(
                        program,
                        "--directory=" + own,
                        "--synchronous",
                        "--dbname=host=127.0.0.1 port=" + postgres.port() + " user=postgres application_name=" + name)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolveSibling(name + ".log").toFile())
                .start();
    }

    /** Waits until a PostgreSQL counts on a standby, and that has all WAL: a turn must not begin with what others have left. */
    public static void awaitSync(PostgresServer postgres, String standby)
            throws IOException, InterruptedException, SQLException {
        PostgresProbe probe = new PostgresProbe(postgres);
        long deadline = System.nanoTime() + SYNC_DEADLINE.toNanos();
        String question = "SELECT count(*)::text FROM pg_stat_replication WHERE application_name = '" + standby
                + "' AND state = 'streaming' AND sync_state IN ('sync', 'quorum') AND flush_lsn >= pg_current_wal_flush_lsn()";
        while (!probe.require(question).equals("1")) {
            if (System.nanoTime() > deadline) {
                throw new IOException("PostgreSQL does not count on " + standby + "; logs are around "
                        + postgres.dataDir().getParent());
            }
            Thread.sleep(POLL);
        }
    }

    /** Ends them; the server is not told. Does nothing when none runs. */
    public void stop() throws InterruptedException {
        processes.forEach(Process::destroy);
        for (Process running : processes) {
            if (!running.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                running.destroyForcibly();
            }
        }
        processes.clear();
    }

    @Override
    public void close() throws InterruptedException {
        stop();
    }
}
