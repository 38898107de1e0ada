package io.tidemark.safekeeper.timeline;

import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;

/**
 * A timeline to be made.
 *
 * @param startLsn where its WAL begins; 0 when the first election will say so
 * @param commitLsn what counts as committed from the start; 0 with a {@code startLsn} of 0
 */
public record NewTimeline(
        TenantTimelineId ttid,
        MembershipConfig membership,
        PgVersion pgVersion,
        SystemId systemId,
        int walSegmentSizeBytes,
        Lsn startLsn,
        Lsn commitLsn) {
    private static final int MIN_SEGMENT_BYTES = 1024 * 1024;
    private static final int MAX_SEGMENT_BYTES = 1024 * 1024 * 1024;

    /** What a proposer's greeting asks for: no configuration, no LSNs. */
    public static NewTimeline of(ProposerMessage.ProposerGreeting greeting) {
        return new NewTimeline(
                new TenantTimelineId(greeting.tenantId(), greeting.timelineId()),
                MembershipConfig.NONE,
                greeting.pgVersion(),
                greeting.systemId(),
                greeting.walSegmentSizeBytes(),
                Lsn.INVALID,
                Lsn.INVALID);
    }

    void requireValid() throws TimelineException {
        if (!pgVersion.isSupported()) {
            throw invalid("PostgreSQL version " + pgVersion.number() + " is not one of " + PgVersion.OLDEST_MAJOR
                    + " to " + PgVersion.NEWEST_MAJOR);
        }
        if (Integer.bitCount(walSegmentSizeBytes) != 1
                || walSegmentSizeBytes < MIN_SEGMENT_BYTES
                || walSegmentSizeBytes > MAX_SEGMENT_BYTES) {
            throw invalid(walSegmentSizeBytes + " is not a WAL segment size (a power of two from 1 MiB to 1 GiB)");
        }
        if (commitLsn.isBefore(startLsn)) {
            throw invalid("commit_lsn " + commitLsn + " is before start_lsn " + startLsn);
        }
    }

    private TimelineException invalid(String what) {
        return new TimelineException(TimelineException.Kind.INVALID, "timeline " + ttid + " can't be created: " + what);
    }

    AcceptorState initialState(long nowMillis) {
        return new AcceptorState(
                ttid,
                Term.ZERO,
                startLsn.isValid() ? TermHistory.of(new TermLsn(Term.ZERO, startLsn)) : TermHistory.EMPTY,
                membership,
                pgVersion,
                systemId,
                walSegmentSizeBytes,
                startLsn,
                startLsn,
                commitLsn,
                startLsn,
                startLsn,
                startLsn,
                nowMillis);
    }
}
