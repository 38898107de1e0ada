package io.tidemark.cli.demo;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.ComputeStatus;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.storage.StorageProcesses;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A short run against a storage cluster of separate processes that kills them with {@code kill -9}, travels in time, and checks what must
 * hold. Each check is printed when it has been made; the first that fails ends the run.
 */
public final class SmokeRun {
    private static final String MAIN = StorageDirectory.MAIN;
    private static final String PAST = "past";
    private static final int CLIENTS = 4;
    private static final long ROWS_BETWEEN_EVENTS = 200;
    private static final Duration PROGRESS_DEADLINE = Duration.ofSeconds(60);
    /** How long a commit without a quorum is watched. It would wait for ever; a commit with one takes milliseconds. */
    private static final Duration WAIT_WATCHED = Duration.ofSeconds(3);

    private static final Duration POLL = Duration.ofMillis(20);

    private final StorageDirectory directory;
    private final StorageProcesses processes;
    private final Computes computes;
    private final PrintWriter out;
    private final Ledger ledger;
    private volatile int port;

    public SmokeRun(StorageDirectory directory, PrintWriter out) {
        this.directory = directory;
        this.processes = new StorageProcesses(directory);
        this.computes = new Computes(directory);
        this.out = out;
        this.ledger = new Ledger(() -> connect(port), "ledger");
    }

