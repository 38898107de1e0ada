package io.tidemark.safekeeper.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.tidemark.safekeeper.acceptor.ConnectionId;
import io.tidemark.safekeeper.timeline.Connections;
import io.tidemark.safekeeper.timeline.ReaderFeedback;
import io.tidemark.safekeeper.timeline.Timeline;
import io.tidemark.safekeeper.timeline.TimelineException;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.SqlState;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PostgresTime;
import io.tidemark.wire.replication.WalReceiverMessage;
import io.tidemark.wire.replication.WalSenderMessage;
import io.tidemark.wire.server.PgServerConnection;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A reader's connection after START_REPLICATION: WAL goes out as it becomes readable, feedback comes in.
 *
 * <p>The sending side is a loop on a virtual thread: take the readable end, send a chunk, or wait for a change. The receiving side
 * runs on the event loop and only leaves notes: feedback for the timeline's owner, and a permit that wakes the loop.
 */
final class WalSender implements CopyHandler {
    private static final Logger LOG = LoggerFactory.getLogger(WalSender.class);
    private static final Duration KEEPALIVE = Duration.ofSeconds(1);

    /** Who reads. */
    record Client(ConnectionId id, String applicationName, Connections.Kind kind) {}

    private final PgServerConnection connection;
    private final Channel channel;
    private final EdgeContext context;
    private final Timeline timeline;
    private final Client client;
    private final WalStream stream;
    private final Runnable wake = this::wake;

    /** One permit when something has changed: readable WAL, room in the socket, the end. */
    private final Semaphore changed = new Semaphore(0);

    private volatile boolean replyRequested;
    private volatile @Nullable CopyEnd end;

    /** Only the event loop touches it; the timeline's owner gets copies. */
    private ReaderFeedback feedback = ReaderFeedback.NONE;

    private WalSender(
            PgServerConnection connection, EdgeContext context, Timeline timeline, Client client, WalStream stream) {
        this.connection = connection;
        this.channel = connection.channel();
        this.context = context;
        this.timeline = timeline;
        this.client = client;
        this.stream = stream;
    }

    /** Enters COPY and sends until either side ends it. */
    static void start(
            PgServerConnection connection,
            EdgeContext context,
            Timeline timeline,
            Client client,
            EdgeCommand.StartReplication command) {
        WalStream stream = WalStream.of(timeline, command);
        WalSender sender = new WalSender(connection, context, timeline, client, stream);
        timeline.readerCame(client.id());
        timeline.watch(sender.wake);
        context.metrics().walReaders(stream.kind(), sender.target(), 1);
        connection.startCopyBoth(sender);
        Thread.ofVirtual().name("wal-sender-" + client.id()).start(sender::run);
    }

    /** What kind of reader this is, as far as one can tell before it has said anything. */
    static Connections.Kind kindOf(String applicationName, EdgeCommand.StartReplication command) {
        if (command.term() != null) {
            return Connections.Kind.RECOVERY;
        }
        if (applicationName.startsWith("pageserver")) {
            return Connections.Kind.PAGESERVER;
        }
        return applicationName.equals("pg_receivewal") ? Connections.Kind.RECEIVEWAL : Connections.Kind.STANDBY;
    }

    private String target() {
        return client.kind().name().toLowerCase(Locale.ROOT);
    }

    private void wake() {
        if (changed.availablePermits() == 0) {
            changed.release();
        }
    }

