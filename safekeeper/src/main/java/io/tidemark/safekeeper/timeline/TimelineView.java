package io.tidemark.safekeeper.timeline;

import io.tidemark.safekeeper.acceptor.ConnectionId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.PageserverFeedback;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What everybody but its owner knows of a timeline: published after each batch, immutable.
 *
 * @param snapshot as of the last batch; null when the timeline could not be loaded. After a failure it is the last one before it
 * @param failure why the timeline stands still; null when it does not
 * @param stopped true when it was deleted or the process goes down: nothing is wrong, but nothing goes on
 * @param reopens true when a failed timeline is tried anew at the next greeting of a proposer
 */
public record TimelineView(
        TenantTimelineId ttid,
        @Nullable TimelineSnapshot snapshot,
        @Nullable String failure,
        boolean stopped,
        boolean reopens,
        List<Proposer> proposers,
        List<Reader> readers,
        @Nullable PageserverFeedback lastPageserverFeedback,
        long pageserverFeedbackCount) {

    /** A proposer connected here; {@code electedTerm} is null until it is elected. */
    public record Proposer(
            ConnectionId connection, @Nullable Term electedTerm) {}

    /** A reader of WAL connected here. */
    public record Reader(ConnectionId connection, ReaderFeedback feedback) {}

    public boolean isLoaded() {
        return failure == null && snapshot != null;
    }
}
