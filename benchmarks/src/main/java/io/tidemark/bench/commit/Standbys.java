package io.tidemark.bench.commit;

import io.tidemark.bench.cluster.ReceiveWal;
import io.tidemark.bench.harness.Program;
import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterDirectory;
import io.tidemark.cli.cluster.ProcessCluster;
import io.tidemark.cli.cluster.ServerProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Changes who stands by for one PostgreSQL; at most one of them works at a time.
 *
 * <p>The safekeepers run all the time, having nothing to do while the shim does not. The shim is stopped with SIGSTOP between its
 * turns, since a new JVM would spend its turn on compiling itself; PostgreSQL waits for its socket meanwhile, which costs
 * nothing. pg_receivewal is started for each turn.
 */
final class Standbys implements AutoCloseable {
    private static final Duration SIGNAL_DEADLINE = Duration.ofSeconds(10);

    private final ProcessCluster cluster;
    private final ReceiveWal receivewal;

    /**
     * For a running cluster.
     *
     * @param program the path of pg_receivewal
     * @param directory where it keeps WAL; made when first needed
     */
    Standbys(ProcessCluster cluster, String program, Path directory) {
        this.cluster = cluster;
        this.receivewal = new ReceiveWal(cluster.postgres(), program, directory);
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
        ReceiveWal.awaitSync(cluster.postgres(), ClusterDirectory.STANDBY_NAME);
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
        return receivewal.start(1);
    }

    /** As many copies as there are safekeepers, and a commit waits for as many of them. */
    List<Long> receivewals() throws IOException, InterruptedException, SQLException {
        return receivewal.start(cluster.directory().config().safekeepers().size());
    }

    private void standbyIs(String name) throws IOException, InterruptedException {
        cluster.postgres().configure(Map.of("synchronous_standby_names", name));
        cluster.postgres().reload();
    }

    /** Nobody stands by, nobody is waited for. */
    void stopAll() throws IOException, InterruptedException {
        standbyIs("");
        receivewal.stop();
        signal("STOP");
    }

    /** Lets the shim go on, or it could not be told to stop. */
    @Override
    public void close() throws IOException, InterruptedException {
        receivewal.stop();
        if (cluster.shim().isRunning()) {
            signal("CONT");
        }
    }
}
