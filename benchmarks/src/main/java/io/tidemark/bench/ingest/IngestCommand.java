package io.tidemark.bench.ingest;

import io.tidemark.bench.cluster.PageserverProcess;
import io.tidemark.bench.cluster.StorageSource;
import io.tidemark.bench.harness.BenchOptions;
import io.tidemark.bench.harness.Contender;
import io.tidemark.bench.harness.CpuClock;
import io.tidemark.bench.harness.Metric;
import io.tidemark.bench.harness.Program;
import io.tidemark.bench.harness.Sample;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.bench.harness.Target;
import io.tidemark.bench.wal.Pgbench;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.id.Lsn;
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
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidemark bench ingest}: from a safekeeper's socket to durable layers, beside a stock standby on the same stream. */
@Command(
        name = "ingest",
        mixinStandardHelpOptions = true,
        description = "Stream the same WAL from one safekeeper into a pageserver and into a stock standby.",
        footer = {
            "",
            "Both begin with the same base, which is there before the clock starts, and are told where the WAL is when it starts.",
            "The pageserver's clock stops when everything is in fsynced layer files, the standby's when everything is replayed.",
            "CPU is that of their processes; each is new in each round, so the pageserver's includes the JVM's compilation. The warm",
            "pageserver has ingested all of it once before, as one that runs for weeks has; it forgets the timeline and begins anew."
        })
public final class IngestCommand implements Callable<Integer> {
    private static final String PEER = "stock standby";
    private static final String OURS = "pageserver";
    private static final String WARM = "pageserver, warm";
    private static final int CLIENTS = 4;
    private static final Duration STOP_DEADLINE = Duration.ofMinutes(2);
    private static final Duration REPLAY_DEADLINE = Duration.ofHours(1);
    private static final Duration POLL = Duration.ofMillis(10);

    @Mixin
    BenchOptions options = new BenchOptions();

    @Option(names = "--scale", paramLabel = "N", description = "pgbench's scale (default ${DEFAULT-VALUE}).")
    int scale = 10;

    @Option(
            names = "--transactions",
            paramLabel = "N",
            description = "TPC-B transactions; 100000 are about 50 MB of WAL (default ${DEFAULT-VALUE}).")
    int transactions = 400_000;

    @Override
    public Integer call() throws Exception {
        try (ScratchDirectory scratch = options.scratch();
                StorageSource source = StorageSource.start(scratch.resolve("cluster"), Map.of())) {
            Pgbench pgbench = new Pgbench(options.pgTool("pgbench"), source.postgres());
            options.say("making WAL: scale " + scale + ", " + transactions + " transactions");
            pgbench.initialize(scale);
            Lsn start = source.awaitLevel();
            source.stopPostgres();
            Path base = scratch.resolve("base");
            StorageSource.copy(source.postgres().dataDir(), base);
            source.startPostgres();
            pgbench.runTimes(CLIENTS, Math.max(1, transactions / CLIENTS));
            Lsn end = source.awaitLevel();
            source.stopPostgres(); // so that it does not work beside those who are measured
            long bytes = end.minus(start);
            options.compare(
                    "ingest, %.0f MB of WAL".formatted(bytes / 1e6),
                    List.of(
                            Contender.of(PEER, () -> standby(source, base, scratch.resolve("standby"), end, bytes)),
                            Contender.of(OURS, () -> pageserver(source, base, scratch.resolve("ps"), end, bytes)),
                            Contender.of(WARM, () -> warmPageserver(source, base, scratch.resolve("ps"), end, bytes))),
                    List.of(new Target(WARM, PEER, Metric.MEGABYTES_PER_SECOND, 1.5)));
            return 0;
        }
    }

    private static Sample sample(long bytes, long begunNanos, Duration cpu) {
        double seconds = (System.nanoTime() - begunNanos) / 1e9;
        return Sample.of(Metric.MEGABYTES_PER_SECOND, bytes / 1e6 / seconds)
                .and(Metric.CPU_MILLIS_PER_MEGABYTE, Program.seconds(cpu) * 1e3 / (bytes / 1e6));
    }

