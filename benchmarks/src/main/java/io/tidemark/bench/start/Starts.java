package io.tidemark.bench.start;

import io.tidemark.bench.cluster.StorageCluster;
import io.tidemark.bench.harness.Metric;
import io.tidemark.bench.harness.Program;
import io.tidemark.bench.harness.Sample;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.ComputeStatus;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Four ways to a PostgreSQL that answers, of the same database. Each turn leaves the disk as it found it. */
final class Starts {
    static final String MAIN = "measured";
    static final String COMPUTE = "compute start";
    static final String BRANCH = "branch create, compute start";
    static final String BASE_BACKUP = "pg_basebackup, start";
    static final String COPY = "cp -a, start";

    /** Of every PostgreSQL here; nothing has to survive. */
    static final Map<String, String> SETTINGS = Map.of("fsync", "off", "autovacuum", "off");

    private static final Metric SECONDS = new Metric("until the first answer", "s", 2);
    private static final Metric PROCESS_MILLIS = new Metric("of it: process and first query", "ms", 0);
    private static final Duration DEADLINE = Duration.ofMinutes(30);

    private final StorageCluster storage;
    private final PostgresServer source;
    private final String pgBasebackup;
    private final Path copy;
    private int branches;

    /**
     * For storage and a stock server that both run.
     *
     * @param copy where copies are made
     */
    Starts(StorageCluster storage, PostgresServer source, String pgBasebackup, Path copy) {
        this.storage = storage;
        this.source = source;
        this.pgBasebackup = pgBasebackup;
        this.copy = copy;
    }

    Sample compute() throws Exception {
        sync();
        return started(MAIN, System.nanoTime());
    }

    Sample branch() throws Exception {
        sync();
        String name = "branch" + ++branches;
        long begun = System.nanoTime();
        storage.branches().create(name, MAIN, new BranchTime.Head());
        Sample sample = started(name, begun);
        storage.branches().delete(name);
        return sample;
    }

    private Sample started(String branch, long begun) throws Exception {
        ComputeStatus status = storage.startCompute(branch, SETTINGS);
        ask(storage.postgres(branch));
        double millis = (System.nanoTime() - begun) / 1e6;
        Sample sample = Sample.of(SECONDS, millis / 1e3);
        for (ComputeStatus.Phase phase : status.phases()) {
            sample = sample.and(new Metric("of it: " + phase.name(), "ms", 0), (double) phase.millis());
            millis -= phase.millis();
        }
        storage.stopCompute(branch);
        storage.awaitQuiet();
        return sample.and(PROCESS_MILLIS, millis);
    }

    Sample baseBackup() throws Exception {
        sync();
        long begun = System.nanoTime();
        Program.run(
                List.of(
                        pgBasebackup,
                        "--host=" + source.host(),
                        "--port=" + source.port(),
                        "--username=postgres",
                        "--pgdata=" + copy,
                        "--checkpoint=fast",
                        "--wal-method=stream",
                        "--no-sync"),
                DEADLINE);
        return startCopy(begun);
    }

    Sample copy() throws Exception {
        source.stop(PostgresServer.Shutdown.FAST, DEADLINE);
        sync();
        long begun = System.nanoTime();
        Program.run(List.of("cp", "-a", source.dataDir().toString(), copy.toString()), DEADLINE);
        Sample sample = startCopy(begun);
        source.start();
        return sample;
    }

    private Sample startCopy(long begun) throws IOException, InterruptedException, SQLException {
        try (PostgresServer server = PostgresServer.adopt(source.binaries(), ServerUser.current(), copy)) {
            server.configure(SETTINGS);
            server.listenOn(freePort());
            server.start();
            ask(server);
            return Sample.of(SECONDS, (System.nanoTime() - begun) / 1e9);
        } finally {
            ScratchDirectory.deleteTree(copy);
        }
    }

    private static void sync() throws IOException, InterruptedException {
        Program.run(List.of("sync"), DEADLINE);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static void ask(PostgresServer server) throws SQLException {
        try (Connection connection = DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT abalance FROM pgbench_accounts WHERE aid = 4711")) {
            rows.next();
        }
    }
}
