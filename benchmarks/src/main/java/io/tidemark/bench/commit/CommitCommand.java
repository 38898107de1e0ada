package io.tidemark.bench.commit;

import io.tidemark.bench.harness.BenchOptions;
import io.tidemark.bench.harness.Contender;
import io.tidemark.bench.harness.CpuClock;
import io.tidemark.bench.harness.Metric;
import io.tidemark.bench.harness.Sample;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.bench.harness.Target;
import io.tidemark.bench.wal.Pgbench;
import io.tidemark.bench.wal.WalSample;
import io.tidemark.cli.cluster.ClusterDirectory;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.cli.cluster.ProcessCluster;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidemark bench commit}: pgbench on one PostgreSQL with three kinds of synchronous standby. */
@Command(
        name = "commit",
        mixinStandardHelpOptions = true,
        description =
                "TPC-B by pgbench: one PostgreSQL, with one and with three pg_receivewal --synchronous, with three safekeepers, with nobody.",
        footer = {
            "",
            "The safekeepers, the shim and pg_receivewal are processes of their own, on the disk of --dir, and fsync. PostgreSQL is",
            "one and the same, with synchronous_commit=on; only who stands by changes between turns, and whoever does not take the",
            "turn has nothing to do. CPU is that of the standby's side (shim and three safekeepers, or pg_receivewal) per transaction."
        })
public final class CommitCommand implements Callable<Integer> {
    private static final Metric LATENCY = new Metric("latency, mean", "ms", 2);
    private static final Metric STANDBY_CPU = new Metric("CPU of the standby's side", "ms/tx", 3);
    private static final Metric STANDBY_CPU_PER_WAL = new Metric("CPU of the standby's side", "ms/MB of WAL", 2);
    private static final Map<String, String> SETTINGS = Map.of(
            "shared_buffers", "512MB",
            "max_wal_size", "32GB",
            "checkpoint_timeout", "1h",
            // Vacuum comes when it likes, which is not in the same turn of each round.
            "autovacuum", "off",
            "wal_keep_size", "16GB",
            // The shim is stopped for longer between its turns.
            "wal_sender_timeout", "0");
    private static final String RECEIVEWAL = "pg_receivewal --synchronous";
    private static final String RECEIVEWALS = "three pg_receivewal, any two";
    private static final String QUORUM = "three safekeepers";
    private static final String NOBODY = "no standby";
    private static final double TARGET = 0.9;

    @Mixin
    BenchOptions options = new BenchOptions();

    @Option(
            names = "--clients",
            paramLabel = "N,...",
            split = ",",
            description = "pgbench's clients, one comparison each (default ${DEFAULT-VALUE}).")
    List<Integer> clients = List.of(1, 4, 16);

    @Option(names = "--seconds", paramLabel = "N", description = "How long each turn takes (default ${DEFAULT-VALUE}).")
    int seconds = 15;

    @Option(names = "--scale", paramLabel = "N", description = "pgbench's scale (default ${DEFAULT-VALUE}).")
    int scale = 20;

    @Option(
            names = "--settle",
            paramLabel = "N",
            description = "Seconds of the same before them that are not counted (default ${DEFAULT-VALUE}).")
    int settle = 3;

    @Override
    public Integer call() throws Exception {
        try (ScratchDirectory scratch = options.scratch()) {
            ProcessCluster cluster = new ProcessCluster(ClusterDirectory.openOrCreate(
                    scratch.resolve("cluster"),
                    ClusterOptions.defaults()
                            .withAnyPorts()
                            .withPgMajor(WalSample.PG_MAJOR)
                            .withPostgresSettings(SETTINGS)));
            cluster.start();
            try (Standbys standbys =
                    new Standbys(cluster, options.pgTool("pg_receivewal"), scratch.resolve("receivewal"))) {
                Pgbench pgbench = new Pgbench(options.pgTool("pgbench"), cluster.postgres());
                pgbench.initialize(scale);
                standbys.stopAll();
                for (int count : clients) {
                    compare(cluster, pgbench, standbys, count);
                }
            } finally {
                cluster.stop();
            }
            return 0;
        }
    }

    private void compare(ProcessCluster cluster, Pgbench pgbench, Standbys standbys, int count) throws Exception {
        options.compare(
                "commit, %d %s, %d s per turn".formatted(count, count == 1 ? "client" : "clients", seconds),
                List.of(
                        Contender.of(RECEIVEWAL, () -> turn(cluster, pgbench, count, standbys, standbys::receivewal)),
                        Contender.of(RECEIVEWALS, () -> turn(cluster, pgbench, count, standbys, standbys::receivewals)),
                        Contender.of(QUORUM, () -> turn(cluster, pgbench, count, standbys, standbys::quorum)),
                        Contender.of(NOBODY, () -> turn(cluster, pgbench, count, standbys, standbys::nobody))),
                List.of(
                        new Target(QUORUM, RECEIVEWAL, Metric.TPS, TARGET),
                        new Target(QUORUM, RECEIVEWALS, Metric.TPS, TARGET)));
    }

    private Sample turn(ProcessCluster cluster, Pgbench pgbench, int count, Standbys standbys, Standbys.Start start)
            throws Exception {
        List<Long> pids = start.run();
        try {
            PostgresProbe probe = new PostgresProbe(cluster.postgres());
            try (Connection connection = probe.connect();
                    Statement statement = connection.createStatement()) {
                statement.execute("CHECKPOINT");
            }
            pgbench.runFor(count, settle);
            Lsn walBefore = probe.flushLsn();
            Duration cpuBefore = cpu(pids);
            Pgbench.Result result = pgbench.runFor(count, seconds);
            double cpuMillis = cpu(pids).minus(cpuBefore).toMillis();
            double walMegabytes = probe.flushLsn().minus(walBefore) / 1e6;
            Sample sample = Sample.of(Metric.TPS, result.tps()).and(LATENCY, result.latencyMillis());
            return pids.isEmpty()
                    ? sample
                    : sample.and(STANDBY_CPU, cpuMillis / (result.tps() * seconds))
                            .and(STANDBY_CPU_PER_WAL, cpuMillis / walMegabytes);
        } finally {
            standbys.stopAll();
        }
    }

    private static Duration cpu(List<Long> pids) throws IOException {
        Duration sum = Duration.ZERO;
        for (long pid : pids) {
            sum = sum.plus(CpuClock.ofProcess(pid));
        }
        return sum;
    }
}
