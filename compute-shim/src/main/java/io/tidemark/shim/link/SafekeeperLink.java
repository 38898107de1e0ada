package io.tidemark.shim.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.tidemark.shim.libpq.CopyStream;
import io.tidemark.shim.libpq.Ending;
import io.tidemark.shim.proposer.ProposerEffect;
import io.tidemark.shim.proposer.ProposerEvent;
import io.tidemark.shim.proposer.SafekeeperRef;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.WalPushVersion;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The way to one safekeeper: at most one connection at a time, opened and closed when the proposer says so, and what still has to go
 * over it, in order.
 *
 * <p>WAL that the buffer no longer holds is taken from a {@link WalFeed}; what follows it waits, since an acceptor refuses a gap. The
 * proposer schedules a bounded amount until it hears {@code WalSent}, which is told when bytes go to the socket, and bytes only go
 * there while its unsent backlog is below its limit. So a stalled safekeeper costs that limit and no more.
 */
public final class SafekeeperLink implements CopyStream.Handler, WalFeed.Listener {
    /** Most messages that may wait for WAL of a feed or for a writable socket. */
    static final int MAX_QUEUED = 256;

    // Enough for a message without WAL; a long term history makes the buffer grow.
    private static final int MESSAGE_BYTES = 256;

    /** What the owner of all links does for one of them. */
    public interface Owner {
        void happened(ProposerEvent event);

        /**
         * Opens a feed of WAL from {@code beginLsn} on, or answers null when nobody can give it now; then the owner calls {@link
         * SafekeeperLink#pump} later.
         */
        @Nullable
        WalFeed openFeed(SafekeeperLink link, Lsn beginLsn, Lsn endLsn, Term term);

        /** The buffer holds again what this safekeeper needs. */
        void feedDone(SafekeeperLink link);

        /** Bytes were written that nobody has flushed yet. */
        void needsFlush(SafekeeperLink link);
    }

    private final SafekeeperRef ref;
    private final EventLoop loop;
    private final PgClientConfig endpoint;
    private final WalPushVersion version;
    private final WalBuffer buffer;
    private final Owner owner;
    private final ArrayDeque<Outgoing> queue = new ArrayDeque<>();
    private @Nullable CopyStream stream;
    private @Nullable WalFeed feed;
    private boolean open;
    private Lsn sentLsn = Lsn.INVALID;
    private String problem = "";

    public SafekeeperLink(
            SafekeeperRef ref,
            EventLoop loop,
            PgClientConfig endpoint,
            WalPushVersion version,
            WalBuffer buffer,
            Owner owner) {
        this.ref = ref;
        this.loop = loop;
        this.endpoint = endpoint;
        this.version = version;
        this.buffer = buffer;
        this.owner = owner;
    }

    public SafekeeperRef ref() {
        return ref;
    }

    public PgClientConfig endpoint() {
        return endpoint;
    }

    /** How far WAL was handed to the socket of the present connection; invalid before the first. */
    public Lsn sentLsn() {
        return sentLsn;
    }

    /** Who brings the WAL that the buffer no longer holds; empty when nobody has to. */
    public String fedBy() {
        return feed == null ? "" : feed.name();
    }

    /** Why the last connection ended; empty when the present one works. */
    public String problem() {
        return problem;
    }

    public void connect() {
        drop();
        String command = "START_WAL_PUSH (proto_version '" + version.number() + "', allow_timeline_creation 'true')";
        stream = CopyStream.open(loop, endpoint, command, this);
    }

    public void disconnect(String reason) {
        problem = reason;
        drop();
    }

    private void drop() {
        CopyStream old = stream;
        stream = null;
        open = false;
        sentLsn = Lsn.INVALID;
        queue.clear();
        closeFeed();
        if (old != null) {
            old.close();
        }
    }

    private void closeFeed() {
        if (feed != null) {
            feed.close();
            feed = null;
        }
    }

    public void send(ProposerMessage message) {
        enqueue(new Outgoing.Message(message));
    }

    public void sendWal(ProposerEffect.SendWal range) {
        enqueue(new Outgoing.Wal(range));
    }

    private void enqueue(Outgoing outgoing) {
        if (!open) {
            return;
        }
        if (queue.size() == MAX_QUEUED) {
            fail("more than " + MAX_QUEUED + " messages wait for WAL that nobody can bring");
            return;
        }
        queue.addLast(outgoing);
        pump();
    }

