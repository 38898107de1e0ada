package io.tidemark.shim.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.tidemark.shim.libpq.CopyStream;
import io.tidemark.shim.libpq.Ending;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.WalReceiverMessage;
import io.tidemark.wire.replication.WalSenderMessage;
import java.util.ArrayDeque;

/**
 * WAL from somewhere else than memory, from one position on: a donor safekeeper or PostgreSQL itself, read with
 * START_REPLICATION at the pace of whoever takes it.
 *
 * <p>Owner: the event loop. Holds at most {@link #MAX_HELD_BYTES} and what one read brings; then it stops reading its socket.
 */
public final class WalFeed implements CopyStream.Handler, AutoCloseable {
    /** Bytes held before the socket is left alone. */
    public static final int MAX_HELD_BYTES = 1 << 20;

    private static final int STATUS_BYTES = 34;

    // Beyond that many pieces a composite buffer copies them into one.
    private static final int MAX_COMPONENTS = 16;

    /** Told on the event loop. */
    public interface Listener {
        /** More can be taken. */
        void walArrived(WalFeed feed);

        /** Nothing more will come; not told after {@link #close}. */
        void failed(WalFeed feed, String reason);
    }

    private final String name;
    private final Listener listener;
    private final boolean answersKeepalives;
    private final ArrayDeque<ByteBuf> parts = new ArrayDeque<>();
    private final CopyStream stream;
    private Lsn takenLsn;
    private Lsn receivedLsn;
    private long lastHeardMillis = nowMillis();
    private boolean reading = true;
    private boolean asked;
    private boolean closed;

    private WalFeed(
            EventLoop loop,
            PgClientConfig endpoint,
            String command,
            Lsn start,
            boolean answersKeepalives,
            Listener listener) {
        this.name = endpoint.toString();
        this.listener = listener;
        this.answersKeepalives = answersKeepalives;
        this.takenLsn = start;
        this.receivedLsn = start;
        this.stream = CopyStream.open(loop, endpoint, command, this);
    }

    /** From a safekeeper, up to its flush_lsn as long as its log is of {@code term}. */
    public static WalFeed fromDonor(EventLoop loop, PgClientConfig donor, Lsn start, Term term, Listener listener) {
        String command = "START_REPLICATION PHYSICAL " + start + " (term='" + term + "')";
        return new WalFeed(loop, donor, command, start, false, listener);
    }

    /** From a safekeeper, up to its commit_lsn. */
    public static WalFeed fromCommitted(EventLoop loop, PgClientConfig safekeeper, Lsn start, Listener listener) {
        return new WalFeed(loop, safekeeper, "START_REPLICATION PHYSICAL " + start, start, false, listener);
    }

    /** From a PostgreSQL, up to its flush position. */
    public static WalFeed fromPostgres(EventLoop loop, PgClientConfig postgres, Lsn start, Listener listener) {
        return new WalFeed(loop, postgres, "START_REPLICATION PHYSICAL " + start, start, true, listener);
    }

    /** The position of the next byte to be taken. */
    public Lsn takenLsn() {
        return takenLsn;
    }

    /** Where the WAL that has arrived ends. */
    public Lsn receivedLsn() {
        return receivedLsn;
    }

    /** Who gives. */
    public String name() {
        return name;
    }

    /**
     * Takes {@code bytes}, which must have arrived; the caller releases them.
     *
     * @throws IllegalArgumentException when fewer are here
     */
    public ByteBuf take(int bytes) {
        if (bytes > receivedLsn.minus(takenLsn)) {
            throw new IllegalArgumentException(bytes + " bytes asked, " + receivedLsn.minus(takenLsn) + " are here");
        }
        CompositeByteBuf taken = Unpooled.compositeBuffer(MAX_COMPONENTS);
        while (taken.readableBytes() < bytes) {
            ByteBuf first = parts.getFirst();
            taken.addComponent(
                    true, first.readRetainedSlice(Math.min(first.readableBytes(), bytes - taken.readableBytes())));
            if (!first.isReadable()) {
                parts.removeFirst().release();
            }
        }
        takenLsn = takenLsn.plus(bytes);
        if (receivedLsn.minus(takenLsn) < MAX_HELD_BYTES) {
            setReading(true);
        }
        return taken;
    }

    @Override
    public void opened() {
        // The first WAL comes by itself.
    }

    @Override
    public void received(ByteBuf message) {
        if (closed) {
            return;
        }
        lastHeardMillis = nowMillis();
        asked = false;
        WalSenderMessage decoded;
        try {
            decoded = WalSenderMessage.decode(message);
        } catch (InvalidMessageException e) {
            fail(String.valueOf(e.getMessage()));
            return;
        }
        switch (decoded) {
            case WalSenderMessage.XLogData data -> accept(data);
            case WalSenderMessage.Keepalive keepalive -> answer(keepalive);
        }
    }

    private void accept(WalSenderMessage.XLogData data) {
        ByteBuf wal = data.wal();
        if (!data.startLsn().equals(receivedLsn)) {
            wal.release();
            fail("sent WAL at " + data.startLsn() + " where " + receivedLsn + " was due");
            return;
        }
        receivedLsn = receivedLsn.plus(wal.readableBytes());
        parts.addLast(wal);
        if (receivedLsn.minus(takenLsn) >= MAX_HELD_BYTES) {
            setReading(false);
        }
    }

    private void answer(WalSenderMessage.Keepalive keepalive) {
        if (answersKeepalives && keepalive.replyRequested()) {
            say(false);
        }
    }

    private void say(boolean replyRequested) {
        // Nothing is confirmed: a feed reads what somebody else answers for.
        WalReceiverMessage status =
                new WalReceiverMessage.StandbyStatus(takenLsn, Lsn.INVALID, Lsn.INVALID, 0, replyRequested);
        stream.write(STATUS_BYTES, status::encode);
        stream.flush();
    }

    private void setReading(boolean on) {
        if (on && !reading) {
            lastHeardMillis = nowMillis();
        }
        reading = on;
        stream.setReading(on);
    }

    /**
     * Time passes: gives up a server that has said nothing for so long. Safekeepers say something each second; a PostgreSQL that has
     * nothing to send is asked at half time.
     */
    void tick(long silenceLimitMillis) {
        long silentMillis = nowMillis() - lastHeardMillis;
        if (closed || !reading) {
            return;
        }
        if (silentMillis >= silenceLimitMillis) {
            fail("has not said a word for " + silentMillis + " ms");
        } else if (answersKeepalives && !asked && silentMillis >= silenceLimitMillis / 2) {
            asked = true;
            say(true);
        }
    }

    private static long nowMillis() {
        return System.nanoTime() / 1_000_000;
    }

    @Override
    public void readComplete() {
        if (!closed && receivedLsn.isAfter(takenLsn)) {
            listener.walArrived(this);
        }
    }

    @Override
    public void writabilityChanged(boolean writable) {
        // A feed writes next to nothing.
    }

    @Override
    public void closed(Ending ending) {
        fail(ending.reason());
    }

    private void fail(String reason) {
        if (!closed) {
            close();
            listener.failed(this, name + ": " + reason);
        }
    }

    @Override
    public void close() {
        closed = true;
        stream.close();
        parts.forEach(ByteBuf::release);
        parts.clear();
        receivedLsn = takenLsn;
    }
}
