package io.tidemark.simulation.invariant;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.TermHistory;

/** What one safekeeper's timeline looks like from outside between two events. {@code commitLsn} is the one in memory. */
public record AcceptorView(
        Term term,
        TermHistory termHistory,
        MembershipConfig membership,
        Lsn timelineStartLsn,
        Lsn localStartLsn,
        Lsn writeLsn,
        Lsn flushLsn,
        Lsn commitLsn,
        Lsn persistedCommitLsn,
        Lsn backupLsn,
        Lsn peerHorizonLsn,
        Lsn remoteConsistentLsn) {

    /** The history of the log as it is: entries that start beyond its end are announced, not yet there. */
    TermHistory historyToFlush() {
        return termHistory.upTo(flushLsn);
    }
}
