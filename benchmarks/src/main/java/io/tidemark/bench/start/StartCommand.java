package io.tidemark.bench.start;

import io.tidemark.bench.harness.BenchOptions;
import io.tidemark.bench.harness.Contender;
import io.tidemark.bench.harness.Metric;
import io.tidemark.bench.harness.Program;
import io.tidemark.bench.harness.Sample;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.bench.harness.Target;
import io.tidemark.bench.wal.Pgbench;
import io.tidemark.bench.wal.WalSample;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StartListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidemark bench start}: from nothing to the first answer of a PostgreSQL. */
@Command(
        name = "start",
        mixinStandardHelpOptions = true,
        description =
                "Time from nothing to the first answer: a compute on storage, a branch with its compute, pg_basebackup, cp -a.",
        footer = {
            "",
            "All with fsync off and one database of pgbench. The compute elects, waits for the pageserver, fetches its data",
            "directory and starts; pg_basebackup copies a running server (-c fast, -X stream) and starts; cp copies a stopped one",
            "and starts. Safekeepers and pageserver run in this process, beside the measurement."
        })
public final class StartCommand implements Callable<Integer> {
    private static final Metric SECONDS = new Metric("until the first answer", "s", 2);
    private static final Metric BRANCH_MILLIS = new Metric("branch creation", "ms", 1);
    private static final Duration DEADLINE = Duration.ofMinutes(30);
    private static final String MAIN = "measured";
    private static final String COMPUTE = "compute start";
    private static final String BRANCH = "branch create, compute start";
    private static final String BASE_BACKUP = "pg_basebackup, start";
    private static final String COPY = "cp -a, start";
    private static final Map<String, String> SETTINGS = Map.of("fsync", "off", "autovacuum", "off");

    @Mixin
    BenchOptions options = new BenchOptions();

    @Option(
            names = "--scale",
            paramLabel = "N",
            description = "pgbench's scale; a unit is about 15 MB of files (default ${DEFAULT-VALUE}).")
    int scale = 6;

    private int branches;

    @Override
    public Integer call() throws Exception {
        PostgresBinaries binaries = PostgresArchives.configured().require(WalSample.PG_MAJOR);
        try (ScratchDirectory scratch = options.scratch()) {
            Path stopped = scratch.resolve("stopped");
            try (PostgresServer source = PostgresServer.create(
                    binaries, ServerUser.current(), scratch.resolve("source"), InitDbOptions.defaults())) {
                source.configure(SETTINGS);
                source.start();
                new Pgbench(options.pgTool("pgbench"), source).initialize(scale);
                source.stop(PostgresServer.Shutdown.FAST, DEADLINE);
                copy(source.dataDir(), stopped);
                source.start();
                try (EmbeddedStorage storage = EmbeddedStorage.start(StorageDirectory.openOrCreate(
                        scratch.resolve("storage"),
                        ClusterOptions.defaults().withAnyPorts().withPgMajor(WalSample.PG_MAJOR)))) {
                    new Branches(storage.directory()).importStopped(MAIN, WalSample.PG_MAJOR, stopped);
                    storage.directory()
                            .pageserver()
                            .checkpoint(
                                    storage.directory().branches().require(MAIN).timelineId());
                    compare(storage, source, stopped, scratch.resolve("copy"), binaries);
                }
            }
            return 0;
        }
    }

    private void compare(
            EmbeddedStorage storage, PostgresServer source, Path stopped, Path copy, PostgresBinaries binaries)
            throws Exception {
        long bytes;
        try (Stream<Path> files = Files.walk(stopped)) {
            bytes = files.filter(file -> !file.startsWith(stopped.resolve("pg_wal")))
                    .mapToLong(file -> file.toFile().isFile() ? file.toFile().length() : 0)
                    .sum();
        }
        options.compare(
                "start, %.0f MB of files".formatted(bytes / 1e6),
                List.of(
                        Contender.of(BASE_BACKUP, () -> copied(copy, binaries, () -> baseBackup(source, copy))),
                        Contender.of(COPY, () -> copied(copy, binaries, () -> copy(stopped, copy))),
                        Contender.of(COMPUTE, () -> compute(storage)),
                        Contender.of(BRANCH, () -> branch(storage))),
                List.of(new Target(BASE_BACKUP, COMPUTE, SECONDS, 1)));
    }

    private static Sample compute(EmbeddedStorage storage) throws Exception {
        long begun = System.nanoTime();
        ask(storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE).postgres());
        Sample sample = Sample.of(SECONDS, seconds(begun));
        storage.killCompute(MAIN);
        return sample;
    }

    private Sample branch(EmbeddedStorage storage) throws Exception {
        String name = "branch" + ++branches;
        long begun = System.nanoTime();
        new Branches(storage.directory()).create(name, MAIN, new BranchTime.Head());
        double created = seconds(begun);
        ask(storage.startCompute(name, 0, SETTINGS, StartListener.NONE).postgres());
        Sample sample = Sample.of(SECONDS, seconds(begun)).and(BRANCH_MILLIS, created * 1e3);
        storage.killCompute(name);
        new Branches(storage.directory()).delete(name);
        return sample;
    }

    private interface Copying {
        void run() throws IOException, InterruptedException;
    }

    private static Sample copied(Path copy, PostgresBinaries binaries, Copying copying) throws Exception {
        ScratchDirectory.deleteTree(copy);
        long begun = System.nanoTime();
        copying.run();
        try (PostgresServer server = PostgresServer.adopt(binaries, ServerUser.current(), copy)) {
            server.configure(SETTINGS);
            server.listenOn(freePort());
            server.start();
            ask(server);
            return Sample.of(SECONDS, seconds(begun));
        }
    }

    private static int freePort() throws IOException {
        try (java.net.ServerSocket socket = new java.net.ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private void baseBackup(PostgresServer source, Path target) throws IOException, InterruptedException {
        Program.run(
                List.of(
                        options.pgTool("pg_basebackup"),
                        "--host=" + source.host(),
                        "--port=" + source.port(),
                        "--username=postgres",
                        "--pgdata=" + target,
                        "--checkpoint=fast",
                        "--wal-method=stream",
                        "--no-sync"),
                DEADLINE);
    }

    private static void copy(Path from, Path to) throws IOException, InterruptedException {
        Program.run(List.of("cp", "-a", from.toString(), to.toString()), DEADLINE);
    }

    private static void ask(PostgresServer server) throws SQLException {
        try (Connection connection = DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT abalance FROM pgbench_accounts WHERE aid = 4711")) {
            rows.next();
        }
    }

    private static double seconds(long begun) {
        return (System.nanoTime() - begun) / 1e9;
    }
}
