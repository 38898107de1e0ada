package io.tidemark.simulation.mutant;

import io.tidemark.shim.proposer.AcceptorSet;
import io.tidemark.shim.proposer.ProposerJudgement;
import io.tidemark.shim.proposer.SafekeeperRef;
import io.tidemark.shim.proposer.Vote;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.walpush.TermHistory;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;

/** Judgements of a proposer with one mistake each. */
public final class WrongProposer {
    private WrongProposer() {}

    /** Commits what older terms wrote as soon as a quorum has it. */
    public static final class CountsOldTerms extends ProposerJudgement {
        @Override
        public Lsn countedFlushLsn(Lsn flushLsn, Lsn termStartLsn) {
            return flushLsn;
        }
    }

    /** Asks only the first set of a joint configuration. */
    public static final class CountsFirstSet extends ProposerJudgement {
        @Override
        public boolean isQuorum(List<AcceptorSet> sets, Predicate<SafekeeperRef> predicate) {
            return super.isQuorum(sets.stream().limit(1).toList(), predicate);
        }

        @Override
        public Lsn commitLsn(List<AcceptorSet> sets, Function<SafekeeperRef, Lsn> countedFlushLsn) {
            return super.commitLsn(sets.stream().limit(1).toList(), countedFlushLsn);
        }
    }

    /** Makes one set of both. */
    public static final class CountsUnion extends ProposerJudgement {
        @Override
        public boolean isQuorum(List<AcceptorSet> sets, Predicate<SafekeeperRef> predicate) {
            return super.isQuorum(union(sets), predicate);
        }

        @Override
        public Lsn commitLsn(List<AcceptorSet> sets, Function<SafekeeperRef, Lsn> countedFlushLsn) {
            return super.commitLsn(union(sets), countedFlushLsn);
        }

        private static List<AcceptorSet> union(List<AcceptorSet> sets) {
            if (sets.size() < 2) {
                return sets;
            }
            List<SafekeeperRef> known = sets.stream()
                    .flatMap(set -> set.known().stream())
                    .distinct()
                    .toList();
            int size = Math.max(
                    known.size(),
                    sets.stream().mapToInt(AcceptorSet::size).max().orElse(0));
            return List.of(new AcceptorSet(size, known));
        }
    }

    /** Elects the longest log. */
    public static final class LongestLogWins extends ProposerJudgement {
        @Override
        public Vote donor(List<Vote> votes) {
            return votes.stream().max(Comparator.comparing(Vote::flushLsn)).orElseThrow();
        }
    }

    /** Streams on from the end of whatever log there is. */
    public static final class StartsAtFlush extends ProposerJudgement {
        @Override
        public Lsn startPoint(TermHistory mine, Vote vote) {
            return vote.flushLsn().isValid() ? vote.flushLsn() : super.startPoint(mine, vote);
        }
    }

    /** Truncates what is on everybody, committed or not. */
    public static final class TruncatesAtFlush extends ProposerJudgement {
        @Override
        public Lsn truncateLsn(Lsn known, Lsn lowestFlushLsn, Lsn commitLsn) {
            return known.max(lowestFlushLsn.plus(8));
        }
    }
}
