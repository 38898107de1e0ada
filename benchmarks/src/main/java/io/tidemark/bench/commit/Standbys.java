package io.tidemark.bench.commit;

import io.tidemark.bench.harness.Program;
import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterDirectory;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.cli.cluster.ProcessCluster;
import io.tidemark.cli.cluster.ServerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Changes who stands by for one PostgreSQL; at most one of them works at a time.
 *
 * <p>The safekeepers run all the time, having nothing to do while the shim does not. The shim is stopped with SIGSTOP between its
 * turns, since a new JVM would spend its turn on compiling itself; PostgreSQL waits for its socket meanwhile, which costs
 * nothing. pg_receivewal is started for each turn.
 */
final class Standbys implements AutoCloseable {
    private static final String RECEIVEWAL = "receivewal";
    private static final Duration SYNC_DEADLINE = Duration.ofMinutes(2);
    private static final Duration POLL = Duration.ofMillis(50);
    private static final Duration SIGNAL_DEADLINE = Duration.ofSeconds(10);
    private static final int STOP_SECONDS = 20;

    private final ProcessCluster cluster;
    private final String program;
    private final Path directory;
    private @Nullable Process receivewal;

    /**
     * For a running cluster.
     *
     * @param program the path of pg_receivewal
     * @param directory where it keeps WAL; made when first needed
     */
    Standbys(ProcessCluster cluster, String program, Path directory) {
        this.cluster = cluster;
        this.program = program;
        this.directory = directory;
    }

    /** Starts a standby, waits until PostgreSQL counts on it, and returns its processes. */
    @FunctionalInterface
    interface Start {
        List<Long> run() throws IOException, InterruptedException, SQLException;
    }

    List<Long> nobody() throws IOException, InterruptedException {
        standbyIs("");
        return List.of();
    }

    List<Long> quorum() throws IOException, InterruptedException, SQLException {
        List<Long> pids = new ArrayList<>();
        for (SafekeeperPlace place : cluster.directory().config().safekeepers()) {
            pids.add(pid(cluster.safekeeper(place.id())));
        }
        pids.add(pid(cluster.shim()));
        signal("CONT");
        standbyIs(ClusterDirectory.STANDBY_NAME);
        awaitSync(ClusterDirectory.STANDBY_NAME);
        return pids;
    }

    private static long pid(ServerProcess process) throws IOException {
        return process.handle()
                .orElseThrow(() -> new IOException(process.name() + " has ended; its log: " + process.logFile()))
                .pid();
    }

    private void signal(String name) throws IOException, InterruptedException {
        Program.run(List.of("kill", "-" + name, Long.toString(pid(cluster.shim()))), SIGNAL_DEADLINE);
    }

    List<Long> receivewal() throws IOException, InterruptedException, SQLException {
        Files.createDirectories(directory);
        Process process = new ProcessBuilder(
                        program,
                        "--directory=" + directory,
                        "--synchronous",
                        "--dbname=host=127.0.0.1 port=" + cluster.postgres().port() + " user=postgres application_name="
                                + RECEIVEWAL)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolveSibling("receivewal.log").toFile())
                .start();
        receivewal = process;
        standbyIs(RECEIVEWAL);
        awaitSync(RECEIVEWAL);
        return List.of(process.pid());
    }

    private void standbyIs(String name) throws IOException, InterruptedException {
        cluster.postgres().configure(Map.of("synchronous_standby_names", name));
        cluster.postgres().reload();
    }

    private void awaitSync(String name) throws IOException, InterruptedException, SQLException {
        PostgresProbe probe = new PostgresProbe(cluster.postgres());
        long deadline = System.nanoTime() + SYNC_DEADLINE.toNanos();
        // With all WAL that there was before it: a turn must not begin with what the turns of the others have left.
        String question = "SELECT count(*)::text FROM pg_stat_replication WHERE application_name = '" + name
                + "' AND state = 'streaming' AND sync_state = 'sync' AND flush_lsn >= pg_current_wal_flush_lsn()";
        while (!probe.require(question).equals("1")) {
            if (System.nanoTime() > deadline) {
                throw new IOException("PostgreSQL does not count on " + name + "; logs are in "
                        + cluster.directory().layout().root() + " and beside " + directory);
            }
            Thread.sleep(POLL);
        }
    }

    /** Nobody stands by, nobody is waited for. */
    void stopAll() throws IOException, InterruptedException {
        standbyIs("");
        stopReceivewal();
        signal("STOP");
    }

    private void stopReceivewal() throws InterruptedException {
        Process process = receivewal;
        receivewal = null;
        if (process != null) {
            process.destroy();
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
    }

    /** Lets the shim go on, or it could not be told to stop. */
    @Override
    public void close() throws IOException, InterruptedException {
        stopReceivewal();
        if (cluster.shim().isRunning()) {
            signal("CONT");
        }
    }
}
