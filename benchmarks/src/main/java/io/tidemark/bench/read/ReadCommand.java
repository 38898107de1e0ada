package io.tidemark.bench.read;

import io.tidemark.bench.cluster.Clients;
import io.tidemark.bench.cluster.WalDrain;
import io.tidemark.bench.harness.BenchOptions;
import io.tidemark.bench.harness.Contender;
import io.tidemark.bench.harness.CpuClock;
import io.tidemark.bench.harness.Metric;
import io.tidemark.bench.harness.Program;
import io.tidemark.bench.harness.Sample;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.bench.harness.Target;
import io.tidemark.bench.wal.Pgbench;
import io.tidemark.bench.wal.WalSample;
import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterDirectory;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.cli.cluster.ProcessCluster;
import io.tidemark.cli.cluster.SafekeeperProbe.TimelineStatus;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.StartupOptions;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.WalSegmentName;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidemark bench read}: START_REPLICATION from a safekeeper beside the same from PostgreSQL. */
@Command(
        name = "read",
        mixinStandardHelpOptions = true,
        description = "Read the same WAL by START_REPLICATION from a safekeeper and from the PostgreSQL that wrote it.",
        footer = {
            "",
            "Twice: with a client of ours that throws the WAL away, and with pg_receivewal --no-sync --endpos, which writes files.",
            "CPU is that of the server's side. A safekeeper checks the CRC of each record before it gives it out."
        })
public final class ReadCommand implements Callable<Integer> {
    private static final Duration DEADLINE = Duration.ofMinutes(10);
    private static final Duration LEVEL_DEADLINE = Duration.ofMinutes(5);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration SETTLE = Duration.ofMillis(500);
    private static final long SAFEKEEPER_ID = 1;
    private static final int SEGMENT_BYTES = 16 << 20;
    private static final String FROM_POSTGRES = "PostgreSQL";
    private static final String FROM_SAFEKEEPER = "safekeeper";

    @Mixin
    BenchOptions options = new BenchOptions();

    @Option(
            names = "--scale",
            paramLabel = "N",
            description = "pgbench's scale; a unit is about 13 MB of WAL (default ${DEFAULT-VALUE}).")
    int scale = 30;

    @Override
    public Integer call() throws Exception {
        try (ScratchDirectory scratch = options.scratch();
                Clients clients = new Clients()) {
            ProcessCluster cluster = new ProcessCluster(ClusterDirectory.openOrCreate(
                    scratch.resolve("cluster"),
                    ClusterOptions.defaults()
                            .withAnyPorts()
                            .withPgMajor(WalSample.PG_MAJOR)
                            .withPostgresSettings(
                                    Map.of("wal_keep_size", "16GB", "max_wal_size", "16GB", "fsync", "off"))));
            cluster.start();
            try {
                new Pgbench(options.pgTool("pgbench"), cluster.postgres()).initialize(scale);
                TimelineStatus timeline = awaitLevel(cluster);
                // pg_receivewal starts at a segment.
                Lsn start = Lsn.ofSegment(timeline.timelineStartLsn().segmentNumber(SEGMENT_BYTES) + 1, SEGMENT_BYTES);
                compare(scratch, clients, cluster, start, timeline.commitLsn());
            } finally {
                cluster.stop();
            }
            return 0;
        }
    }

    private static TimelineStatus awaitLevel(ProcessCluster cluster) throws Exception {
        Lsn end = new PostgresProbe(cluster.postgres()).flushLsn();
        long deadline = System.nanoTime() + LEVEL_DEADLINE.toNanos();
        while (true) {
            Optional<TimelineStatus> status = cluster.probe(SAFEKEEPER_ID)
                    .timeline(cluster.directory().config().timeline());
            if (status.isPresent() && status.get().commitLsn().isAtLeast(end)) {
                return status.get();
            }
            if (System.nanoTime() > deadline) {
                throw new IOException("the safekeeper does not reach " + end + ": " + status);
            }
            Thread.sleep(POLL);
        }
    }

