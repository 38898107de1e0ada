package io.tidemark.safekeeper.acceptor;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.util.Optional;

/**
 * The small decisions of an acceptor on which safety hangs, one method each, without state.
 *
 * <p>They stand apart so that the simulation can replace one of them by a wrong one and prove that it would notice. Servers use
 * this class as it is.
 */
public class AcceptorJudgement {
    /** Votes, elected messages and appends count only inside one membership generation (invariant 4). */
    public boolean isMyGeneration(long mine, long theirs) {
        return mine == theirs;
    }

    /** A vote is given once per term: only for a higher one (invariant 2). */
    public boolean mayVote(Term mine, Term asked) {
        return asked.isAfter(mine);
    }

    /** True for a message of a proposer that has been replaced (invariant 12). */
    public boolean isStale(Term mine, Term theirs) {
        return theirs.isBefore(mine);
    }

    /** True when this connection may append in this term: its elected message has been processed (invariant 13). */
    public boolean mayAppend(@org.jspecify.annotations.Nullable Term electedTerm, Term term) {
        return term.equals(electedTerm);
    }

    /** Appends are contiguous (invariant 11). */
    public Optional<Refusal> refuseAppendAt(Lsn writeLsn, Lsn beginLsn) {
        if (beginLsn.isBefore(writeLsn)) {
            return Optional.of(Refusal.APPEND_REWRITES_WAL);
        }
        return beginLsn.isAfter(writeLsn) ? Optional.of(Refusal.APPEND_LEAVES_GAP) : Optional.empty();
    }

    /**
     * What the acceptor calls its flush_lsn: the end of the last complete record that is fsynced (invariants 7 and 8), not what
     * has been handed to the operating system.
     */
    public Lsn reportableFlushLsn(Lsn flushedRecordEnd, Lsn writeLsn) {
        return flushedRecordEnd;
    }

    /** A vote shows the history of the log as it is: entries beyond flush_lsn were adopted, but their WAL is not here. */
    public TermHistory reportableHistory(TermHistory adopted, Lsn flushLsn) {
        return adopted.upTo(flushLsn);
    }

    /** A response shows the persisted commit_lsn: sync mode ends when it sees it, so it must survive a crash. */
    public Lsn reportableCommitLsn(Lsn persisted, Lsn inMemory) {
        return persisted;
    }

    /**
     * Where an elected proposer of this history must start to stream; the beginning of its history when nothing is common.
     *
     * @throws IllegalArgumentException when a term starts at two LSNs
     */
    public Lsn startPoint(TermHistory proposer, TermHistory mine, Lsn flushLsn) {
        return proposer.highestCommonPoint(mine, flushLsn)
                .map(TermLsn::lsn)
                .orElseGet(() -> proposer.entries().getFirst().lsn());
    }

    /** WAL below the commit_lsn that this acceptor knows is never cut (invariant 10). */
    public boolean mayTruncateTo(Lsn endLsn, Lsn commitLsn) {
        return endLsn.isAtLeast(commitLsn);
    }

    /**
     * True when an elected message must cut the WAL. After a start always, even if the positions match: behind the recovered
     * end there may be a torn tail, which would look like WAL again to the next recovery.
     */
    public boolean mustTruncate(boolean pendingSinceStart, Lsn endLsn, Lsn writeLsn, Lsn flushLsn) {
        return pendingSinceStart || !endLsn.equals(writeLsn) || !endLsn.equals(flushLsn);
    }

    /** commit_lsn never decreases and never passes what is durable here (invariant 9). */
    public Lsn commitLsn(Lsn announced, Lsn known, Lsn flushLsn) {
        return announced.max(known).min(flushLsn).max(known);
    }
}
