package io.tidemark.pageserver.http;

import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.timeline.LsnByTimestamp;
import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineMaintenance;
import io.tidemark.pageserver.timeline.TimelineRegistry;
import io.tidemark.runtime.http.HttpError;
import io.tidemark.runtime.http.HttpReply;
import io.tidemark.runtime.http.HttpRequestView;
import io.tidemark.runtime.http.Router;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The routes under {@code /v1/tenant}. */
public final class TimelineRoutes {
    private static final String TIMELINES = "/v1/tenant/" + Router.TENANT + "/timeline";
    private static final String TIMELINE = TIMELINES + "/{timeline}";

    private final TimelineRegistry timelines;
    private final TimelineCreation creation;
    private final TimelineMaintenance maintenance;

    public TimelineRoutes(TimelineRegistry timelines, TimelineCreation creation, TimelineMaintenance maintenance) {
        this.timelines = timelines;
        this.creation = creation;
        this.maintenance = maintenance;
    }

    void addTo(Router router) {
        router.on("GET", "/v1/tenant", request -> tenants())
                .on("GET", "/v1/tenant/" + Router.TENANT, this::tenant)
                .on("POST", TIMELINES, request -> creation.create(tenantId(request), request))
                .on("GET", TIMELINES, this::list)
                .on("GET", TIMELINE, request -> HttpReply.json(TimelineInfo.of(timeline(request))))
                .on("GET", TIMELINE + "/import", request -> creation.progress(id(request)))
                .on("DELETE", TIMELINE, this::delete)
                .on("PUT", TIMELINE + "/checkpoint", this::checkpoint)
                .on("PUT", TIMELINE + "/compact", this::compact)
                .on("PUT", TIMELINE + "/do_gc", this::collectGarbage)
                .on("GET", TIMELINE + "/layer", this::layers)
                .on("GET", TIMELINE + "/keyspace", this::keyspace)
                .on("GET", TIMELINE + "/get_lsn_by_timestamp", this::lsnByTimestamp);
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
        TenantId id = tenantId(request);
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
        ofTenant(tenantId(request)).forEach(timeline -> all.add(TimelineInfo.of(timeline)));
        return HttpReply.json(all);
    }

    private HttpReply delete(HttpRequestView request) {
        Timeline timeline = timeline(request);
        try {
            timelines.delete(timeline.metadata().id());
        } catch (IllegalStateException e) {
            throw new HttpError(412, String.valueOf(e.getMessage()));
        } catch (IOException e) {
            throw new HttpError(500, String.valueOf(e.getMessage()));
        }
        return new HttpReply(202, HttpReply.JSON, "null");
    }

    private HttpReply checkpoint(HttpRequestView request) {
        Timeline timeline = timeline(request);
        boolean compact = request.flag("compact", false) || request.flag("force_l0_compaction", false);
        run(() -> {
            maintenance.flush(timeline);
            if (compact) {
                timeline.compactor().compactL0();
            }
        });
        return HttpReply.json(TimelineInfo.of(timeline));
    }

    private HttpReply compact(HttpRequestView request) {
        Timeline timeline = timeline(request);
        boolean all = request.flag("force_image_layer_creation", false)
                || request.flag("enhanced_gc_bottom_most_compaction", false);
        run(() -> {
            timeline.compactor().compactL0();
            if (all) {
                timeline.compactor().collectAll();
            }
        });
        return HttpReply.nothing();
    }

    private HttpReply collectGarbage(HttpRequestView request) {
        Timeline timeline = timeline(request);
        long horizon = request.body().isBlank() || request.body().equals("null")
                ? maintenance.horizonBytes()
                : request.json().path("gc_horizon").asLong(maintenance.horizonBytes());
        if (horizon < 0) {
            throw HttpError.badRequest("gc_horizon is a number of bytes, not " + horizon);
        }
        int before = timeline.store().layers().layers().size();
        Lsn cutoff = maintenance.moveCutoff(timeline, horizon);
        run(() -> timeline.compactor().collectAll());
        int after = timeline.store().layers().layers().size();
        return HttpReply.json(PageserverApi.object()
                .put("layers_total", before)
                .put("layers_left", after)
                .put("applied_gc_cutoff_lsn", cutoff.toString()));
    }