    private void compare(ScratchDirectory scratch, Clients clients, ProcessCluster cluster, Lsn start, Lsn end)
            throws Exception {
        int postgresPort = cluster.postgres().port();
        SafekeeperPlace place = cluster.directory().config().safekeepers().getFirst();
        long safekeeperPid =
                cluster.safekeeper(SAFEKEEPER_ID).handle().orElseThrow().pid();
        long postgresPid = cluster.postgres().pid();
        String naming = StartupOptions.naming(cluster.directory().config().timeline());
        PgClientConfig postgres =
                PgClientConfig.of("127.0.0.1", postgresPort, "postgres").withParameter("replication", "true");
        PgClientConfig safekeeper =
                PgClientConfig.of("127.0.0.1", place.pgPort(), "postgres").withParameter("options", naming);
        long bytes = end.minus(start);
        options.compare(
                "read, client of ours, %.0f MB".formatted(bytes / 1e6),
                List.of(
                        Contender.of(
                                FROM_POSTGRES,
                                () -> measured(postgresPid, bytes, () -> WalDrain.read(clients, postgres, start, end))),
                        Contender.of(
                                FROM_SAFEKEEPER,
                                () -> measured(
                                        safekeeperPid, bytes, () -> WalDrain.read(clients, safekeeper, start, end)))),
                List.of(new Target(FROM_SAFEKEEPER, FROM_POSTGRES, Metric.MEGABYTES_PER_SECOND, 1)));
        options.compare(
                "read, pg_receivewal --no-sync, %.0f MB".formatted(bytes / 1e6),
                List.of(
                        Contender.of(
                                FROM_POSTGRES,
                                () -> measured(
                                        postgresPid,
                                        bytes,
                                        () -> receive(scratch.resolve("received"), postgresPort, "", start, end))),
                        Contender.of(
                                FROM_SAFEKEEPER,
                                () -> measured(
                                        safekeeperPid,
                                        bytes,
                                        () -> receive(
                                                scratch.resolve("received"), place.pgPort(), naming, start, end)))),
                List.of());
    }

    private interface Reading {
        void run() throws IOException, InterruptedException;
    }

    private static Sample measured(long serverPid, long bytes, Reading reading)
            throws IOException, InterruptedException {
        Duration cpu = CpuClock.ofTree(serverPid);
        long begun = System.nanoTime();
        reading.run();
        double seconds = (System.nanoTime() - begun) / 1e9;
        // A process that has just ended is counted when its parent has noticed.
        Thread.sleep(SETTLE);
        double cpuSeconds = Program.seconds(CpuClock.ofTree(serverPid).minus(cpu));
        return Sample.of(Metric.MEGABYTES_PER_SECOND, bytes / 1e6 / seconds)
                .and(Metric.CPU_MILLIS_PER_MEGABYTE, cpuSeconds * 1e3 / (bytes / 1e6));
    }

    private void receive(Path into, int port, String naming, Lsn start, Lsn end)
            throws IOException, InterruptedException {
        ScratchDirectory.deleteTree(into);
        Files.createDirectories(into);
        // It goes on after the last complete segment of its directory, and looks at nothing of it but name and size.
        Path before = into.resolve(
                WalSegmentName.holding(start.plus(-1), SEGMENT_BYTES).fileName());
        try (RandomAccessFile file = new RandomAccessFile(before.toFile(), "rw")) {
            file.setLength(SEGMENT_BYTES);
        }
        Program.run(
                List.of(
                        options.pgTool("pg_receivewal"),
                        "--directory=" + into,
                        "--no-sync",
                        "--no-loop",
                        // It ends when it has more than that.
                        "--endpos=" + end.plus(-1),
                        "--dbname=host=127.0.0.1 port=" + port + " user=postgres options='" + naming + "'"),
                DEADLINE);
    }
}
