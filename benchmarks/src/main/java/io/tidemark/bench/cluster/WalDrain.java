package io.tidemark.bench.cluster;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.replication.WalSenderMessage;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/** A client of START_REPLICATION that looks at where WAL begins and ends, and throws it away. */
public final class WalDrain implements CopyHandler {
    private final Lsn endLsn;
    private final CompletableFuture<Lsn> reached = new CompletableFuture<>();
    private Lsn position;

    private WalDrain(Lsn startLsn, Lsn endLsn) {
        this.position = startLsn;
        this.endLsn = endLsn;
    }

    /**
     * Reads a range and returns when all of it has come.
     *
     * @param server any server that speaks physical replication
     */
    public static void read(Clients clients, PgClientConfig server, Lsn startLsn, Lsn endLsn)
            throws IOException, InterruptedException {
        PgConnection connection = clients.connect(server);
        try {
            WalDrain drain = new WalDrain(startLsn, endLsn);
            Clients.await(connection.copy("START_REPLICATION PHYSICAL " + startLsn, drain));
            Clients.await(drain.reached);
        } finally {
            connection.close();
        }
    }

    @Override
    public void onCopyData(ByteBuf data) {
        switch (WalSenderMessage.decode(data)) {
            case WalSenderMessage.XLogData message -> {
                int bytes = message.wal().readableBytes();
                message.wal().release();
                if (!message.startLsn().equals(position)) {
                    reached.completeExceptionally(
                            new IOException("WAL at " + message.startLsn() + " came, not at " + position));
                }
                position = position.plus(bytes);
                if (position.isAtLeast(endLsn)) {
                    reached.complete(position);
                }
            }
            case WalSenderMessage.Keepalive keepalive -> {}
        }
    }

    @Override
    public void onCopyEnd(CopyEnd how) {
        reached.completeExceptionally(new IOException("the server has ended the stream at " + position + ": " + how));
    }
}