    @FunctionalInterface
    private interface Work {
        void run() throws IOException;
    }

    private static void run(Work work) {
        try {
            work.run();
        } catch (IOException e) {
            throw new HttpError(500, String.valueOf(e.getMessage()));
        }
    }

    /** Neon's LayerMapInfo. */
    private HttpReply layers(HttpRequestView request) {
        Timeline timeline = timeline(request);
        ArrayNode historic = PageserverApi.array();
        var layers = timeline.store().layers();
        for (var layer : layers.layers()) {
            var descriptor = layer.descriptor();
            ObjectNode node = PageserverApi.object()
                    .put(
                            "kind",
                            descriptor.kind().name().charAt(0)
                                    + descriptor.kind().name().substring(1).toLowerCase(java.util.Locale.ROOT))
                    .put("layer_file_name", descriptor.fileName())
                    .put("layer_file_size", descriptor.fileBytes())
                    .put("lsn_start", descriptor.startLsn().toString())
                    .put("lsn_end", descriptor.endLsn().toString())
                    .put("versions", descriptor.versions())
                    .put("remote", false)
                    .put("l0", layers.l0().contains(layer));
            historic.add(node);
        }
        ObjectNode memory = PageserverApi.object()
                .put("kind", "Open")
                .put("lsn_start", layers.diskConsistentLsn().toString())
                .put("bytes", timeline.store().unflushedBytes());
        ObjectNode node = PageserverApi.object();
        node.set("in_memory_layers", PageserverApi.array().add(memory));
        node.set("historic_layers", historic);
        return HttpReply.json(node);
    }

    private HttpReply keyspace(HttpRequestView request) {
        Timeline timeline = timeline(request);
        Lsn at = request.parameter("at_lsn")
                .map(text -> parse("at_lsn", text, Lsn::parse))
                .orElse(timeline.lastRecordLsn());
        ArrayNode keys = PageserverApi.array();
        try {
            for (KeyRange range : maintenance.keyspace(timeline, at)) {
                keys.add(PageserverApi.array()
                        .add(range.start().toString())
                        .add(range.end().toString()));
            }
        } catch (ReadException e) {
            throw HttpError.badRequest(e.text());
        }
        ObjectNode node = PageserverApi.object();
        node.set("keys", keys);
        return HttpReply.json(node.put("at_lsn", at.toString()));
    }

    private HttpReply lsnByTimestamp(HttpRequestView request) {
        Timeline timeline = timeline(request);
        String text = request.parameter("timestamp")
                .orElseThrow(() -> HttpError.badRequest("timestamp is missing: RFC 3339, 2026-11-26T12:00:00Z"));
        Instant instant;
        try {
            instant = OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException e) {
            throw HttpError.badRequest("timestamp '" + text + "' is not RFC 3339, 2026-11-26T12:00:00Z");
        }
        try {
            LsnByTimestamp.Answer answer = LsnByTimestamp.find(timeline, instant);
            return HttpReply.json(PageserverApi.object()
                    .put("lsn", answer.lsn().toString())
                    .put("kind", answer.kind().name().toLowerCase(java.util.Locale.ROOT)));
        } catch (ReadException e) {
            throw new HttpError(500, e.text());
        }
    }

    private static TenantId tenantId(HttpRequestView request) {
        return parse("tenant id", request.variable("tenant_id"), TenantId::parse);
    }

    private static TenantTimelineId id(HttpRequestView request) {
        return new TenantTimelineId(
                tenantId(request), parse("timeline id", request.variable("timeline"), TimelineId::parse));
    }

    private Timeline timeline(HttpRequestView request) {
        TenantTimelineId id = id(request);
        return timelines.find(id).orElseThrow(() -> {
            Map<TenantTimelineId, String> broken = timelines.broken();
            return broken.containsKey(id)
                    ? new HttpError(500, "timeline " + id + " is not served: " + broken.get(id))
                    : HttpError.notFound("timeline " + id + " is not on this pageserver");
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
}
