package io.tidemark.shim.source;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.tidemark.shim.libpq.CopyStream;
import io.tidemark.shim.libpq.Ending;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PostgresTime;
import io.tidemark.wire.replication.WalReceiverMessage;
import io.tidemark.wire.replication.WalSenderMessage;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One replication connection to PostgreSQL: its WAL from a position on, and what it is told about it.
 *
 * <p>Owner: the event loop. Always: the flush position it is told is at most what was confirmed by {@link #confirm} and at most what
 * arrived on this very connection. The second bound is for a PostgreSQL that came back with another history: it must not hear that
 * bytes are safe which nobody has compared with its own.
 */
public final class PostgresSource implements CopyStream.Handler, AutoCloseable {
    /** Told on the event loop. */
    public interface Listener {
        /** {@code wal} stays the source's; it is valid during the call. */
        void walReceived(Lsn beginLsn, ByteBuf wal);

        /** All that one read of the socket brought has been told. */
        void walBatchEnded();

        /** The connection is gone; not told after {@link #close}. */
        void lost(Ending ending);
    }

    /**
     * When to say something, and when to give up.
     *
     * @param statusIntervalMillis longest silence of ours; PostgreSQL gives up after wal_sender_timeout (60 s by default)
     * @param silenceLimitMillis longest silence of PostgreSQL's, which each status asks to break
     */
    record Patience(long statusIntervalMillis, long silenceLimitMillis) {
        static final Patience DEFAULT = new Patience(5_000, 30_000);
    }

    private static final int STATUS_BYTES = 34;
    private static final int FEEDBACK_BYTES = 25;

    private final Listener listener;
    private final Patience patience;
    private final CopyStream stream;
    private Lsn receivedLsn;
    private Lsn committedLsn = Lsn.INVALID;
    private Lsn toldLsn = Lsn.INVALID;
    private HotStandbyFeedback feedback = HotStandbyFeedback.NONE;
    private @Nullable HotStandbyFeedback toldFeedback;
    private long lastStatusMillis;
    private long lastHeardMillis;
    private boolean opened;
    private boolean paused;
    private boolean closed;

    private PostgresSource(
            EventLoop loop, PgClientConfig postgres, String slot, Lsn startLsn, Patience patience, Listener listener) {
        this.listener = listener;
        this.patience = patience;
        this.receivedLsn = startLsn;
        this.lastHeardMillis = nowMillis();
        this.lastStatusMillis = lastHeardMillis;
        String command = "START_REPLICATION SLOT \"" + slot + "\" PHYSICAL " + startLsn + " TIMELINE 1";
        this.stream = CopyStream.open(loop, postgres, command, this);
    }

    /** Connects and asks for WAL from {@code startLsn} on. */
    public static PostgresSource open(
            EventLoop loop, PgClientConfig postgres, String slot, Lsn startLsn, Listener listener) {
        return open(loop, postgres, slot, startLsn, Patience.DEFAULT, listener);
    }

    static PostgresSource open(
            EventLoop loop, PgClientConfig postgres, String slot, Lsn startLsn, Patience patience, Listener listener) {
        return new PostgresSource(loop, postgres, slot, startLsn, patience, listener);
    }

    /** Where the WAL that has arrived ends. */
    public Lsn receivedLsn() {
        return receivedLsn;
    }

    /** Whether WAL can arrive: the server has accepted the command. */
    public boolean isOpen() {
        return opened && !closed;
    }

    /** A quorum has everything up to here; tells PostgreSQL at once. */
    public void confirm(Lsn commitLsn) {
        committedLsn = committedLsn.max(commitLsn);
        if (isOpen() && committedLsn.min(receivedLsn).isAfter(toldLsn)) {
            tell(false);
        }
    }

    /**
     * Standbys behind the safekeepers need this kept: to PostgreSQL we are the standby that needs it, so VACUUM spares it. What a slot
     * remembers of an earlier connection is replaced with the next status, since by then the safekeepers have been heard.
     */
    public void standbyFeedback(HotStandbyFeedback news) {
        feedback = news;
        if (isOpen() && toldFeedback != null) {
            tellFeedback();
        }
    }

    private void tellFeedback() {
        if (!feedback.equals(toldFeedback)) {
            toldFeedback = feedback;
            WalReceiverMessage message = new WalReceiverMessage.StandbyFeedback(feedback);
            stream.write(FEEDBACK_BYTES, message::encode);
            stream.flush();
        }
    }

    /** Leaves WAL in PostgreSQL's hands until {@link #resume}. */
    public void pause() {
        if (!paused) {
            paused = true;
            stream.setReading(false);
        }
    }

    public void resume() {
        if (paused) {
            paused = false;
            lastHeardMillis = nowMillis();
            stream.setReading(true);
        }
    }

    /** Time passes: keeps the connection alive, and gives it up when PostgreSQL doesn't. */
    public void tick() {
        if (closed) {
            return;
        }
        long now = nowMillis();
        if (!paused && now - lastHeardMillis > patience.silenceLimitMillis()) {
            lost("PostgreSQL has not said a word for " + (now - lastHeardMillis) + " ms");
        } else if (opened && now - lastStatusMillis >= patience.statusIntervalMillis()) {
            tell(true);
            tellFeedback();
        }
    }

    private void tell(boolean replyRequested) {
        toldLsn = toldLsn.max(committedLsn.min(receivedLsn));
        lastStatusMillis = nowMillis();
        long time = PostgresTime.ofInstant(Instant.now());
        WalReceiverMessage status =
                new WalReceiverMessage.StandbyStatus(toldLsn, toldLsn, toldLsn, time, replyRequested);
        stream.write(STATUS_BYTES, status::encode);
        stream.flush();
    }

    @Override
    public void opened() {
        opened = true;
    }

    @Override
    public void received(ByteBuf message) {
        lastHeardMillis = nowMillis();
        WalSenderMessage decoded;
        try {
            decoded = WalSenderMessage.decode(message);
        } catch (InvalidMessageException e) {
            lost(String.valueOf(e.getMessage()));
            return;
        }
        switch (decoded) {
            case WalSenderMessage.XLogData data -> accept(data);
            case WalSenderMessage.Keepalive keepalive -> {
                if (keepalive.replyRequested()) {
                    tell(false);
                }
            }
        }
    }

    private void accept(WalSenderMessage.XLogData data) {
        ByteBuf wal = data.wal();
        try {
            if (!data.startLsn().equals(receivedLsn)) {
                lost("PostgreSQL sent WAL at " + data.startLsn() + " where " + receivedLsn + " was due");
                return;
            }
            receivedLsn = receivedLsn.plus(wal.readableBytes());
            listener.walReceived(data.startLsn(), wal);
        } finally {
            wal.release();
        }
    }

    @Override
    public void readComplete() {
        if (!closed) {
            listener.walBatchEnded();
        }
    }

    @Override
    public void writabilityChanged(boolean writable) {
        // A status is 34 bytes, at most one per commit; PostgreSQL reads them before anything else.
    }

    @Override
    public void closed(Ending ending) {
        lost(ending);
    }

    private void lost(String reason) {
        lost(new Ending(reason, ""));
    }

    private void lost(Ending ending) {
        if (!closed) {
            close();
            listener.lost(ending);
        }
    }

    /** Nothing is told to PostgreSQL any more, nor received from it. */
    @Override
    public void close() {
        closed = true;
        stream.close();
    }

    private static long nowMillis() {
        return System.nanoTime() / 1_000_000;
    }
}
