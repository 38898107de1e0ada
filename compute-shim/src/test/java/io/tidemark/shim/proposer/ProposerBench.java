package io.tidemark.shim.proposer;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.shim.proposer.ProposerConfig.Limits;
import io.tidemark.shim.proposer.ProposerConfig.Membership;
import io.tidemark.shim.proposer.ProposerConfig.Mode;
import io.tidemark.shim.proposer.ProposerConfig.WalOrigin;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.AcceptorMessage.AcceptorGreeting;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.MembershipConfig.Member;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/** A proposer on a bench: events in short words, the effects of the last one and of all. */
final class ProposerBench {
    static final Lsn INITIAL = Lsn.parse("0/1500000");
    static final int SEGMENT = 16 * 1024 * 1024;
    static final Limits LIMITS = new Limits(1_000, 10_000, 1_000, 1_000, 400);

    final Proposer proposer;
    final List<ProposerEffect> all = new ArrayList<>();
    List<ProposerEffect> last = List.of();
    long now = 5_000;
    long generation;

    ProposerBench(ProposerConfig config) {
        proposer = new Proposer(config);
    }

    static ProposerBench of(int safekeepers) {
        return new ProposerBench(config(safekeepers, Membership.CONFIGURED_LIST, Mode.STREAM));
    }

    static ProposerConfig config(int safekeepers, Membership membership, Mode mode) {
        return new ProposerConfig(
                new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4)),
                safekeepers,
                membership,
                mode,
                new WalOrigin(PgVersion.of(170_004), SystemId.of(77), SEGMENT),
                INITIAL,
                LIMITS);
    }

    List<ProposerEffect> on(ProposerEvent event) {
        last = proposer.on(event, now);
        all.addAll(last);
        return last;
    }

    List<ProposerEffect> tick() {
        return on(new ProposerEvent.Tick());
    }

    List<ProposerEffect> tickAfter(long millis) {
        now += millis;
        return tick();
    }

    List<ProposerEffect> connected(int i) {
        return on(new ProposerEvent.Connected(ref(i)));
    }

    List<ProposerEffect> lost(int i) {
        return on(new ProposerEvent.Disconnected(ref(i), "cable cut"));
    }

    List<ProposerEffect> receive(int i, AcceptorMessage message) {
        return on(new ProposerEvent.Received(ref(i), message));
    }

    List<ProposerEffect> greets(int i, long term) {
        return receive(i, new AcceptorGreeting(new NodeId(100 + i), MembershipConfig.NONE, Term.of(term)));
    }

    List<ProposerEffect> greets(int i, long term, MembershipConfig membership) {
        return receive(i, new AcceptorGreeting(new NodeId(100 + i), membership, Term.of(term)));
    }

    List<ProposerEffect> votes(int i, long term, Lsn flush, TermHistory history) {
        return receive(i, new VoteResponse(generation, Term.of(term), true, flush, Lsn.INVALID, history));
    }

    List<ProposerEffect> refuses(int i, long term, Lsn flush, TermHistory history) {
        return receive(i, new VoteResponse(generation, Term.of(term), false, flush, Lsn.INVALID, history));
    }

    List<ProposerEffect> flushed(int i, long term, Lsn flush) {
        return flushed(i, term, flush, Lsn.INVALID);
    }

    List<ProposerEffect> flushed(int i, long term, Lsn flush, Lsn commit) {
        return receive(i, new AppendResponse(generation, Term.of(term), flush, commit, HotStandbyFeedback.NONE, null));
    }

    List<ProposerEffect> available(Lsn end) {
        return on(new ProposerEvent.WalAvailable(end));
    }

    void sentToAll(Lsn end) {
        proposer.safekeepers().forEach(s -> on(new ProposerEvent.WalSent(s.safekeeper(), end)));
    }

    /** Everybody connects and greets with this term. */
    ProposerBench greeted(long term, int... indexes) {
        tick();
        for (int i : indexes) {
            connected(i);
            greets(i, term);
        }
        return this;
    }

    /** A new timeline: three empty safekeepers, all vote in term 1; streaming starts at {@link #INITIAL}. */
    static ProposerBench electedOnEmpty() {
        ProposerBench bench = of(3).greeted(0, 0, 1, 2);
        for (int i = 0; i < 3; i++) {
            bench.votes(i, 1, Lsn.INVALID, TermHistory.EMPTY);
        }
        assertThat(bench.proposer.stage()).isEqualTo(Proposer.Stage.ELECTED);
        return bench;
    }

    <T extends ProposerEffect> List<T> lastOf(Class<T> type) {
        return last.stream().filter(type::isInstance).map(type::cast).toList();
    }

    <T extends ProposerEffect> List<T> allOf(Class<T> type) {
        return all.stream().filter(type::isInstance).map(type::cast).toList();
    }

    <T> List<T> sentTo(int i, Class<T> type) {
        return last.stream()
                .filter(e -> e instanceof ProposerEffect.Send s
                        && s.safekeeper().equals(ref(i))
                        && type.isInstance(s.message()))
                .map(e -> type.cast(((ProposerEffect.Send) e).message()))
                .toList();
    }

    static SafekeeperRef ref(int i) {
        return new SafekeeperRef(i);
    }

    static Lsn at(long bytes) {
        return INITIAL.plus(bytes);
    }

    static TermHistory history(Object... termsAndOffsets) {
        List<TermLsn> entries = new ArrayList<>();
        for (int i = 0; i < termsAndOffsets.length; i += 2) {
            entries.add(new TermLsn(
                    Term.of(((Number) termsAndOffsets[i]).longValue()),
                    at(((Number) termsAndOffsets[i + 1]).longValue())));
        }
        return new TermHistory(entries);
    }

    static List<Member> members(long... nodes) {
        return LongStream.of(nodes)
                .mapToObj(n -> new Member(new NodeId(n), "sk" + n, 5454))
                .toList();
    }
}