    private void run() {
        ErrorFields error = null;
        boolean silent = false;
        try {
            send();
        } catch (WalStream.Ended e) {
            silent = e.isSilent();
            error = ErrorFields.error(e.sqlState(), e.text());
        } catch (IOException | TimelineException e) {
            LOG.warn("{}: sending WAL to {} ends: {}", timeline.ttid(), client, e.getMessage());
            error = ErrorFields.error(SqlState.INTERNAL_ERROR, String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            silent = true;
        } catch (RuntimeException e) {
            LOG.error("{}: sending WAL to {} failed", timeline.ttid(), client, e);
            error = ErrorFields.error(SqlState.INTERNAL_ERROR, "internal error: " + e);
        } finally {
            timeline.unwatch(wake);
            timeline.readerGone(client.id());
            context.metrics().walReaders(stream.kind(), target(), -1);
            close(stream);
        }
        finish(silent, error);
    }

    private void close(WalStream read) {
        try {
            read.close();
        } catch (IOException e) {
            LOG.warn("{}: closing the WAL that {} has read: {}", timeline.ttid(), client, e.toString());
        }
    }

    private void finish(boolean silent, @Nullable ErrorFields error) {
        switch (end) {
            case null -> {
                if (silent || error == null) {
                    connection.close();
                } else {
                    connection.closeWith(error);
                }
            }
            // Stock tools want to hear that the command is over, too; Neon's clients have gone by then.
            case CopyEnd.Done _ -> connection.finishCopy("START_REPLICATION");
            case CopyEnd.ClientFailed _ ->
                connection.closeWith(ErrorFields.error(SqlState.SUCCESSFUL_COMPLETION, "received CopyFail"));
            case CopyEnd.ServerFailed _, CopyEnd.Lost _ -> {}
        }
    }

    private void send() throws IOException, TimelineException, WalStream.Ended, InterruptedException {
        long lastSentNanos = System.nanoTime();
        while (end == null) {
            Lsn readable = stream.readableEnd();
            if (channel.isWritable() && stream.position().isBefore(readable) && sendChunk(readable)) {
                lastSentNanos = System.nanoTime();
                continue;
            }
            long idleNanos = System.nanoTime() - lastSentNanos;
            if (replyRequested || (idleNanos >= KEEPALIVE.toNanos() && channel.isWritable())) {
                replyRequested = false;
                stream.requireUseful(client.applicationName(), feedback());
                sendKeepalive(readable);
                lastSentNanos = System.nanoTime();
                continue;
            }
            long waitNanos = Math.max(1_000_000, KEEPALIVE.toNanos() - idleNanos);
            if (changed.tryAcquire(waitNanos, TimeUnit.NANOSECONDS)) {
                changed.drainPermits();
            }
        }
    }

    private ReaderFeedback feedback() {
        return timeline.view().readers().stream()
                .filter(reader -> reader.connection().equals(client.id()))
                .map(reader -> reader.feedback())
                .findFirst()
                .orElse(ReaderFeedback.NONE);
    }

    private boolean sendChunk(Lsn readable) throws IOException, TimelineException, WalStream.Ended {
        Lsn start = stream.position();
        ByteBuf wal = stream.read(channel.alloc(), readable);
        if (wal == null) {
            return false;
        }
        int bytes = wal.readableBytes();
        WalSenderMessage.XLogData message = new WalSenderMessage.XLogData(start, readable, now(), wal);
        ByteBuf frame =
                CopyFrames.frame(channel.alloc(), WalSenderMessage.XLogData.HEADER_BYTES, message::encodeHeader, wal);
        var _ = channel.writeAndFlush(frame, channel.voidPromise());
        context.metrics().walRead(bytes);
        return true;
    }

    private void sendKeepalive(Lsn readable) {
        WalSenderMessage.Keepalive message = new WalSenderMessage.Keepalive(readable, now(), true);
        var _ = channel.writeAndFlush(CopyFrames.frame(channel.alloc(), 32, message::encode), channel.voidPromise());
    }

    private static long now() {
        return PostgresTime.ofInstant(Instant.now());
    }

    @Override
    public void onCopyData(ByteBuf data) {
        WalReceiverMessage message;
        try {
            message = WalReceiverMessage.decode(data);
        } catch (InvalidMessageException e) {
            context.metrics().refused("INVALID_MESSAGE");
            throw e;
        }
        switch (message) {
            case WalReceiverMessage.StandbyStatus status -> {
                HotStandbyFeedback hot = feedback instanceof ReaderFeedback.OfStandby known
                        ? known.hotStandby()
                        : HotStandbyFeedback.NONE;
                tell(new ReaderFeedback.OfStandby(
                        status.writeLsn(), status.flushLsn(), status.applyLsn(), status.sentAtMicros(), hot));
                if (status.replyRequested()) {
                    replyRequested = true;
                    wake();
                }
            }
            case WalReceiverMessage.StandbyFeedback standby -> tell(withHotStandby(standby.feedback()));
            case WalReceiverMessage.PageserverStatus pageserver ->
                tell(new ReaderFeedback.OfPageserver(pageserver.feedback()));
            case WalReceiverMessage.Unknown unknown -> {
                // Of a later client; counted and not logged, since the peer chooses how often.
                context.metrics().refused("UNKNOWN_READER_MESSAGE");
                LOG.debug("{}: {} said something unknown: tag {}", timeline.ttid(), client, unknown.tag());
            }
        }
    }

    private ReaderFeedback withHotStandby(HotStandbyFeedback hot) {
        return feedback instanceof ReaderFeedback.OfStandby known
                ? new ReaderFeedback.OfStandby(
                        known.writeLsn(), known.flushLsn(), known.applyLsn(), known.timestampMicros(), hot)
                : new ReaderFeedback.OfStandby(Lsn.INVALID, Lsn.INVALID, Lsn.INVALID, 0, hot);
    }

    private void tell(ReaderFeedback said) {
        feedback = said;
        if (!timeline.readerSaid(client.id(), said)) {
            channel.config().setAutoRead(false);
            timeline.whenRoom(
                    () -> channel.eventLoop().execute(() -> channel.config().setAutoRead(true)));
        }
    }

    @Override
    public void onWritabilityChanged(boolean writable) {
        if (writable) {
            wake();
        }
    }

    @Override
    public void onCopyEnd(CopyEnd copyEnd) {
        end = copyEnd;
        wake();
    }
}
