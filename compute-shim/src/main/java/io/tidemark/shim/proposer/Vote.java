package io.tidemark.shim.proposer;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.TermHistory;

/**
 * What a safekeeper's log looked like when it answered a vote request.
 *
 * @param history cut at flush_lsn
 */
public record Vote(SafekeeperRef safekeeper, Lsn flushLsn, Lsn truncateLsn, TermHistory history) {
    /** The term that wrote the end of the log. */
    public Term lastLogTerm() {
        return history.lastTerm();
    }
}
