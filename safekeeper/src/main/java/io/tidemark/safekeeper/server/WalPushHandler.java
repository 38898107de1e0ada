package io.tidemark.safekeeper.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.tidemark.safekeeper.acceptor.ConnectionId;
import io.tidemark.safekeeper.acceptor.Refusal;
import io.tidemark.safekeeper.acceptor.ScannedWal;
import io.tidemark.safekeeper.acceptor.WalScanAhead;
import io.tidemark.safekeeper.timeline.NewTimeline;
import io.tidemark.safekeeper.timeline.ProposerLink;
import io.tidemark.safekeeper.timeline.Timeline;
import io.tidemark.safekeeper.timeline.TimelineException;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.SqlState;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.server.PgServerConnection;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.WalPushVersion;
import java.util.ArrayDeque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A proposer's connection after START_WAL_PUSH: its messages go to the timeline's owner, the owner's answers come back.
 *
 * <p>The timeline is looked up, or made, when the greeting arrives; until that is done nothing more is read. State belongs to the
 * event loop; {@link ProposerLink}'s methods are called by the owner.
 */
final class WalPushHandler implements CopyHandler, ProposerLink {
    private static final int REPLY_SIZE_HINT_BYTES = 64;

    /** A writer that sends a full chunk has more: the owner's thread writes while this one receives and checks what comes behind it. */
    private static final int FULL_CHUNK_BYTES = 128 << 10;

    private final PgServerConnection connection;
    private final Channel channel;
    private final EdgeContext context;
    private final ConnectionId id;
    private final TenantTimelineId ttid;
    private final EdgeCommand.StartWalPush command;
    private final @Nullable WalPushVersion version;

    /** Messages that came with the greeting, while the timeline is looked for. No more than one read of the socket. */
    private final ArrayDeque<ProposerMessage> early = new ArrayDeque<>();

    private final WalScanAhead scanAhead = new WalScanAhead();
    private int leftBytes;
    private boolean greeted;
    private boolean ended;
    private boolean stopped;
    private @Nullable Timeline timeline;

    WalPushHandler(
            PgServerConnection connection,
            EdgeContext context,
            ConnectionId id,
            TenantTimelineId ttid,
            EdgeCommand.StartWalPush command) {
        this.connection = connection;
        this.channel = connection.channel();
        this.context = context;
        this.id = id;
        this.ttid = ttid;
        this.command = command;
        this.version = WalPushVersion.find(command.protocolVersion()).orElse(null);
        context.metrics().walReceivers(1);
    }

    @Override
    public void onCopyData(ByteBuf data) {
        if (version == null) {
            throw refused(
                    "UNSUPPORTED_PROTOCOL_VERSION",
                    new InvalidMessageException("unsupported protocol version " + command.protocolVersion()));
        }
        ProposerMessage message;
        try {
            message = ProposerMessage.decode(version, data);
        } catch (InvalidMessageException e) {
            throw refused("INVALID_MESSAGE", e);
        }
        context.metrics().proposerMessage(label(message));
        // Here and not in the owner, which has the disk to wait for; see
        // docs/decisions/0261-wal-is-scanned-before-the-owner.md.
        ScannedWal scanned = scanAhead.scan(message);
        Timeline open = timeline;
        if (open != null) {
            tell(open, message, scanned);
        } else if (greeted) {
            early.add(message);
        } else if (message instanceof ProposerMessage.ProposerGreeting greeting) {
            greeted = true;
            early.add(greeting);
            findTimeline(greeting);
        } else {
            release(message);
            throw refused(
                    Refusal.NO_GREETING.name(), new InvalidMessageException("the first message must be a greeting"));
        }
    }

    private InvalidMessageException refused(String reason, InvalidMessageException e) {
        context.metrics().refused(reason);
        return e;
    }

    private static String label(ProposerMessage message) {
        return switch (message) {
            case ProposerMessage.ProposerGreeting _ -> "greeting";
            case ProposerMessage.VoteRequest _ -> "vote";
            case ProposerMessage.ProposerElected _ -> "elected";
            case ProposerMessage.AppendRequest append -> append.wal().isReadable() ? "append" : "heartbeat";
        };
    }

    private static void release(ProposerMessage message) {
        if (message instanceof ProposerMessage.AppendRequest append) {
            append.wal().release();
        }
    }

