package io.tidemark.shim.compute;

import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.proposer.SafekeeperStatus;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a shim publishes about itself; immutable, at most a tick old.
 *
 * @param term the term this shim was elected in; 0 before
 * @param startLsn where this term's WAL begins; invalid before
 * @param sourceLsn end of the WAL received from PostgreSQL
 * @param commitLsn what a quorum has, which is what PostgreSQL was told
 * @param bufferedBytes memory that holds WAL
 * @param postgresConnections how often WAL was asked of PostgreSQL; more than once means that the connection was lost
 * @param problem the last thing that went wrong, empty when nothing did since the last success
 * @param fence who won, when fenced
 */
public record ShimStatus(
        ShimState state,
        TenantTimelineId timeline,
        Term term,
        Lsn startLsn,
        Lsn sourceLsn,
        Lsn commitLsn,
        long bufferedBytes,
        long postgresConnections,
        List<Safekeeper> safekeepers,
        String problem,
        @Nullable FenceReport fence) {

    /**
     * One safekeeper as this shim sees it.
     *
     * @param nodeId unknown until its first greeting
     * @param phase where its connection is
     * @param term the last one it has shown
     * @param flushLsn what it last reported; survives a lost connection
     * @param lagBytes from its flush_lsn to the source's end; 0 when it never reported
     * @param fedBy who brings it the WAL that the buffer no longer holds; empty when the buffer does
     */
    public record Safekeeper(
            SafekeeperAddress address,
            @Nullable NodeId nodeId,
            SafekeeperStatus.Phase phase,
            Term term,
            Lsn flushLsn,
            long lagBytes,
            String fedBy,
            String problem) {}
}
