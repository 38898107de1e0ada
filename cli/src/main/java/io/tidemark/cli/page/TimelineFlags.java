package io.tidemark.cli.page;

import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import picocli.CommandLine.Option;

/** Which timeline. */
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class TimelineFlags {
    @Option(names = "--tenant-id", paramLabel = "HEX", required = true, description = "32 hex digits.")
    private String tenantId;

    @Option(names = "--timeline-id", paramLabel = "HEX", required = true, description = "32 hex digits.")
    private String timelineId;

    /** Throws {@link IllegalArgumentException} when one is no id. */
    TenantTimelineId id() {
        return new TenantTimelineId(TenantId.parse(tenantId), TimelineId.parse(timelineId));
    }
}
