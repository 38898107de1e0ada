package io.tidemark.wire.walpush;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.walpush.AcceptorMessage.AcceptorGreeting;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.MembershipConfig.Member;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Permitted messages from a seed; extremes are frequent. Version 2 gets no membership, since it can't carry any. */
final class WalPushGenerator {
    private static final long[] EDGES = {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 0xFFFF_FFFFL, 8192};

    private final SplittableRandom random;
    private final WalPushVersion version;

    WalPushGenerator(long seed, WalPushVersion version) {
        this.random = new SplittableRandom(seed);
        this.version = version;
    }

    List<ProposerMessage> everyProposerMessage() {
        Lsn begin = Lsn.of(random.nextLong(1L << 40));
        int walBytes = random.nextInt(4) == 0 ? 0 : random.nextInt(300);
        return List.of(
                new ProposerGreeting(
                        new TenantId(anyLong(), anyLong()),
                        new TimelineId(anyLong(), anyLong()),
                        membership(),
                        pgVersion(),
                        SystemId.of(anyLong()),
                        1 << random.nextInt(20, 31)),
                new VoteRequest(generation(), Term.of(anyLong())),
                new ProposerElected(generation(), Term.of(anyLong()), Lsn.of(anyLong()), history()),
                new AppendRequest(
                        generation(),
                        Term.of(anyLong()),
                        begin,
                        begin.plus(walBytes),
                        Lsn.of(anyLong()),
                        Lsn.of(anyLong()),
                        wal(walBytes)));
    }

    List<AcceptorMessage> everyAcceptorMessage() {
        return List.of(
                new AcceptorGreeting(new NodeId(anyLong()), membership(), Term.of(anyLong())),
                new VoteResponse(
                        generation(),
                        Term.of(anyLong()),
                        random.nextBoolean(),
                        Lsn.of(anyLong()),
                        Lsn.of(anyLong()),
                        history()),
                appendResponse(null),
                appendResponse(feedback()));
    }

    PageserverFeedback feedback() {
        return new PageserverFeedback(
                anyLong(),
                Lsn.of(anyLong()),
                Lsn.of(anyLong()),
                Lsn.of(anyLong()),
                anyLong(),
                random.nextBoolean() ? 0 : random.nextInt(),
                random.nextBoolean());
    }

    private AppendResponse appendResponse(@Nullable PageserverFeedback feedback) {
        return new AppendResponse(
                generation(),
                Term.of(anyLong()),
                Lsn.of(anyLong()),
                Lsn.of(anyLong()),
                new HotStandbyFeedback(anyLong(), anyLong(), anyLong()),
                feedback);
    }

    private long anyLong() {
        return random.nextInt(4) == 0 ? EDGES[random.nextInt(EDGES.length)] : random.nextLong();
    }

    private long generation() {
        return version == WalPushVersion.V2 ? 0 : anyLong() & 0xFFFF_FFFFL;
    }

    private PgVersion pgVersion() {
        return random.nextInt(6) == 0
                ? PgVersion.UNKNOWN
                : PgVersion.of(random.nextInt(14, 19) * 10_000 + random.nextInt(40));
    }

    private MembershipConfig membership() {
        long generation = generation();
        if (generation == 0) {
            return MembershipConfig.NONE;
        }
        return new MembershipConfig(generation, members(1 + random.nextInt(4)), members(random.nextInt(4)));
    }

    private List<Member> members(int n) {
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            String host = List.of("", "sk-1.example", "::1", "жук").get(random.nextInt(4));
            members.add(new Member(new NodeId(i + 10L * random.nextInt(1000)), host, random.nextInt(65_536)));
        }
        return members;
    }

    private TermHistory history() {
        List<TermLsn> entries = new ArrayList<>();
        long term = random.nextInt(3);
        long lsn = random.nextLong(1L << 40);
        for (int i = random.nextInt(5); i > 0; i--) {
            entries.add(new TermLsn(Term.of(term), Lsn.of(lsn)));
            term += 1 + random.nextInt(5);
            lsn += random.nextInt(1000);
        }
        return new TermHistory(entries);
    }

    private ByteBuf wal(int bytes) {
        byte[] wal = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            wal[i] = (byte) random.nextInt();
        }
        return Unpooled.wrappedBuffer(wal);
    }
}
