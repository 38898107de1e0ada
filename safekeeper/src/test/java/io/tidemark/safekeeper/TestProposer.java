package io.tidemark.safekeeper;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
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
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** One proposer connection, spoken by hand: sends what the test says, and waits for answers. */
public final class TestProposer implements CopyHandler, AutoCloseable {
    public static final SystemId SYSTEM_ID = new SystemId(0x0123456789abcdefL);
    public static final PgVersion PG_VERSION = PgVersion.of(150_019);
    public static final int SEGMENT_BYTES = 16 * 1024 * 1024;

    private final WalPushVersion version;
    private final PgConnection connection;
    private final BlockingQueue<AcceptorMessage> answers = new LinkedBlockingQueue<>();
    private final CompletableFuture<CopyEnd> end = new CompletableFuture<>();
    private Term term = Term.ZERO;
    private ProposerGreeting greeting;

    private TestProposer(TenantTimelineId ttid, WalPushVersion version, PgConnection connection) {
        this.version = version;
        this.connection = connection;
        this.greeting = new ProposerGreeting(
                ttid.tenantId(), ttid.timelineId(), MembershipConfig.NONE, PG_VERSION, SYSTEM_ID, SEGMENT_BYTES);
    }

    /** Connects and enters COPY; says nothing yet. */
    public static TestProposer connect(TestSafekeeper safekeeper, TenantTimelineId ttid, WalPushVersion version)
            throws Exception {
        return connect(safekeeper, ttid, version, true);
    }

    public static TestProposer connect(
            TestSafekeeper safekeeper, TenantTimelineId ttid, WalPushVersion version, boolean allowCreation)
            throws Exception {
        PgConnection connection = safekeeper.connect(ttid, "");
        TestProposer proposer = new TestProposer(ttid, version, connection);
        TestSafekeeper.await(connection.copy(
                "START_WAL_PUSH (proto_version '" + version.number() + "', allow_timeline_creation '" + allowCreation
                        + "')",
                proposer));
        return proposer;
    }

    public void send(ProposerMessage message) {
        connection.writeAndFlush(
                CopyFrames.frame(connection.channel().alloc(), 256, out -> message.encode(version, out)));
    }

    /** Any bytes, as one CopyData. */
    public void sendRaw(byte[] bytes) {
        connection.writeAndFlush(
                CopyFrames.frame(connection.channel().alloc(), bytes.length, out -> out.writeBytes(bytes)));
    }

    public <T extends AcceptorMessage> T receive(Class<T> kind) throws InterruptedException {
        AcceptorMessage message = answers.poll(20, TimeUnit.SECONDS);
        if (message == null || !kind.isInstance(message)) {
            throw new AssertionError(
                    "expected " + kind.getSimpleName() + ", got " + message + ", end " + end.getNow(null));
        }
        return kind.cast(message);
    }

    public ProposerGreeting greeting() {
        return greeting;
    }

    /** Greets with another one than that of a PostgreSQL 15 of {@link #SYSTEM_ID}. */
    public void greetingIs(ProposerGreeting another) {
        greeting = another;
    }

    public AcceptorGreeting greet() throws InterruptedException {
        send(greeting());
        return receive(AcceptorGreeting.class);
    }

    public VoteResponse askForVote(Term wanted) throws InterruptedException {
        term = wanted;
        send(new VoteRequest(0, wanted));
        return receive(VoteResponse.class);
    }

    /** Greets, wins the next term and is elected, to stream from where the safekeeper's WAL ends, or from {@code start}. */
    public Lsn elect(Lsn start) throws InterruptedException {
        AcceptorGreeting greeting = greet();
        VoteResponse vote = askForVote(greeting.term().next());
        if (!vote.voteGiven()) {
            throw new AssertionError("no vote: " + vote);
        }
        Lsn from = vote.flushLsn().isValid() ? vote.flushLsn() : start;
        elected(from, vote.termHistory().plus(new TermLsn(term, from)));
        return from;
    }

    public void elected(Lsn startStreamingAt, TermHistory history) {
        send(new ProposerElected(0, term, startStreamingAt, history));
    }

    public void append(Lsn begin, ByteBuf wal, Lsn commitLsn) {
        send(new AppendRequest(0, term, begin, begin.plus(wal.readableBytes()), commitLsn, Lsn.INVALID, wal));
        wal.release();
    }

    /** Waits for the answer that says that the WAL is durable up to {@code lsn}. */
    public AppendResponse awaitFlushed(Lsn lsn) throws InterruptedException {
        AppendResponse response;
        do {
            response = receive(AppendResponse.class);
        } while (response.flushLsn().isBefore(lsn));
        return response;
    }

    public Term term() {
        return term;
    }

    public CompletableFuture<CopyEnd> end() {
        return end;
    }

    public PgConnection connection() {
        return connection;
    }

    @Override
    public void onCopyData(ByteBuf data) {
        answers.add(AcceptorMessage.decode(version, data));
    }

    @Override
    public void onCopyEnd(CopyEnd how) {
        end.complete(how);
    }

    @Override
    public void close() {
        connection.close();
    }
}
