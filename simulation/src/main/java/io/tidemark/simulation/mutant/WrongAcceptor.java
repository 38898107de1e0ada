package io.tidemark.simulation.mutant;

import io.tidemark.safekeeper.acceptor.AcceptorJudgement;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.TermHistory;

/** Judgements of an acceptor with one mistake each. */
public final class WrongAcceptor {
    private WrongAcceptor() {}

    /** Votes again in the term it has voted in. */
    public static final class VotesTwice extends AcceptorJudgement {
        @Override
        public boolean mayVote(Term mine, Term asked) {
            return !asked.isBefore(mine);
        }
    }

    /** Does not notice that a proposer has been replaced. */
    public static final class FollowsStaleTerms extends AcceptorJudgement {
        @Override
        public boolean isStale(Term mine, Term theirs) {
            return false;
        }
    }

    /** Claims history of WAL that it does not have. */
    public static final class ShowsFullHistory extends AcceptorJudgement {
        @Override
        public TermHistory reportableHistory(TermHistory adopted, Lsn flushLsn) {
            return adopted;
        }
    }

    /** Reports whatever it has written. */
    public static final class ReportsWriteLsn extends AcceptorJudgement {
        @Override
        public Lsn reportableFlushLsn(Lsn flushedRecordEnd, Lsn writeLsn) {
            return writeLsn;
        }
    }

    /** Reports a commit_lsn that a crash forgets. */
    public static final class ReportsCommitInMemory extends AcceptorJudgement {
        @Override
        public Lsn reportableCommitLsn(Lsn persisted, Lsn inMemory) {
            return inMemory;
        }
    }

    /** Takes the announced commit_lsn for its own. */
    public static final class CommitsBeyondFlush extends AcceptorJudgement {
        @Override
        public Lsn commitLsn(Lsn announced, Lsn known, Lsn flushLsn) {
            return announced.max(known);
        }
    }

    /** Follows any membership generation. */
    public static final class IgnoresGeneration extends AcceptorJudgement {
        @Override
        public boolean isMyGeneration(long mine, long theirs) {
            return true;
        }
    }

    /** Lets the proposer say where the logs part. */
    public static final class BelievesStartPoint extends AcceptorJudgement {
        @Override
        public Lsn startPoint(TermHistory proposer, TermHistory mine, Lsn flushLsn) {
            return flushLsn.isValid() ? flushLsn : super.startPoint(proposer, mine, flushLsn);
        }
    }
}
