package io.tidemark.shim.datadir;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;

/**
 * Which data directory is wanted.
 *
 * @param at the end of a record; invalid: wherever the pageserver is
 * @param forStandby for a server that streams the timeline's WAL, and begins with its last checkpoint; else for one that starts at the
 *     LSN without recovery
 */
public record DirectoryRequest(TenantTimelineId timeline, Lsn at, boolean forStandby) {
    String command() {
        return "fullbackup " + timeline.tenantId() + " " + timeline.timelineId() + (at.isValid() ? " " + at : "")
                + (forStandby ? " --standby" : "");
    }
}
