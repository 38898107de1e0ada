package io.tidemark.shim.proposer;

import static io.tidemark.shim.proposer.ProposerBench.INITIAL;
import static io.tidemark.shim.proposer.ProposerBench.config;
import static io.tidemark.shim.proposer.ProposerBench.members;
import static io.tidemark.shim.proposer.ProposerBench.ref;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.shim.proposer.Proposer.Stage;
import io.tidemark.shim.proposer.ProposerConfig.Membership;
import io.tidemark.shim.proposer.ProposerConfig.Mode;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.AcceptorMessage.AcceptorGreeting;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Answers in any order with any content: none throws, and none makes the commit go back or pass what was sent. */
class ProposerHostilePeerTest {
    private static final int SEEDS = 2_000;
    private static final int EVENTS = 150;
    private static final long[] ODD_VALUES = {0, 1, 8, -1, -8, Long.MAX_VALUE, Long.MIN_VALUE};

    private Random random = new Random(0);
    private Proposer proposer = new Proposer(config(3, Membership.CONFIGURED_LIST, Mode.STREAM));
    private long now;
    private int elected;
    private int committed;

    @Test
    void nothingASafekeeperSendsBreaksTheProposer() {
        for (int seed = 0; seed < SEEDS; seed++) {
            run(seed);
        }
        assertThat(elected).as("elections").isPositive();
        assertThat(committed).as("commits").isPositive();
    }

    private void run(int seed) {
        random = new Random(seed);
        Mode mode = random.nextInt(4) == 0 ? Mode.SYNC : Mode.STREAM;
        Membership membership = random.nextInt(4) == 0 ? Membership.LEARNT : Membership.CONFIGURED_LIST;
        proposer = new Proposer(config(3, membership, mode));
        now = random.nextLong() / 4;
        Lsn available = Lsn.INVALID;
        proposer.on(new ProposerEvent.Tick(), now);
        for (int i = 0; i < EVENTS && proposer.stage() != Stage.DONE; i++) {
            Lsn commit = proposer.commitLsn();
            ProposerEvent event = event();
            if (event instanceof ProposerEvent.WalAvailable e && proposer.stage() == Stage.ELECTED) {
                available = available.max(e.endLsn());
            }
            for (ProposerEffect effect : proposer.on(event, now)) {
                elected += effect instanceof ProposerEffect.Elected ? 1 : 0;
                committed += effect instanceof ProposerEffect.CommitAdvanced ? 1 : 0;
            }
            Lsn limit = proposer.startLsn().max(available).plus(ProposerBench.SEGMENT);
            assertThat(proposer.commitLsn())
                    .as("seed %d, event %d", seed, i)
                    .isGreaterThanOrEqualTo(commit)
                    .isLessThanOrEqualTo(limit);
        }
    }

    private ProposerEvent event() {
        SafekeeperRef from = ref(random.nextInt(3));
        now += random.nextInt(50) == 0 ? 3_000 : random.nextInt(100);
        return switch (random.nextInt(12)) {
            case 0 -> new ProposerEvent.Tick();
            case 1 ->
                random.nextInt(10) == 0
                        ? new ProposerEvent.Disconnected(from, "cut")
                        : new ProposerEvent.Connected(from);
            case 2 -> new ProposerEvent.WalAvailable(INITIAL.plus(random.nextInt(5_000)));
            case 3 -> new ProposerEvent.WalSent(from, lsn());
            default -> answer(from);
        };
    }

    /** Mostly of the kind that is expected. */
    private ProposerEvent answer(SafekeeperRef from) {
        SafekeeperStatus status = proposer.safekeepers().get(from.index());
        int kind = random.nextInt(60) == 0
                ? random.nextInt(4)
                : switch (status.phase()) {
                    case OFFLINE -> 3;
                    case CONNECTING, WAIT_VOTING, WAIT_ELECTED -> 4;
                    case WAIT_GREETING -> 0;
                    case WAIT_VERDICT -> 1;
                    case ACTIVE -> 2;
                };
        AcceptorMessage message = switch (kind) {
            case 0 -> new AcceptorGreeting(new NodeId(from.index() + 100), membership(), term());
            case 1 -> new VoteResponse(generation(), term(), random.nextInt(8) != 0, lsn(), lsn(), history());
            case 2 -> new AppendResponse(generation(), term(), lsn(), lsn(), HotStandbyFeedback.NONE, news());
            default -> null;
        };
        if (message != null) {
            return new ProposerEvent.Received(from, message);
        }
        return kind == 3 ? new ProposerEvent.Tick() : new ProposerEvent.Connected(from);
    }

    private MembershipConfig membership() {
        return random.nextInt(30) == 0
                ? new MembershipConfig(random.nextInt(3) + 1, members(100, 101), members(102))
                : proposer.membership();
    }

    private long generation() {
        return random.nextInt(100) == 0
                ? random.nextInt(3)
                : proposer.membership().generation();
    }

    private Term term() {
        long odd = random.nextInt(200);
        return odd == 0 ? Term.of(-1) : odd == 1 ? Term.ZERO : proposer.term();
    }

    private Lsn lsn() {
        if (random.nextInt(30) == 0) {
            return Lsn.of(ODD_VALUES[random.nextInt(ODD_VALUES.length)]);
        }
        Lsn base = random.nextInt(3) == 0 ? proposer.commitLsn() : proposer.startLsn();
        return base.isValid() ? base.plus(8L * (random.nextInt(60) - 10)) : INITIAL.plus(8L * random.nextInt(60));
    }

    private TermHistory history() {
        List<TermLsn> entries = new ArrayList<>();
        Lsn at = random.nextInt(10) == 0 ? lsn() : INITIAL;
        for (long term = 1; term < Math.min(5, proposer.term().value()); term++) {
            if (random.nextInt(3) == 0) {
                entries.add(new TermLsn(Term.of(term), at));
                at = at.plus(8L * random.nextInt(20));
            }
        }
        return new TermHistory(entries);
    }

    private @org.jspecify.annotations.Nullable PageserverFeedback news() {
        return random.nextInt(5) == 0
                ? new PageserverFeedback(0, lsn(), lsn(), lsn(), random.nextLong(), random.nextInt(), true)
                : null;
    }
}
