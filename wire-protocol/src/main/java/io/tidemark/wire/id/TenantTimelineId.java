package io.tidemark.wire.id;

/** One WAL stream: a timeline of a tenant. Text form {@code <tenant>/<timeline>}; Neon's "ttid". */
public record TenantTimelineId(TenantId tenantId, TimelineId timelineId) {
    @Override
    public String toString() {
        return tenantId + "/" + timelineId;
    }
}
