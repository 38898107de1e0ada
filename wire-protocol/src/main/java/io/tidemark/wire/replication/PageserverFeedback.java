package io.tidemark.wire.replication;

import io.tidemark.wire.id.Lsn;

/**
 * How far a pageserver is with a timeline; relayed by safekeepers to the compute.
 *
 * @param currentTimelineSizeBytes logical size; 0 is "unknown"
 * @param lastReceivedLsn wire key ps_writelsn
 * @param diskConsistentLsn wire key ps_flushlsn
 * @param remoteConsistentLsn wire key ps_applylsn
 * @param replyTimeMicros microseconds since 2000-01-01 UTC
 * @param shardNumber 0 when unsharded
 */
public record PageserverFeedback(
        long currentTimelineSizeBytes,
        Lsn lastReceivedLsn,
        Lsn diskConsistentLsn,
        Lsn remoteConsistentLsn,
        long replyTimeMicros,
        int shardNumber,
        boolean corruptionDetected) {}
