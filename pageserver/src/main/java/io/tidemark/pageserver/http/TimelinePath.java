package io.tidemark.pageserver.http;

import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineRegistry;
import io.tidemark.runtime.http.HttpError;
import io.tidemark.runtime.http.HttpRequestView;
import io.tidemark.runtime.http.Router;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.util.function.Function;

/** The paths of tenants and timelines, and what they name. */
final class TimelinePath {
    static final String TENANTS = "/v1/tenant";
    static final String TENANT = TENANTS + "/" + Router.TENANT;
    static final String TIMELINES = TENANT + "/timeline";
    static final String TIMELINE = TIMELINES + "/{timeline}";

    private final TimelineRegistry timelines;

    TimelinePath(TimelineRegistry timelines) {
        this.timelines = timelines;
    }

    static TenantId tenantId(HttpRequestView request) {
        return parse("tenant id", request.variable("tenant_id"), TenantId::parse);
    }

    static TenantTimelineId timelineId(HttpRequestView request) {
        return new TenantTimelineId(
                tenantId(request), parse("timeline id", request.variable("timeline"), TimelineId::parse));
    }

    /** The timeline of a path; 404 when it is not here, 500 when it cannot be served. */
    Timeline timeline(HttpRequestView request) {
        TenantTimelineId id = timelineId(request);
        return timelines.find(id).orElseThrow(() -> {
            String broken = timelines.broken().get(id);
            return broken == null
                    ? HttpError.notFound("timeline " + id + " is not on this pageserver")
                    : new HttpError(500, "timeline " + id + " is not served: " + broken);
        });
    }

    /** Parses what a caller gave; 400 with its name when it is wrong. */
    static <T> T parse(String name, String text, Function<String, T> parser) {
        try {
            return parser.apply(text);
        } catch (IllegalArgumentException e) {
            throw HttpError.badRequest(name + ": " + e.getMessage());
        }
    }

    /** What a route does that may fail for reasons of this machine's. */
    @FunctionalInterface
    interface Work {
        void run() throws IOException;
    }

    /** Does it; 500 when it fails. */
    static void run(Work work) {
        try {
            work.run();
        } catch (IOException e) {
            throw new HttpError(500, String.valueOf(e.getMessage()));
        }
    }
}