    private void findTimeline(ProposerMessage.ProposerGreeting greeting) {
        if (!greeting.tenantId().equals(ttid.tenantId())
                || !greeting.timelineId().equals(ttid.timelineId())) {
            throw refused(
                    Refusal.TIMELINE_MISMATCH.name(),
                    new InvalidMessageException("the greeting is for timeline " + greeting.tenantId() + "/"
                            + greeting.timelineId() + ", the connection for " + ttid));
        }
        Optional<Timeline> existing = context.registry().find(ttid);
        if (existing.isPresent()) {
            open(existing.get());
            return;
        }
        if (!command.allowTimelineCreation()) {
            // Without a word: computes try again until the controller has made the timeline.
            context.metrics().refused("TIMELINE_ABSENT");
            connection.close();
            return;
        }
        channel.config().setAutoRead(false);
        Thread.ofVirtual().name("create-" + ttid).start(() -> create(greeting));
    }

    private void create(ProposerMessage.ProposerGreeting greeting) {
        try {
            Timeline created = context.registry().create(NewTimeline.of(greeting));
            channel.eventLoop().execute(() -> {
                channel.config().setAutoRead(true);
                open(created);
            });
        } catch (TimelineException e) {
            context.metrics().refused("TIMELINE_" + e.kind());
            connection.closeWith(ErrorFields.error(SqlState.INTERNAL_ERROR, e.text()));
        }
    }

    private void open(Timeline found) {
        if (ended) {
            return;
        }
        timeline = found;
        ProposerMessage message;
        while ((message = early.poll()) != null) {
            tell(found, message, null);
        }
        found.wake();
    }

    private void tell(Timeline open, ProposerMessage message, @Nullable ScannedWal scanned) {
        if (message instanceof ProposerMessage.AppendRequest append) {
            leftBytes += append.wal().readableBytes();
        }
        boolean room = open.leave(this, message, scanned);
        if (leftBytes >= FULL_CHUNK_BYTES) {
            open.wake();
        }
        if (!room && !stopped) {
            stopped = true;
            channel.config().setAutoRead(false);
            open.whenRoom(() -> channel.eventLoop().execute(() -> {
                stopped = false;
                channel.config().setAutoRead(true);
            }));
        }
    }

    /**
     * Less than a chunk is made durable right here when nobody shares the loop: that saves waking the owner's thread, and then the loop for
     * the answer. See docs/decisions/0290-a-push-lends-its-thread.md.
     */
    @Override
    public void onReadComplete() {
        Timeline open = timeline;
        if (open == null) {
            return;
        }
        if (context.loops().isAlone(channel)) {
            open.work();
        } else {
            open.wake();
        }
        leftBytes = 0;
    }

    @Override
    public void onCopyEnd(CopyEnd end) {
        ended = true;
        context.metrics().walReceivers(-1);
        early.forEach(WalPushHandler::release);
        early.clear();
        if (timeline != null) {
            timeline.proposerGone(id);
        }
        switch (end) {
            case CopyEnd.Done _ -> connection.closeWithCopyDone();
            case CopyEnd.ClientFailed _ ->
                connection.closeWith(ErrorFields.error(SqlState.SUCCESSFUL_COMPLETION, "received CopyFail"));
            case CopyEnd.ServerFailed _, CopyEnd.Lost _ -> {}
        }
    }

    @Override
    public ConnectionId id() {
        return id;
    }

    @Override
    public void send(AcceptorMessage message) {
        if (version == null) {
            throw new IllegalStateException("no message has been understood yet");
        }
        WalPushVersion spoken = version;
        ByteBuf frame = CopyFrames.frame(channel.alloc(), REPLY_SIZE_HINT_BYTES, out -> message.encode(spoken, out));
        var _ = channel.writeAndFlush(frame, channel.voidPromise());
    }

    @Override
    public void refuse(Refusal refusal, String reason) {
        connection.closeWith(ErrorFields.error(SqlState.INTERNAL_ERROR, reason));
    }

    @Override
    public void fail(String reason) {
        connection.closeWith(ErrorFields.error(SqlState.INTERNAL_ERROR, reason));
    }

    @Override
    public void closeSilently() {
        connection.close();
    }

    @Override
    public void elected(Term term) {
        context.connections().update(id, entry -> entry.elected(term));
    }
}
