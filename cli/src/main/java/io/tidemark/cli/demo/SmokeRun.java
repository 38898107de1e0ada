package io.tidemark.cli.demo;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterDirectory;
import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.cli.cluster.ProcessCluster;
import io.tidemark.cli.cluster.SafekeeperProbe;
import io.tidemark.cli.cluster.WalEquality;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A short run against a cluster of separate processes that kills some of them with {@code kill -9} and checks what must hold. Each
 * check is printed when it has been made; the first that fails ends the run.
 */
public final class SmokeRun {
    private static final int CLIENTS = 4;
    private static final long ROWS_BETWEEN_EVENTS = 200;
    private static final Duration PROGRESS_DEADLINE = Duration.ofSeconds(60);
    /** How long a commit without a quorum is watched. It would wait for ever; a commit with one takes milliseconds. */
    private static final Duration WAIT_WATCHED = Duration.ofSeconds(3);

    private static final Duration POLL = Duration.ofMillis(20);

    private final ProcessCluster cluster;
    private final PostgresProbe postgres;
    private final PrintWriter out;
    private final Ledger ledger;
    private final String table;

    public SmokeRun(ClusterDirectory directory, PrintWriter out) {
        this.cluster = new ProcessCluster(directory);
        this.postgres = new PostgresProbe(directory.postgres());
        this.out = out;
        this.table = "smoke_" + Long.toString(System.currentTimeMillis(), Character.MAX_RADIX);
        this.ledger = new Ledger(postgres::connect, table);
    }

    /**
     * Starts the cluster, makes the run, stops the cluster.
     *
     * @throws ClusterException with the check that failed
     */
    public void run() throws IOException, InterruptedException {
        try {
            long start = System.nanoTime();
            cluster.start();
            passed("started three safekeepers, PostgreSQL " + postgres.require("SHOW server_version")
                    + " and its shim as separate processes, in " + seconds(start) + " s");
            ledger.create();
            ledger.start(CLIENTS);
            awaitProgress();
            passed("COMMITs return (" + CLIENTS + " clients insert, one row per transaction)");
            killOneAndBringItBack();
            killShimAndBringItBack();
            ledger.stop();
            killTwoAndBringThemBack();
            checkRows();
            checkWal();
        } catch (SQLException e) {
            throw new ClusterException("PostgreSQL answered: " + e.getMessage(), e);
        } finally {
            cluster.stop();
        }
        out.println("All checks passed.");
        out.flush();
    }

    private void passed(String what) {
        out.println("  ok  " + what);
        out.flush();
    }

    private static String seconds(long startNanos) {
        return String.format(java.util.Locale.ROOT, "%.1f", (System.nanoTime() - startNanos) / 1e9);
    }

    /** Waits until some more COMMITs have returned. */
    private void awaitProgress() throws IOException, InterruptedException {
        long target = ledger.acknowledged() + ROWS_BETWEEN_EVENTS;
        long deadline = System.nanoTime() + PROGRESS_DEADLINE.toNanos();
        while (ledger.acknowledged() < target) {
            if (System.nanoTime() > deadline) {
                throw new ClusterException("COMMITs do not return: " + ledger.acknowledged() + " of " + target
                        + " within " + PROGRESS_DEADLINE.toSeconds() + " s");
            }
            Thread.sleep(POLL);
        }
    }

    private void killOneAndBringItBack() throws IOException, InterruptedException {
        cluster.safekeeper(2).kill();
        awaitProgress();
        passed("safekeeper 2 was killed with kill -9 while clients inserted, and COMMITs went on returning");
        cluster.startSafekeeper(2);
        awaitProgress();
        passed("safekeeper 2 was started again, and COMMITs went on returning");
    }

    private void killShimAndBringItBack() throws IOException, InterruptedException {
        cluster.shim().kill();
        cluster.startShim();
        awaitProgress();
        passed("the shim was killed with kill -9 while clients inserted; with a new one COMMITs return");
    }

    private void killTwoAndBringThemBack() throws IOException, InterruptedException {
        cluster.safekeeper(1).kill();
        cluster.safekeeper(3).kill();
        CompletableFuture<Void> commit = CompletableFuture.runAsync(this::insertOne, Thread::startVirtualThread);
        try {
            commit.get(WAIT_WATCHED.toMillis(), TimeUnit.MILLISECONDS);
            throw new ClusterException("a COMMIT returned although two of three safekeepers were dead");
        } catch (TimeoutException itWaits) {
            passed("safekeepers 1 and 3 were killed; a COMMIT did not return in the " + WAIT_WATCHED.toSeconds()
                    + " s it was watched");
        } catch (ExecutionException e) {
            throw new ClusterException("a COMMIT without a quorum failed, it should wait: " + e.getCause(), e);
        }
        cluster.startSafekeeper(3);
        try {
            commit.get(PROGRESS_DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            throw new ClusterException("the COMMIT did not return although two of three safekeepers ran again", e);
        }
        passed("safekeeper 3 was started again, and that COMMIT returned");
        cluster.startSafekeeper(1);
    }

    private void insertOne() {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO " + table + " VALUES (-1, 0, 'waits for a quorum')");
        } catch (SQLException e) {
            throw new CompletionException(e);
        }
    }

    private void checkRows() throws IOException, SQLException {
        try (Connection connection = postgres.connect()) {
            List<String> missing = ledger.missing(connection);
            if (!missing.isEmpty()) {
                throw new ClusterException(
                        missing.size() + " acknowledged rows are missing, first " + missing.getFirst());
            }
        }
        passed("all " + ledger.acknowledged() + " acknowledged rows are there");
    }

    private void checkWal() throws IOException, InterruptedException, SQLException {
        ClusterDirectory directory = cluster.directory();
        Lsn target = postgres.flushLsn();
        int segmentSizeBytes =
                Integer.parseInt(postgres.require("SELECT setting FROM pg_settings WHERE name = 'wal_segment_size'"));
        for (SafekeeperPlace place : directory.config().safekeepers()) {
            SafekeeperProbe.TimelineStatus status = awaitCommit(place.id(), target);
            long bytes = new WalEquality(directory.postgresWal(), directory.safekeeperWal(place.id()), segmentSizeBytes)
                    .requireEqual(status.timelineStartLsn(), status.commitLsn());
            passed("the WAL of safekeeper " + place.id() + " equals PostgreSQL's pg_wal byte for byte, from "
                    + status.timelineStartLsn() + " to its commit_lsn " + status.commitLsn() + " (" + bytes
                    + " bytes, term " + status.term() + ")");
        }
    }

    /** The status of a safekeeper once it knows that everything up to {@code target} is committed. */
    private SafekeeperProbe.TimelineStatus awaitCommit(long id, Lsn target) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PROGRESS_DEADLINE.toNanos();
        while (true) {
            SafekeeperProbe.TimelineStatus status = cluster.probe(id)
                    .timeline(cluster.directory().config().timeline())
                    .orElseThrow(() -> new ClusterException("safekeeper " + id + " does not have the timeline"));
            if (status.commitLsn().isAtLeast(target)) {
                return status;
            }
            if (System.nanoTime() > deadline) {
                throw new ClusterException("the commit_lsn of safekeeper " + id + " is " + status.commitLsn()
                        + " and does not reach " + target);
            }
            Thread.sleep(POLL);
        }
    }
}