    private static Connection connect(int port) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres&connectTimeout=5");
    }

    /**
     * Starts the cluster, makes the run, stops the cluster.
     *
     * @throws ClusterException with the check that failed
     */
    public void run() throws IOException, InterruptedException {
        try {
            long begun = System.nanoTime();
            processes.start();
            new Branches(directory).createMain();
            passed(
                    "started three safekeepers and a pageserver as separate processes, with a new database on branch main, in "
                            + seconds(begun) + " s");
            startMain();
            ledger.create();
            ledger.start(CLIENTS);
            awaitProgress();
            passed("COMMITs return (" + CLIENTS + " clients insert, one row per transaction)");
            killOneAndBringItBack();
            killEverythingAndComeBack();
            ledger.stop();
            killTwoAndBringThemBack();
            checkRows(port, "all " + ledger.acknowledged() + " acknowledged rows are there");
            branchAtAPastSecond();
        } catch (SQLException e) {
            throw new ClusterException("PostgreSQL answered: " + e.getMessage(), e);
        } finally {
            for (String branch : List.of(MAIN, PAST)) {
                if (directory.branches().find(branch).isPresent()) {
                    computes.stop(branch);
                }
            }
            processes.stop();
        }
        out.println("All checks passed.");
        out.flush();
    }

    private void startMain() throws IOException, InterruptedException, SQLException {
        long begun = System.nanoTime();
        ComputeStatus status = computes.start(MAIN, port, Map.of(), phase -> {});
        port = status.port();
        try (Connection connection = connect(port)) {
            passed("PostgreSQL " + one(connection, "SHOW server_version")
                    + " runs on main, on a data directory built at " + status.startLsn() + ", after " + seconds(begun)
                    + " s " + phases(status));
        }
    }

    private static String phases(ComputeStatus status) {
        StringBuilder text = new StringBuilder("(");
        for (ComputeStatus.Phase phase : status.phases()) {
            text.append(text.length() == 1 ? "" : ", ")
                    .append(phase.name())
                    .append(' ')
                    .append(phase.millis())
                    .append(" ms");
        }
        return text.append(')').toString();
    }

    private void passed(String what) {
        out.println("  ok  " + what);
        out.flush();
    }

    private static String seconds(long startNanos) {
        return String.format(Locale.ROOT, "%.1f", (System.nanoTime() - startNanos) / 1e9);
    }

    private static String one(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static void run(int port, String sql) throws SQLException {
        try (Connection connection = connect(port);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
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
        processes.safekeeper(2).kill();
        awaitProgress();
        passed("safekeeper 2 was killed with kill -9 while clients inserted, and COMMITs went on returning");
        processes.launchSafekeeper(2);
        processes.awaitSafekeeper(2);
        awaitProgress();
        passed("safekeeper 2 was started again, and COMMITs went on returning");
    }

    private void killEverythingAndComeBack() throws IOException, InterruptedException, SQLException {
        for (SafekeeperPlace place : directory.config().safekeepers()) {
            processes.safekeeper(place.id()).kill();
        }
        processes.pageserver().kill();
        computes.process(MAIN).kill();
        postgresOf(MAIN).kill();
        passed(
                "three safekeepers, the pageserver, the shim and PostgreSQL were killed with kill -9 while clients inserted");
        processes.start();
        startMain();
        awaitProgress();
        checkRows(port, "nothing acknowledged was lost: " + ledger.acknowledged() + " rows so far, and COMMITs return");
    }

    private PostgresServer postgresOf(String branch) throws IOException, InterruptedException {
        Path dataDir = directory.layout().computeDir(branch).resolve("data");
        return PostgresServer.open(
                directory.binaries(directory.branches().require(branch).pgMajor()), ServerUser.current(), dataDir);
    }

    private void killTwoAndBringThemBack() throws IOException, InterruptedException {
        processes.safekeeper(1).kill();
        processes.safekeeper(3).kill();
        CompletableFuture<Void> commit = CompletableFuture.runAsync(
                () -> {
                    try {
                        run(port, "INSERT INTO ledger VALUES (-1, 0, 'waits for a quorum')");
                    } catch (SQLException e) {
                        throw new CompletionException(e);
                    }
                },
                Thread::startVirtualThread);
        try {
            commit.get(WAIT_WATCHED.toMillis(), TimeUnit.MILLISECONDS);
            throw new ClusterException("a COMMIT returned although two of three safekeepers were dead");
        } catch (TimeoutException itWaits) {
            passed("safekeepers 1 and 3 were killed; a COMMIT did not return in the " + WAIT_WATCHED.toSeconds()
                    + " s it was watched");
        } catch (ExecutionException e) {
            throw new ClusterException("a COMMIT without a quorum failed, it should wait: " + e.getCause(), e);
        }
        processes.launchSafekeeper(3);
        processes.awaitSafekeeper(3);
        try {
            commit.get(PROGRESS_DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            throw new ClusterException("the COMMIT did not return although two of three safekeepers ran again", e);
        }
        passed("safekeeper 3 was started again, and that COMMIT returned");
        processes.launchSafekeeper(1);
        processes.awaitSafekeeper(1);
    }

    private void checkRows(int onPort, String what) throws IOException, SQLException {
        try (Connection connection = connect(onPort)) {
            List<String> missing = ledger.missing(connection);
            if (!missing.isEmpty()) {
                throw new ClusterException(
                        missing.size() + " acknowledged rows are missing, first " + missing.getFirst());
            }
        }
        passed(what);
    }

    private void branchAtAPastSecond() throws IOException, InterruptedException, SQLException {
        OffsetDateTime moment;
        try (Connection connection = connect(port);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT clock_timestamp()")) {
            rows.next();
            moment = rows.getObject(1, OffsetDateTime.class);
        }
        run(port, "DELETE FROM ledger");
        passed("all rows of main were deleted, at a moment after " + moment);
        long begun = System.nanoTime();
        Branches.Created made = new Branches(directory).create(PAST, MAIN, new BranchTime.AtMoment(moment.toInstant()));
        passed("branch " + PAST + " was made of main at that moment, LSN " + made.lsn() + ", in "
                + (System.nanoTime() - begun) / 1_000_000 + " ms");
        begun = System.nanoTime();
        int pastPort = computes.start(PAST, 0, Map.of(), phase -> {}).port();
        passed("a second PostgreSQL runs on branch " + PAST + ", after " + seconds(begun) + " s");
        checkRows(pastPort, "there all " + ledger.acknowledged() + " rows are");
        run(pastPort, "CREATE TABLE only_here AS SELECT count(*) AS rows FROM ledger");
        run(port, "INSERT INTO ledger VALUES (-2, 0, 'main goes on')");
        computes.stop(PAST);
        pastPort = computes.start(PAST, pastPort, Map.of(), phase -> {}).port();
        try (Connection main = connect(port);
                Connection past = connect(pastPort)) {
            require("1", one(main, "SELECT count(*) FROM ledger"), "rows of main");
            require("f", one(main, "SELECT to_regclass('only_here') IS NOT NULL"), "the branch's table on main");
            require(
                    one(past, "SELECT count(*) FROM ledger"),
                    one(past, "SELECT rows FROM only_here"),
                    "rows of the branch after its restart");
        }
        passed("both go their own way, also after a restart of the branch's compute");
    }

    private static void require(String wanted, String have, String what) throws IOException {
        if (!wanted.equals(have)) {
            throw new ClusterException(what + ": " + have + " instead of " + wanted);
        }
    }
}
