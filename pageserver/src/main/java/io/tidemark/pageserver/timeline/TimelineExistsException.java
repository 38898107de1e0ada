package io.tidemark.pageserver.timeline;

import io.tidemark.wire.id.TenantTimelineId;

/** A timeline that was to be made is there already, or is being made. */
public final class TimelineExistsException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    TimelineExistsException(TenantTimelineId id) {
        super("timeline " + id + " exists already, or is being made");
    }

    String text() {
        return String.valueOf(getMessage());
    }
}
