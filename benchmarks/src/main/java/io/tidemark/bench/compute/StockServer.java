package io.tidemark.bench.compute;

import io.tidemark.bench.cluster.ReceiveWal;
import io.tidemark.bench.harness.CpuClock;
import io.tidemark.bench.harness.Sample;
import io.tidemark.shim.postgres.PostgresServer;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;

/** A stock PostgreSQL with its own disk, and now and then a synchronous standby. */
final class StockServer implements AutoCloseable {
    private final PostgresServer server;
    private final ReceiveWal receivewal;

    /** For a server that runs. */
    StockServer(PostgresServer server, ReceiveWal receivewal) {
        this.server = server;
        this.receivewal = receivewal;
    }

    /** fsync to the local disk, and nobody else. */
    Sample alone(Turn turn, boolean fullPageWrites) throws Exception {
        configure(fullPageWrites);
        return turn.on(server, () -> Duration.ZERO);
    }

    /** The same, and pg_receivewal has synced it, too. */
    Sample withReceivewal(Turn turn) throws Exception {
        configure(true);
        long pid = receivewal.start(1).getFirst();
        try {
            return turn.on(server, () -> CpuClock.ofProcess(pid));
        } finally {
            server.configure(Map.of("synchronous_standby_names", ""));
            server.reload();
            receivewal.stop();
        }
    }

    private void configure(boolean fullPageWrites) throws IOException, InterruptedException {
        server.configure(Map.of("synchronous_standby_names", "", "full_page_writes", fullPageWrites ? "on" : "off"));
        server.reload();
    }

    @Override
    public void close() throws Exception {
        receivewal.close();
    }
}
