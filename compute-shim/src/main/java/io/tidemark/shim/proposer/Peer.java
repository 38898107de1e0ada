package io.tidemark.shim.proposer;

import io.tidemark.shim.proposer.SafekeeperStatus.Phase;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.HotStandbyFeedback;
import org.jspecify.annotations.Nullable;

/** What a proposer knows of one safekeeper. What it has told survives its connection; where the connection is does not. */
final class Peer {
    final SafekeeperRef ref;
    Phase phase = Phase.OFFLINE;
    long nextConnectMillis;
    long lastHeardMillis;
    long lastAskedMillis;

    @Nullable
    NodeId nodeId;

    Term term = Term.ZERO;

    /** Its log at its last answer to a vote request. */
    @Nullable
    Vote vote;

    /** It has given us its vote in our term; it has promised that, so it counts also when the connection is gone. */
    boolean hasVoted;

    /** Last reported in our term; see {@link #activate}. */
    Lsn flushLsn = Lsn.INVALID;

    Lsn commitLsn = Lsn.INVALID;
    HotStandbyFeedback standbyFeedback = HotStandbyFeedback.NONE;

    /** Up to where its log was ours when its connection became active. */
    Lsn joinedLsn = Lsn.INVALID;

    /** End of what was scheduled, and of what of it was handed to the socket. */
    Lsn scheduledLsn = Lsn.INVALID;

    Lsn sentLsn = Lsn.INVALID;

    /** The commit_lsn of the last request that was scheduled for it. */
    Lsn toldCommitLsn = Lsn.INVALID;

    /** Empty requests since its last answer; it may answer several at once. */
    int unansweredBeats;

    Peer(SafekeeperRef ref) {
        this.ref = ref;
    }

    boolean isActive() {
        return phase == Phase.ACTIVE;
    }

    /** True when WAL waits for its socket: whatever is sent to it now waits behind that. */
    boolean hasUnsentWal() {
        return sentLsn.isBefore(scheduledLsn);
    }

    /** Streaming begins at {@code startLsn}, where its log ends in ours. */
    void activate(Lsn startLsn, Lsn voteFlushLsn) {
        phase = Phase.ACTIVE;
        joinedLsn = startLsn;
        scheduledLsn = startLsn;
        sentLsn = startLsn;
        toldCommitLsn = Lsn.INVALID;
        unansweredBeats = 0;
        // What it acknowledged before counts on, as it is durable there. Should it come back with less, it has lost
        // WAL that it had promised, and must not be counted for it.
        flushLsn = flushLsn.min(voteFlushLsn);
    }

    SafekeeperStatus status() {
        return new SafekeeperStatus(ref, phase, nodeId, term, flushLsn, commitLsn, scheduledLsn);
    }
}