    private static Sample pageserver(StorageSource source, Path base, Path dataDir, Lsn end, long bytes)
            throws IOException, InterruptedException {
        ScratchDirectory.deleteTree(dataDir);
        // Once without safekeepers: the import is not what is measured.
        try (PageserverProcess pageserver = PageserverProcess.start(dataDir, List.of())) {
            pageserver.importTimeline(source.timelineId(), base);
        }
        try (PageserverProcess pageserver =
                PageserverProcess.start(dataDir, List.of("--safekeepers=" + source.safekeepers()))) {
            return ingest(pageserver, source, end, bytes);
        } finally {
            ScratchDirectory.deleteTree(dataDir);
        }
    }

    /** It streams as soon as the import is done: what it does before the answer to that arrives is not measured, some milliseconds. */
    private static Sample warmPageserver(StorageSource source, Path base, Path dataDir, Lsn end, long bytes)
            throws IOException, InterruptedException {
        ScratchDirectory.deleteTree(dataDir);
        try (PageserverProcess pageserver =
                PageserverProcess.start(dataDir, List.of("--safekeepers=" + source.safekeepers()))) {
            pageserver.importTimeline(source.timelineId(), base);
            ingest(pageserver, source, end, bytes);
            pageserver.delete(source.timelineId());
            pageserver.importTimeline(source.timelineId(), base);
            return ingest(pageserver, source, end, bytes);
        } finally {
            ScratchDirectory.deleteTree(dataDir);
        }
    }

    private static Sample ingest(PageserverProcess pageserver, StorageSource source, Lsn end, long bytes)
            throws IOException, InterruptedException {
        long begun = System.nanoTime();
        Duration cpu = CpuClock.ofProcess(pageserver.pid());
        pageserver.awaitIngested(source.timelineId(), end);
        pageserver.checkpoint(source.timelineId());
        return sample(bytes, begun, CpuClock.ofProcess(pageserver.pid()).minus(cpu));
    }

    private static Sample standby(StorageSource source, Path base, Path dataDir, Lsn end, long bytes)
            throws IOException, InterruptedException, SQLException {
        ScratchDirectory.deleteTree(dataDir);
        StorageSource.copy(base, dataDir);
        ServerUser user = ServerUser.current();
        Path signal = dataDir.resolve("standby.signal");
        Files.writeString(signal, "");
        user.own(signal);
        try (PostgresServer standby = PostgresServer.adopt(source.postgres().binaries(), user, dataDir)) {
            standby.configure(Map.of(
                    "primary_conninfo", "",
                    "synchronous_standby_names", "",
                    "fsync", "on",
                    "hot_standby", "on",
                    "max_standby_streaming_delay", "-1", // the question how far it is must not be cancelled
                    "wal_retrieve_retry_interval", "10ms"));
            standby.start();
            try (Connection connection = DriverManager.getConnection(standby.jdbcUrl("postgres"), "postgres", "");
                    Statement statement = connection.createStatement()) {
                Duration cpu = CpuClock.ofTree(standby.pid());
                standby.configure(Map.of("primary_conninfo", source.conninfo()));
                long begun = System.nanoTime();
                standby.reload();
                awaitReplayed(statement, end);
                return sample(bytes, begun, CpuClock.ofTree(standby.pid()).minus(cpu));
            } finally {
                standby.stop(PostgresServer.Shutdown.IMMEDIATE, STOP_DEADLINE);
            }
        } finally {
            ScratchDirectory.deleteTree(dataDir);
        }
    }

    private static void awaitReplayed(Statement statement, Lsn end)
            throws SQLException, IOException, InterruptedException {
        long deadline = System.nanoTime() + REPLAY_DEADLINE.toNanos();
        while (true) {
            try (ResultSet row = statement.executeQuery("SELECT coalesce(pg_last_wal_replay_lsn(), '0/0')::text")) {
                row.next();
                if (Lsn.parse(row.getString(1)).isAtLeast(end)) {
                    return;
                }
            }
            if (System.nanoTime() > deadline) {
                throw new IOException("the standby does not reach " + end);
            }
            Thread.sleep(POLL);
        }
    }
}
