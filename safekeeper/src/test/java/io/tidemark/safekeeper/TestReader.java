package io.tidemark.safekeeper;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.replication.WalReceiverMessage;
import io.tidemark.wire.replication.WalSenderMessage;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A client of START_REPLICATION that collects WAL, and checks that it comes without a gap and cut where it may be. */
public final class TestReader implements CopyHandler, AutoCloseable {
    private final PgConnection connection;
    private final ByteArrayOutputStream wal = new ByteArrayOutputStream();
    private final List<Lsn> announcedEnds = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();
    private final CompletableFuture<CopyEnd> end = new CompletableFuture<>();
    private Lsn position;
    private int keepalives;

    private TestReader(PgConnection connection, Lsn start) {
        this.connection = connection;
        this.position = start;
    }

    /** {@code suffix} is what follows the LSN in the command. */
    public static TestReader start(
            TestSafekeeper safekeeper, TenantTimelineId ttid, String applicationName, Lsn start, String suffix)
            throws Exception {
        PgConnection connection = safekeeper.connect(ttid, applicationName);
        TestReader reader = new TestReader(connection, start);
        TestSafekeeper.await(connection.copy("START_REPLICATION PHYSICAL " + start + suffix, reader));
        return reader;
    }

    @Override
    public synchronized void onCopyData(ByteBuf data) {
        switch (WalSenderMessage.decode(data)) {
            case WalSenderMessage.XLogData message -> {
                int bytes = message.wal().readableBytes();
                Lsn chunkEnd = message.startLsn().plus(bytes);
                if (!message.startLsn().equals(position)) {
                    problems.add("gap: expected " + position + ", got " + message.startLsn());
                }
                if (bytes > 131_072 || (!chunkEnd.equals(message.endLsn()) && chunkEnd.pageOffset() != 0)) {
                    problems.add("chunk " + message.startLsn() + " to " + chunkEnd + " of " + message.endLsn());
                }
                byte[] copy = new byte[bytes];
                message.wal().readBytes(copy);
                message.wal().release();
                wal.writeBytes(copy);
                announcedEnds.add(message.endLsn());
                position = chunkEnd;
            }
            case WalSenderMessage.Keepalive keepalive -> {
                keepalives++;
                announcedEnds.add(keepalive.endLsn());
            }
        }
        notifyAll();
    }

    @Override
    public synchronized void onCopyEnd(CopyEnd how) {
        end.complete(how);
        notifyAll();
    }

    public void say(WalReceiverMessage message) {
        connection.writeAndFlush(CopyFrames.frame(connection.channel().alloc(), 64, message::encode));
    }

    /** Everything received, when it reaches {@code lsn}. */
    public synchronized byte[] awaitUpTo(Lsn lsn) throws InterruptedException {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (position.isBefore(lsn)) {
            if (end.isDone() || System.nanoTime() > deadline) {
                throw new AssertionError("WAL ends at " + position + ", before " + lsn + "; " + end);
            }
            wait(1000);
        }
        if (!problems.isEmpty()) {
            throw new AssertionError(problems.toString());
        }
        return wal.toByteArray();
    }

    public synchronized void awaitKeepalives(int count) throws InterruptedException {
        long deadline = System.nanoTime() + 20_000_000_000L;
        int wanted = keepalives + count;
        while (keepalives < wanted) {
            if (end.isDone() || System.nanoTime() > deadline) {
                throw new AssertionError(keepalives + " keepalives instead of " + wanted + "; " + end);
            }
            wait(1000);
        }
    }

    public synchronized Lsn position() {
        return position;
    }

    public synchronized Lsn lastAnnouncedEnd() {
        return announcedEnds.getLast();
    }

    public CompletableFuture<CopyEnd> end() {
        return end;
    }

    public PgConnection connection() {
        return connection;
    }

    @Override
    public void close() {
        connection.close();
    }
}
