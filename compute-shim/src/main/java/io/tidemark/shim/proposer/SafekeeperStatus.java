package io.tidemark.shim.proposer;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import org.jspecify.annotations.Nullable;

/**
 * One safekeeper as the proposer sees it, for status lines and metrics.
 *
 * @param nodeId null until its first greeting
 * @param term the last one it has shown; 0 before
 * @param flushLsn last reported in our term, kept while it is offline; 0 before
 * @param commitLsn what it has persisted of our commit_lsn, as last reported
 * @param scheduledLsn end of what it is to be sent
 */
public record SafekeeperStatus(
        SafekeeperRef safekeeper,
        Phase phase,
        @Nullable NodeId nodeId,
        Term term,
        Lsn flushLsn,
        Lsn commitLsn,
        Lsn scheduledLsn) {

    /** Where a connection is. */
    public enum Phase {
        OFFLINE,
        /** Connect is asked for, not yet answered. */
        CONNECTING,
        /** We have greeted. */
        WAIT_GREETING,
        /** It has greeted, there are not enough greetings yet. The safekeeper is silent. */
        WAIT_VOTING,
        /** Its vote is asked for. */
        WAIT_VERDICT,
        /** It has voted, we are not elected yet. The safekeeper is silent. */
        WAIT_ELECTED,
        /** It was told that we are elected and is streamed to. */
        ACTIVE
    }
}
