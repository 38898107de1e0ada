package io.tidemark.safekeeper.acceptor;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import org.jspecify.annotations.Nullable;

/** Makes the append responses, and remembers the feedback of readers that rides on them. */
final class Answers {
    private final AcceptorJudgement judgement;
    private HotStandbyFeedback standbyFeedback = HotStandbyFeedback.NONE;
    private @Nullable PageserverFeedback pageserverFeedback;

    Answers(AcceptorJudgement judgement) {
        this.judgement = judgement;
    }

    void standbys(HotStandbyFeedback feedback) {
        standbyFeedback = feedback;
    }

    void pageserver(PageserverFeedback feedback) {
        pageserverFeedback = feedback;
    }

    // An elected proposer never raises its term, so seeing a higher one is how it learns that it has been replaced.
    // A flush_lsn next to it would invite it to count us toward a quorum it no longer owns.
    AppendResponse termOnly(AcceptorState state) {
        return new AppendResponse(
                state.membership().generation(), state.term(), Lsn.INVALID, Lsn.INVALID, HotStandbyFeedback.NONE, null);
    }

    /** What the connection's proposer may count: nothing but the term when it has been replaced. */
    AppendResponse progress(ProposerConnection connection, AcceptorState state, WalPositions wal, Lsn commitLsn) {
        if (connection.electedTerm == null || judgement.isStale(state.term(), connection.electedTerm)) {
            return termOnly(state);
        }
        Lsn flushLsn = wal.flushLsn().max(state.timelineStartLsn());
        AppendResponse response = new AppendResponse(
                state.membership().generation(),
                state.term(),
                judgement.reportableFlushLsn(flushLsn, wal.writeLsn()),
                judgement.reportableCommitLsn(state.commitLsn(), commitLsn),
                standbyFeedback,
                connection.lastResponse == null ? pageserverFeedback : null);
        connection.lastResponse = response;
        return response;
    }

    /**
     * The connection's last response with the newest pageserver feedback on top; null before the first one, and for a
     * proposer that has been replaced: it hears nothing but the higher term, and that when it appends.
     */
    @Nullable
    AppendResponse pageserverNews(ProposerConnection connection, AcceptorState state) {
        AppendResponse last = connection.lastResponse;
        if (last == null
                || connection.refused
                || !last.term().equals(state.term())
                || last.membershipGeneration() != state.membership().generation()) {
            return null;
        }
        return new AppendResponse(
                last.membershipGeneration(),
                last.term(),
                last.flushLsn(),
                last.commitLsn(),
                last.hotStandbyFeedback(),
                pageserverFeedback);
    }
}
