package io.tidemark.safekeeper.acceptor;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.wal.WalStreamWriter;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.MembershipConfig.Member;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/** An acceptor on a bench: messages in short words, the effects of the last event, real WAL; every buffer is accounted for. */
final class AcceptorBench {
    static final TenantTimelineId TTID = new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4));
    static final NodeId ME = new NodeId(7);
    static final int SEGMENT = 1 << 20;
    static final Lsn START = Lsn.parse("0/300028");
    static final SystemId SYSTEM = SystemId.of(99);

    final Acceptor acceptor;
    List<AcceptorEffect> last = List.of();
    long generation;
    WalStreamWriter writer = new WalStreamWriter(17, SYSTEM, SEGMENT, START, Lsn.INVALID);

    AcceptorBench(AcceptorState state, Lsn recovered) {
        acceptor = new Acceptor(ME, state, recovered);
        generation = state.membership().generation();
    }

    static AcceptorBench empty() {
        return new AcceptorBench(newTimeline(), Lsn.INVALID);
    }

    /** Greeted, voted for term 1, elected at START: ready to append on connection 1. */
    static AcceptorBench streaming() {
        AcceptorBench bench = empty().greeted(1);
        bench.vote(1, 1);
        bench.elected(1, 1, START, history(1, 0));
        assertThat(bench.refusals()).isEmpty();
        return bench;
    }

    static AcceptorState newTimeline() {
        return new AcceptorState(
                TTID,
                Term.ZERO,
                TermHistory.EMPTY,
                MembershipConfig.NONE,
                PgVersion.of(170_004),
                SYSTEM,
                SEGMENT,
                Lsn.INVALID,
                Lsn.INVALID,
                Lsn.INVALID,
                Lsn.INVALID,
                Lsn.INVALID,
                Lsn.INVALID,
                0);
    }

    List<AcceptorEffect> on(AcceptorEvent event) {
        last = acceptor.on(event);
        return last;
    }

    List<AcceptorEffect> receive(int connection, ProposerMessage message) {
        return on(new AcceptorEvent.Received(new ConnectionId(connection), message));
    }

    AcceptorBench greeted(int... connections) {
        for (int c : connections) {
            receive(c, greeting(MembershipConfig.NONE));
            assertThat(refusals()).isEmpty();
        }
        return this;
    }

    static ProposerGreeting greeting(MembershipConfig membership) {
        return new ProposerGreeting(
                TTID.tenantId(), TTID.timelineId(), membership, PgVersion.of(170_002), SYSTEM, SEGMENT);
    }

    List<AcceptorEffect> vote(int connection, long term) {
        return receive(connection, new VoteRequest(generation, Term.of(term)));
    }

    List<AcceptorEffect> elected(int connection, long term, Lsn start, TermHistory history) {
        return receive(connection, new ProposerElected(generation, Term.of(term), start, history));
    }

    List<AcceptorEffect> append(int connection, long term, Lsn begin, ByteBuf wal, Lsn commit, Lsn truncate) {
        ByteBuf pooled = PooledByteBufAllocator.DEFAULT.buffer(Math.max(1, wal.readableBytes()));
        pooled.writeBytes(wal);
        wal.release();
        Lsn end = begin.plus(pooled.readableBytes());
        receive(connection, new AppendRequest(generation, Term.of(term), begin, end, commit, truncate, pooled));
        // As the owner does after the write. What was not handed on, the acceptor must have released itself.
        lastOf(AcceptorEffect.WriteWal.class).forEach(e -> e.wal().release());
        assertThat(pooled.refCnt()).isZero();
        return last;
    }

    List<AcceptorEffect> append(int connection, long term, Lsn begin, ByteBuf wal) {
        return append(connection, term, begin, wal, Lsn.INVALID, Lsn.INVALID);
    }

    List<AcceptorEffect> beat(int connection, long term, Lsn at, Lsn commit) {
        return append(connection, term, at, Unpooled.buffer(), commit, Lsn.INVALID);
    }

    /** Appends one record of the writer where the log ends; returns the record's end. */
    Lsn appendRecord(int connection, long term, int bytes) {
        Lsn begin = acceptor.writeLsn();
        Lsn end = writer.append(0, 0x10, 5, new byte[bytes]);
        append(connection, term, begin, writer.drain());
        return end;
    }

    List<AcceptorEffect> batchEnd() {
        return on(new AcceptorEvent.BatchEnd());
    }

    <T> List<T> lastOf(Class<T> type) {
        return last.stream().filter(type::isInstance).map(type::cast).toList();
    }

    <T extends AcceptorMessage> List<T> sent(Class<T> type) {
        return lastOf(AcceptorEffect.Send.class).stream()
                .map(AcceptorEffect.Send::message)
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }

    List<Refusal> refusals() {
        return lastOf(AcceptorEffect.Refuse.class).stream()
                .map(AcceptorEffect.Refuse::refusal)
                .toList();
    }

    List<Class<?>> kinds() {
        return last.stream().<Class<?>>map(Object::getClass).toList();
    }

    static Lsn at(long bytes) {
        return START.plus(bytes);
    }

    static TermHistory history(long... termsAndOffsets) {
        List<TermLsn> entries = new ArrayList<>();
        for (int i = 0; i < termsAndOffsets.length; i += 2) {
            entries.add(new TermLsn(Term.of(termsAndOffsets[i]), at(termsAndOffsets[i + 1])));
        }
        return new TermHistory(entries);
    }

    static MembershipConfig membership(long generation, long... nodes) {
        return new MembershipConfig(
                generation,
                LongStream.of(nodes)
                        .mapToObj(n -> new Member(new NodeId(n), "sk" + n, 5454))
                        .toList(),
                List.of());
    }
}