    /** Time passes: a feed whose giver is silent for so long is given up, for another one. */
    public void tick(long feedSilenceLimitMillis) {
        if (feed != null) {
            feed.tick(feedSilenceLimitMillis);
        }
        pump();
    }

    /** Writes what can be written: the socket has room, and its WAL is here. */
    public void pump() {
        CopyStream to = stream;
        // Telling the owner may bring us back here, or close the connection: so the queue is looked at anew each time.
        while (to != null && to == stream && !queue.isEmpty() && to.isWritable()) {
            switch (queue.getFirst()) {
                case Outgoing.Message(ProposerMessage message) -> {
                    queue.removeFirst();
                    write(to, message);
                }
                case Outgoing.Wal(ProposerEffect.SendWal range) -> {
                    ByteBuf wal = bytesOf(range);
                    if (wal == null) {
                        return;
                    }
                    queue.removeFirst();
                    writeWal(to, range, wal);
                    owner.happened(new ProposerEvent.WalSent(ref, range.endLsn()));
                }
            }
        }
    }

    private void write(CopyStream to, ProposerMessage message) {
        to.write(MESSAGE_BYTES, out -> message.encode(version, out));
        owner.needsFlush(this);
    }

    private void writeWal(CopyStream to, ProposerEffect.SendWal range, ByteBuf wal) {
        ProposerMessage.AppendRequest append = new ProposerMessage.AppendRequest(
                range.membershipGeneration(),
                range.term(),
                range.beginLsn(),
                range.endLsn(),
                range.commitLsn(),
                range.truncateLsn(),
                wal);
        to.write(ProposerMessage.AppendRequest.MAX_HEADER_BYTES, out -> append.encodeHeader(version, out), wal);
        sentLsn = range.endLsn();
        owner.needsFlush(this);
    }

    private @Nullable ByteBuf bytesOf(ProposerEffect.SendWal range) {
        if (range.beginLsn().equals(range.endLsn())) {
            return Unpooled.EMPTY_BUFFER;
        }
        ByteBuf held = buffer.slice(range.beginLsn(), range.endLsn());
        if (held != null) {
            if (feed != null) {
                closeFeed();
                owner.feedDone(this);
            }
            return held;
        }
        WalFeed from = feed;
        if (from == null || !from.takenLsn().equals(range.beginLsn())) {
            closeFeed();
            feed = owner.openFeed(this, range.beginLsn(), range.endLsn(), range.term());
            return null;
        }
        int bytes = (int) range.endLsn().minus(range.beginLsn());
        return from.receivedLsn().isAtLeast(range.endLsn()) ? from.take(bytes) : null;
    }

    @Override
    public void opened() {
        open = true;
        problem = "";
        owner.happened(new ProposerEvent.Connected(ref));
    }

    @Override
    public void received(ByteBuf message) {
        AcceptorMessage decoded;
        try {
            decoded = AcceptorMessage.decode(version, message);
        } catch (InvalidMessageException e) {
            fail("sent what is no message: " + e.getMessage());
            return;
        }
        owner.happened(new ProposerEvent.Received(ref, decoded));
    }

    @Override
    public void readComplete() {
        // Each answer stands for itself.
    }

    @Override
    public void writabilityChanged(boolean writable) {
        if (writable) {
            pump();
        }
    }

    @Override
    public void closed(Ending ending) {
        fail(ending.reason());
    }

    private void fail(String reason) {
        disconnect(reason);
        owner.happened(new ProposerEvent.Disconnected(ref, reason));
    }

    @Override
    public void walArrived(WalFeed from) {
        if (from == feed) {
            pump();
        }
    }

    @Override
    public void failed(WalFeed from, String reason) {
        if (from == feed) {
            problem = reason;
            feed = null;
        }
    }

    /** Hands what was written to the kernel. */
    public void flush() {
        if (stream != null) {
            stream.flush();
        }
    }

    private sealed interface Outgoing {
        record Message(ProposerMessage message) implements Outgoing {}

        record Wal(ProposerEffect.SendWal range) implements Outgoing {}
    }

    /** For log lines. */
    @Override
    public String toString() {
        return ref + " at " + endpoint;
    }
}
