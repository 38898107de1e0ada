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
        long creationTimeMillis) {

    /** The same with another term. */
    public AcceptorState withTerm(Term newTerm) {
        return new AcceptorState(
                ttid,
                newTerm,
                termHistory,
                membership,
                pgVersion,
                systemId,
                walSegmentSizeBytes,
                timelineStartLsn,
                localStartLsn,
                commitLsn,
                backupLsn,
                peerHorizonLsn,
                remoteConsistentLsn,
                creationTimeMillis);
    }

    /** The same with another history. */
    public AcceptorState withTermHistory(TermHistory newHistory) {
        return new AcceptorState(
                ttid,
                term,
                newHistory,
                membership,
                pgVersion,
                systemId,
                walSegmentSizeBytes,
                timelineStartLsn,
                localStartLsn,
                commitLsn,
                backupLsn,
                peerHorizonLsn,
                remoteConsistentLsn,
                creationTimeMillis);
    }

    /** The same with another membership configuration. */
    public AcceptorState withMembership(MembershipConfig newMembership) {
        return new AcceptorState(
                ttid,
                term,
                termHistory,
                newMembership,
                pgVersion,
                systemId,
                walSegmentSizeBytes,
                timelineStartLsn,
                localStartLsn,
                commitLsn,
                backupLsn,
                peerHorizonLsn,
                remoteConsistentLsn,
                creationTimeMillis);
    }

    /** The same WAL as written by another server. */
    public AcceptorState withServer(PgVersion newVersion, SystemId newSystemId) {
        return new AcceptorState(
                ttid,
                term,
                termHistory,
                membership,
                newVersion,
                newSystemId,
                walSegmentSizeBytes,
                timelineStartLsn,
                localStartLsn,
                commitLsn,
                backupLsn,
                peerHorizonLsn,
                remoteConsistentLsn,
                creationTimeMillis);
    }

    /** The same with both start LSNs set. */
    public AcceptorState withStart(Lsn newTimelineStart, Lsn newLocalStart) {
        return new AcceptorState(
                ttid,
                term,
                termHistory,
                membership,
                pgVersion,
                systemId,
                walSegmentSizeBytes,
                newTimelineStart,
                newLocalStart,
                commitLsn,
                backupLsn,
                peerHorizonLsn,
                remoteConsistentLsn,
                creationTimeMillis);
    }

    /** The same with the lazily persisted LSNs as given. */
    public AcceptorState withLsns(Lsn commit, Lsn backup, Lsn peerHorizon, Lsn remoteConsistent) {
        return new AcceptorState(
                ttid,
                term,
                termHistory,
                membership,
                pgVersion,
                systemId,
                walSegmentSizeBytes,
                timelineStartLsn,
                localStartLsn,
                commit,
                backup,
                peerHorizon,
                remoteConsistent,
                creationTimeMillis);
    }
}
