package io.tidemark.bench.compute;

import io.tidemark.bench.harness.Metric;
import io.tidemark.bench.harness.Program;
import io.tidemark.bench.harness.Sample;
import io.tidemark.bench.wal.Pgbench;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;

/**
 * What every contender does in its turn: some seconds that do not count, a checkpoint, and the seconds that do.
 *
 * <p>The checkpoint comes right before them, so that with full_page_writes the first change of each page is in the turn, as it is after
 * every checkpoint of a server that is used.
 */
record Turn(String pgbench, Kind kind, int clients, int seconds, int settleSeconds) {
    static final Metric LATENCY = new Metric("latency, mean", "ms", 2);
    static final Metric WAL_BYTES = new Metric("WAL per transaction", "bytes", 0);
    static final Metric CPU = new Metric("CPU of what keeps the WAL", "ms/tx", 3);

    private static final Duration SYNC_DEADLINE = Duration.ofMinutes(5);

    /** The transactions of pgbench. */
    enum Kind {
        TPC_B,
        SELECT_ONLY
    }

    /** CPU time so far of the processes behind a server that keep its WAL. */
    interface CpuOf {
        Duration now() throws IOException;
    }

    Sample on(PostgresServer server, CpuOf cpu) throws Exception {
        Pgbench load = new Pgbench(pgbench, server);
        if (settleSeconds > 0) {
            run(load, settleSeconds);
        }
        PostgresProbe probe = new PostgresProbe(server);
        try (Connection connection = probe.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("CHECKPOINT");
        }
        // What others have left dirty is nobody's turn.
        Program.run(List.of("sync"), SYNC_DEADLINE);
        Lsn walBefore = probe.flushLsn();
        Duration cpuBefore = cpu.now();
        Pgbench.Result result = run(load, seconds);
        double cpuMillis = cpu.now().minus(cpuBefore).toNanos() / 1e6;
        double transactions = result.tps() * seconds;
        Sample sample = Sample.of(Metric.TPS, result.tps()).and(LATENCY, result.latencyMillis());
        if (kind == Kind.SELECT_ONLY) {
            return sample;
        }
        sample = sample.and(WAL_BYTES, probe.flushLsn().minus(walBefore) / transactions);
        // Nothing is behind a server that stands alone.
        return cpuMillis > 0 ? sample.and(CPU, cpuMillis / transactions) : sample;
    }

    private Pgbench.Result run(Pgbench load, int forSeconds) throws IOException, InterruptedException {
        return kind == Kind.SELECT_ONLY ? load.selectFor(clients, forSeconds) : load.runFor(clients, forSeconds);
    }
}
