package io.tidemark.safekeeper.acceptor;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.TermHistory;

/**
 * What an acceptor must remember across crashes: the contents of the control file, replaced as one.
 *
 * <p>Term, history, membership, server and start LSNs are persisted before their effect is visible outside. The other LSNs are
 * persisted lazily: an older value after a crash is harmless, a newer one than the WAL supports is not.
 *
 * @param timelineStartLsn where the timeline's WAL begins anywhere; 0 until the first election
 * @param localStartLsn since where this safekeeper has it; 0 until the first election
 * @param creationTimeMillis milliseconds since 1970
 */
public record AcceptorState(
        TenantTimelineId ttid,
        Term term,
        TermHistory termHistory,
        MembershipConfig membership,
        PgVersion pgVersion,
        SystemId systemId,
        int walSegmentSizeBytes,
        Lsn timelineStartLsn,
        Lsn localStartLsn,
        Lsn commitLsn,
        Lsn backupLsn,
        Lsn peerHorizonLsn,
        Lsn remoteConsistentLsn,
        long creationTimeMillis) {}
