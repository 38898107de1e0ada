package io.tidemark.pageserver.http;

import io.tidemark.pageserver.timeline.BranchException;
import io.tidemark.pageserver.timeline.DetachBehavior;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineRegistry;
import io.tidemark.runtime.http.HttpError;
import io.tidemark.runtime.http.HttpReply;
import io.tidemark.runtime.http.HttpRequestView;
import io.tidemark.runtime.http.Router;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The life of timelines: making, finding, deleting. */
final class TimelineRoutes {
    private final TimelineRegistry timelines;
    private final TimelineCreation creation;
    private final TimelinePath path;

    TimelineRoutes(TimelineRegistry timelines, TimelineCreation creation) {
        this.timelines = timelines;
        this.creation = creation;
        this.path = new TimelinePath(timelines);
    }

    /** Adds its routes. */
    void addTo(Router router) {
        router.on("GET", TimelinePath.TENANTS, request -> tenants())
                .on("GET", TimelinePath.TENANT, this::tenant)
                .on("POST", TimelinePath.TIMELINES, request -> creation.create(TimelinePath.tenantId(request), request))
                .on("GET", TimelinePath.TIMELINES, this::list)
                .on("GET", TimelinePath.TIMELINE, request -> HttpReply.json(TimelineInfo.of(path.timeline(request))))
                .on(
                        "GET",
                        TimelinePath.TIMELINE + "/import",
                        request -> creation.progress(TimelinePath.timelineId(request)))
                .on("DELETE", TimelinePath.TIMELINE, this::delete)
                .on("PUT", TimelinePath.TIMELINE + "/detach_ancestor", this::detach);
    }

    private HttpReply tenants() {
        ArrayNode all = PageserverApi.array();
        timelines.all().stream()
                .map(timeline -> timeline.metadata().id().tenantId().toString())
                .distinct()
                .sorted()
                .forEach(id -> all.add(tenantInfo(id)));
        return HttpReply.json(all);
    }

    private static ObjectNode tenantInfo(String id) {
        ObjectNode node = PageserverApi.object().put("id", id);
        node.set("state", PageserverApi.object().put("slug", "Active"));
        node.set("attachment_status", PageserverApi.object().put("slug", "attached"));
        return node.put("generation", 1);
    }

    private HttpReply tenant(HttpRequestView request) {
        TenantId id = TimelinePath.tenantId(request);
        ArrayNode ids = PageserverApi.array();
        ofTenant(id)
                .forEach(timeline ->
                        ids.add(timeline.metadata().id().timelineId().toString()));
        if (ids.isEmpty()) {
            throw HttpError.notFound("tenant " + id + " is not on this pageserver");
        }
        ObjectNode node = tenantInfo(id.toString());
        node.set("timelines", ids);
        return HttpReply.json(node);
    }

    private List<Timeline> ofTenant(TenantId id) {
        return timelines.all().stream()
                .filter(timeline -> timeline.metadata().id().tenantId().equals(id))
                .sorted(Comparator.comparing(
                        timeline -> timeline.metadata().id().timelineId().toString()))
                .toList();
    }

    private HttpReply list(HttpRequestView request) {
        ArrayNode all = PageserverApi.array();
        ofTenant(TimelinePath.tenantId(request)).forEach(timeline -> all.add(TimelineInfo.of(timeline)));
        return HttpReply.json(all);
    }

    private HttpReply delete(HttpRequestView request) {
        TenantTimelineId id = TimelinePath.timelineId(request);
        if (!timelines.broken().containsKey(id)) {
            path.timeline(request);
        }
        try {
            timelines.delete(id);
        } catch (IllegalStateException e) {
            throw new HttpError(412, String.valueOf(e.getMessage()));
        } catch (IOException e) {
            throw new HttpError(500, String.valueOf(e.getMessage()));
        }
        return new HttpReply(202, HttpReply.JSON, "null");
    }

    private HttpReply detach(HttpRequestView request) {
        Timeline timeline = path.timeline(request);
        DetachBehavior behavior = request.parameter("detach_behavior")
                .map(TimelineRoutes::behavior)
                .orElse(DetachBehavior.NO_ANCESTOR_AND_REPARENT);
        ArrayNode reparented = PageserverApi.array();
        try {
            timelines.detach(timeline, behavior).forEach(id -> reparented.add(id.toString()));
        } catch (BranchException e) {
            int status = switch (e.kind()) {
                case NO_ANCESTOR -> 409;
                case TOO_MANY_ANCESTORS -> 400;
                default -> 503;
            };
            throw new HttpError(status, e.text());
        } catch (IOException e) {
            throw new HttpError(500, String.valueOf(e.getMessage()));
        }
        ObjectNode node = PageserverApi.object();
        node.set("reparented_timelines", reparented);
        return HttpReply.json(node);
    }

    private static DetachBehavior behavior(String name) {
        return DetachBehavior.of(name)
                .orElseThrow(() -> HttpError.badRequest("detach_behavior '" + name + "' is none of v1 ("
                        + DetachBehavior.NO_ANCESTOR_AND_REPARENT + ") and v2 ("
                        + DetachBehavior.MULTI_LEVEL_AND_NO_REPARENT + ")"));
    }
}
