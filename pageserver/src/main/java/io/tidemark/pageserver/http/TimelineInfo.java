package io.tidemark.pageserver.http;

import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.wire.id.Lsn;
import tools.jackson.databind.node.ObjectNode;

/** What is told about a timeline. */
final class TimelineInfo {
    private TimelineInfo() {}

    /** Neon's TimelineInfo, as far as it has a meaning here. */
    static ObjectNode of(Timeline timeline) {
        var metadata = timeline.metadata();
        ObjectNode node = PageserverApi.object()
                .put("tenant_id", metadata.id().tenantId().toString())
                .put("timeline_id", metadata.id().timelineId().toString());
        metadata.ancestor()
                .ifPresent(branch -> node.put(
                                "ancestor_timeline_id", branch.timelineId().toString())
                        .put("ancestor_lsn", branch.lsn().toString()));
        String failure = timeline.failure();
        var layers = timeline.store().layers();
        long fileBytes = layers.layers().stream()
                .mapToLong(layer -> layer.descriptor().fileBytes())
                .sum();
        return node.put("last_record_lsn", timeline.lastRecordLsn().toString())
                .put("prev_record_lsn", timeline.prevRecordLsn().toString())
                .put("applied_gc_cutoff_lsn", timeline.gcCutoff().toString())
                .put("min_readable_lsn", timeline.minReadableLsn().toString())
                .put("disk_consistent_lsn", timeline.diskConsistentLsn().toString())
                .put("remote_consistent_lsn", Lsn.INVALID.toString())
                .put("remote_consistent_lsn_visible", Lsn.INVALID.toString())
                .put("initdb_lsn", metadata.startLsn().toString())
                .put("current_physical_size", fileBytes)
                .put("pg_version", metadata.pgMajor())
                .put("data_checksums", metadata.dataChecksums())
                .put("system_id", metadata.systemId().toString())
                .put("state", failure == null ? "Active" : "Stopped")
                .put("walreceiver_status", timeline.ingestStatus());
    }
}
