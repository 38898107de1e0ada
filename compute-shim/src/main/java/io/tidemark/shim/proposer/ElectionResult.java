package io.tidemark.shim.proposer;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.util.List;

/**
 * What the votes of a quorum say.
 *
 * @param startLsn where the surviving log ends and ours begins; 0 when no voter has any WAL
 * @param truncateLsn what an earlier proposer knew that every safekeeper has
 * @param donorHistory history of the surviving log
 * @param donors voters that have all of it
 */
record ElectionResult(Lsn startLsn, Lsn truncateLsn, TermHistory donorHistory, List<SafekeeperRef> donors) {
    static ElectionResult of(List<Vote> votes, ProposerJudgement judgement) {
        Vote donor = judgement.donor(votes);
        Lsn truncateLsn =
                votes.stream().map(Vote::truncateLsn).max(Lsn::compareTo).orElse(Lsn.INVALID);
        List<SafekeeperRef> donors = votes.stream()
                .filter(v -> v.lastLogTerm().equals(donor.lastLogTerm())
                        && v.flushLsn().equals(donor.flushLsn()))
                .map(Vote::safekeeper)
                .toList();
        return new ElectionResult(donor.flushLsn(), truncateLsn.min(donor.flushLsn()), donor.history(), donors);
    }

    boolean isBrandNew() {
        return !startLsn.isValid();
    }

    boolean isLevel() {
        return truncateLsn.equals(startLsn);
    }

    /** A new timeline begins where the configuration says. */
    ElectionResult startingAt(Lsn initialStartLsn) {
        return new ElectionResult(initialStartLsn, initialStartLsn, donorHistory, donors);
    }

    TermHistory historyWith(Term term) {
        return donorHistory.plus(new TermLsn(term, startLsn));
    }
}
