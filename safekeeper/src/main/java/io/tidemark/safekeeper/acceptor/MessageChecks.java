package io.tidemark.safekeeper.acceptor;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.TermHistory;
import org.jspecify.annotations.Nullable;

/** Whether a greeting or an elected message fits to what is here. Each check answers with its first objection, or null. */
final class MessageChecks {
    private static final int SHORT_PAGE_HEADER = 24;

    private MessageChecks() {}

    static @Nullable Objection greeting(ProposerGreeting m, AcceptorState state, NodeId me) {
        if (state.pgVersion().isKnown()
                && m.pgVersion().isKnown()
                && state.pgVersion().major() != m.pgVersion().major()) {
            return Objection.of(
                    Refusal.PG_VERSION_MISMATCH,
                    "refusing PostgreSQL " + m.pgVersion() + ", the timeline is of " + state.pgVersion());
        }
        if (!m.tenantId().equals(state.ttid().tenantId())) {
            return Objection.of(
                    Refusal.TENANT_MISMATCH, "refusing tenant " + m.tenantId() + ", the timeline is " + state.ttid());
        }
        if (!m.timelineId().equals(state.ttid().timelineId())) {
            return Objection.of(
                    Refusal.TIMELINE_MISMATCH, "refusing timeline " + m.timelineId() + ", this one is " + state.ttid());
        }
        if (m.walSegmentSizeBytes() != state.walSegmentSizeBytes()) {
            return Objection.of(
                    Refusal.SEGMENT_SIZE_MISMATCH,
                    "refusing WAL segments of " + m.walSegmentSizeBytes() + " bytes, the timeline has "
                            + state.walSegmentSizeBytes());
        }
        long generation = m.membership().generation();
        if (generation > state.membership().generation() && !m.membership().contains(me)) {
            return Objection.of(
                    Refusal.NOT_A_MEMBER,
                    "refused to switch into membership generation " + generation + ": node " + me
                            + " is not a member of it");
        }
        return null;
    }

    static @Nullable Objection elected(
            ProposerElected m, AcceptorState state, WalPositions wal, Lsn commitLsn, AcceptorJudgement judgement) {
        if (m.termHistory().isEmpty()) {
            return Objection.of(Refusal.EMPTY_HISTORY, "refusing an elected message without a term history");
        }
        Lsn start = m.startStreamingAt();
        Lsn flushLsn = wal.flushLsn().max(state.timelineStartLsn());
        Lsn common;
        try {
            requireConsistent(m, state);
            TermHistory mine = judgement.reportableHistory(state.termHistory(), flushLsn);
            common = judgement.startPoint(m.termHistory(), mine, flushLsn);
        } catch (IllegalArgumentException e) {
            String reason = "refusing a corrupt term history for term " + m.term() + ": " + e.getMessage();
            return new Objection(Refusal.CORRUPT_HISTORY, reason, true);
        }
        boolean beyondLog = wal.writeRecordLsn().isValid() && start.isAfter(wal.writeRecordLsn());
        if (!start.equals(common) || beyondLog || !canBeRecordBoundary(start)) {
            // Happens in health: an older connection of this proposer has written after this one voted.
            return Objection.of(
                    Refusal.WRONG_START_POINT,
                    "refusing to start at " + start + ": the common point is " + common + ", flush_lsn is " + flushLsn);
        }
        if (!judgement.mayTruncateTo(start, commitLsn)) {
            String reason = "refusing to cut committed WAL: the proposer of term " + m.term() + " starts at " + start
                    + ", commit_lsn is " + commitLsn;
            return new Objection(Refusal.TRUNCATES_COMMITTED_WAL, reason, true);
        }
        return null;
    }

    /** What a history must satisfy, whatever the log looks like. */
    private static void requireConsistent(ProposerElected m, AcceptorState state) {
        TermHistory history = m.termHistory();
        // WAL that is appended under an older entry than its term would pass for that older term's (invariant 6).
        if (!history.lastTerm().equals(m.term())) {
            throw new IllegalArgumentException("it ends with term " + history.lastTerm());
        }
        Lsn first = history.entries().getFirst().lsn();
        if (!first.isValid()) {
            throw new IllegalArgumentException("it starts at " + first);
        }
        if (state.timelineStartLsn().isValid() && !state.timelineStartLsn().equals(first)) {
            throw new IllegalArgumentException("it starts at " + first + ", the timeline at "
                    + state.timelineStartLsn() + ". If nothing of it was ever committed, delete the timeline on this"
                    + " safekeeper and restart it: it is then made anew and levelled");
        }
    }

    /** Records end 8-byte aligned and never inside a page header. */
    private static boolean canBeRecordBoundary(Lsn lsn) {
        int offset = lsn.pageOffset();
        return offset % 8 == 0 && (offset == 0 || offset >= SHORT_PAGE_HEADER);
    }
}
