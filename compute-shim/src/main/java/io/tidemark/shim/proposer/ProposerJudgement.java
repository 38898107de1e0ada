package io.tidemark.shim.proposer;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The small decisions of a proposer on which safety hangs, one method each, without state.
 *
 * <p>They stand apart so that the simulation can replace one of them by a wrong one and prove that it would notice. Shims use this
 * class as it is.
 */
public class ProposerJudgement {
    /** A majority of each set: a joint configuration is never the majority of a union (invariant 24). */
    public boolean isQuorum(List<AcceptorSet> sets, Predicate<SafekeeperRef> predicate) {
        return !sets.isEmpty() && sets.stream().allMatch(set -> set.hasMajority(predicate));
    }

    /** The term to campaign in: above every term a quorum has shown (invariant 19). */
    public Term campaignTerm(Term highestSeen) {
        return highestSeen.next();
    }

    /** True when this term belongs to somebody after us. */
    public boolean isReplacedBy(Term mine, Term seen) {
        return seen.isAfter(mine);
    }

    /**
     * The voter whose log survives: the one written last by the highest term, and of those the longest. Length alone would let a
     * long log of an old term win over committed WAL of a newer one (invariant 20).
     */
    public Vote donor(List<Vote> votes) {
        return votes.stream()
                .max(Comparator.comparing(Vote::lastLogTerm).thenComparing(Vote::flushLsn))
                .orElseThrow(() -> new IllegalArgumentException("no votes"));
    }

    /**
     * From where a safekeeper must be streamed to: where its log leaves ours, the beginning when they have nothing in common.
     *
     * @throws IllegalArgumentException when a term starts at two LSNs: one of the logs is corrupt
     */
    public Lsn startPoint(TermHistory mine, Vote vote) {
        return mine.highestCommonPoint(vote.history(), vote.flushLsn())
                .map(TermLsn::lsn)
                .orElseGet(() -> mine.entries().getFirst().lsn());
    }

    /**
     * What a flush_lsn counts for: WAL of older terms is not committed by being on a quorum, it is committed by what follows it
     * in our term (invariant 22).
     */
    public Lsn countedFlushLsn(Lsn flushLsn, Lsn termStartLsn) {
        return flushLsn.isAtLeast(termStartLsn) ? flushLsn : Lsn.INVALID;
    }

    /** The position that a majority of each set has. */
    public Lsn commitLsn(List<AcceptorSet> sets, Function<SafekeeperRef, Lsn> countedFlushLsn) {
        return sets.stream()
                .map(set -> set.reachedByMajority(countedFlushLsn))
                .min(Comparator.naturalOrder())
                .orElse(Lsn.INVALID);
    }

    /** Everybody has everything before it, and it is committed (invariant 27). */
    public Lsn truncateLsn(Lsn known, Lsn lowestFlushLsn, Lsn commitLsn) {
        return known.max(lowestFlushLsn.min(commitLsn));
    }
}
