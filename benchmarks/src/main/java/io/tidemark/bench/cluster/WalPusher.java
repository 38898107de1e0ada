package io.tidemark.bench.cluster;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.StartupOptions;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.AcceptorMessage.AcceptorGreeting;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import io.tidemark.wire.walpush.WalPushVersion;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A proposer that only pushes: elected by the one safekeeper it talks to, it sends WAL in chunks, from where it lies and without a
 * copy. Whoever uses it decides how much may be on its way.
 */
public final class WalPusher implements CopyHandler, AutoCloseable {
    private static final WalPushVersion VERSION = WalPushVersion.V3;
    private static final int SEGMENT_BYTES = 16 << 20;
    private static final int HEADER_HINT_BYTES = 256;
    private static final long STALL_MILLIS = 60_000;

    private final PgConnection connection;
    private final Object lock = new Object();
    private final CompletableFuture<AcceptorGreeting> greeting = new CompletableFuture<>();
    private final CompletableFuture<VoteResponse> vote = new CompletableFuture<>();
    private Lsn flushed;
    private @Nullable CopyEnd end;
    private Term term = Term.ZERO;

    private WalPusher(PgConnection connection, Lsn startLsn) {
        this.connection = connection;
        this.flushed = startLsn;
    }

    /** Connects, makes the timeline when it is new, and gets elected to stream from {@code startLsn}. */
    public static WalPusher elect(
            Clients clients, SafekeeperProcess safekeeper, TenantTimelineId id, SystemId systemId, Lsn startLsn)
            throws IOException, InterruptedException {
        PgConnection connection = clients.connect(PgClientConfig.of(safekeeper.host(), safekeeper.pgPort(), "bench")
                .withParameter("options", StartupOptions.naming(id)));
        WalPusher pusher = new WalPusher(connection, startLsn);
        Clients.await(connection.copy(
                "START_WAL_PUSH (proto_version '" + VERSION.number() + "', allow_timeline_creation 'true')", pusher));
        pusher.send(new ProposerGreeting(
                id.tenantId(), id.timelineId(), MembershipConfig.NONE, PgVersion.of(150_000), systemId, SEGMENT_BYTES));
        pusher.term = Clients.await(pusher.greeting).term().next();
        pusher.send(new VoteRequest(0, pusher.term));
        if (!Clients.await(pusher.vote).voteGiven()) {
            throw new IOException("the safekeeper did not vote for " + pusher.term);
        }
        pusher.send(new ProposerElected(0, pusher.term, startLsn, TermHistory.of(new TermLsn(pusher.term, startLsn))));
        return pusher;
    }

    private void send(ProposerMessage message) {
        connection.writeAndFlush(
                CopyFrames.frame(connection.channel().alloc(), HEADER_HINT_BYTES, out -> message.encode(VERSION, out)));
    }

    /**
     * Sends one chunk.
     *
     * @param wal a direct buffer whose bytes stay as they are
     */
    public void push(Lsn begin, ByteBuffer wal) {
        int length = wal.remaining();
        ByteBuf payload = Unpooled.wrappedBuffer(wal);
        AppendRequest request =
                new AppendRequest(0, term, begin, begin.plus(length), Lsn.INVALID, Lsn.INVALID, payload);
        connection.writeAndFlush(CopyFrames.frame(
                connection.channel().alloc(),
                AppendRequest.MAX_HEADER_BYTES,
                out -> request.encodeHeader(VERSION, out),
                payload));
    }

    /** Waits until the safekeeper has said that everything before {@code lsn}, which is a record's end, is durable. */
    public void awaitFlushed(Lsn lsn) throws IOException, InterruptedException {
        synchronized (lock) {
            while (lsn.minus(flushed) > 0) {
                Lsn before = flushed;
                lock.wait(STALL_MILLIS);
                if (end != null || before.equals(flushed)) {
                    throw new IOException("the safekeeper has stopped at " + flushed + ": " + end);
                }
            }
        }
    }

    @Override
    public void onCopyData(ByteBuf data) {
        switch (AcceptorMessage.decode(VERSION, data)) {
            case AcceptorGreeting message -> greeting.complete(message);
            case VoteResponse message -> vote.complete(message);
            case AppendResponse message -> {
                synchronized (lock) {
                    flushed = message.flushLsn();
                    lock.notifyAll();
                }
            }
        }
    }

    @Override
    public void onCopyEnd(CopyEnd how) {
        greeting.completeExceptionally(new IOException(how.toString()));
        vote.completeExceptionally(new IOException(how.toString()));
        synchronized (lock) {
            end = how;
            lock.notifyAll();
        }
    }

    @Override
    public void close() {
        connection.close();
    }
}
