package io.tidemark.pageserver.http;

import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.RetentionConfig;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineMaintenance;
import io.tidemark.pageserver.timeline.TimelineRegistry;
import io.tidemark.runtime.http.HttpError;
import io.tidemark.runtime.http.HttpReply;
import io.tidemark.runtime.http.HttpRequestView;
import io.tidemark.runtime.http.Router;
import io.tidemark.wire.id.Lsn;
import java.time.Duration;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What is done to a timeline's storage, and what there is to see of it. */
final class MaintenanceRoutes {
    private final TimelinePath path;
    private final TimelineMaintenance maintenance;

    MaintenanceRoutes(TimelineRegistry timelines, TimelineMaintenance maintenance) {
        this.path = new TimelinePath(timelines);
        this.maintenance = maintenance;
    }

    /** Adds its routes. */
    void addTo(Router router) {
        router.on("PUT", TimelinePath.TIMELINE + "/checkpoint", this::checkpoint)
                .on("PUT", TimelinePath.TIMELINE + "/compact", this::compact)
                .on("PUT", TimelinePath.TIMELINE + "/do_gc", this::collectGarbage)
                .on("GET", TimelinePath.TIMELINE + "/layer", this::layers)
                .on("GET", TimelinePath.TIMELINE + "/keyspace", this::keyspace);
    }

    private HttpReply checkpoint(HttpRequestView request) {
        Timeline timeline = path.timeline(request);
        boolean compact = request.flag("compact", false) || request.flag("force_l0_compaction", false);
        TimelinePath.run(() -> {
            maintenance.flush(timeline);
            if (compact) {
                timeline.compactor().compactL0();
            }
        });
        return HttpReply.json(TimelineInfo.of(timeline));
    }

    private HttpReply compact(HttpRequestView request) {
        Timeline timeline = path.timeline(request);
        boolean all = request.flag("force_image_layer_creation", false)
                || request.flag("enhanced_gc_bottom_most_compaction", false);
        TimelinePath.run(() -> {
            timeline.compactor().compactL0();
            if (all) {
                timeline.compactor().collectAll();
            }
        });
        return HttpReply.nothing();
    }

    private HttpReply collectGarbage(HttpRequestView request) {
        Timeline timeline = path.timeline(request);
        RetentionConfig retention = retention(request);
        int before = timeline.store().layers().layers().size();
        long begin = System.nanoTime();
        Lsn cutoff = maintenance.moveCutoff(timeline, retention);
        TimelinePath.run(() -> timeline.compactor().collectAll());
        int after = timeline.store().layers().layers().size();
        Duration elapsed = Duration.ofNanos(System.nanoTime() - begin);
        ObjectNode node = PageserverApi.object()
                .put("layers_total", before)
                .put("layers_removed", Math.max(0, before - after))
                .put("layers_left", after)
                .put("applied_gc_cutoff_lsn", cutoff.toString());
        node.set(
                "elapsed",
                PageserverApi.object().put("secs", elapsed.toSeconds()).put("nanos", elapsed.toNanosPart()));
        return HttpReply.json(node);
    }

    /** The configured one, but for what the body says: {@code gc_horizon} in bytes, and {@code pitr_interval} in seconds. */
    private RetentionConfig retention(HttpRequestView request) {
        RetentionConfig config = maintenance.config();
        if (request.body().isBlank() || request.body().equals("null")) {
            return config;
        }
        JsonNode body = request.json();
        try {
            return new RetentionConfig(
                    body.path("gc_horizon").asLong(config.horizonBytes()),
                    Duration.ofSeconds(body.path("pitr_interval")
                            .asLong(config.pitrInterval().toSeconds())),
                    config.leaseLength(),
                    config.timestampLeaseLength());
        } catch (IllegalArgumentException e) {
            throw HttpError.badRequest("gc_horizon is a number of bytes, pitr_interval one of seconds, not " + body);
        }
    }

    /** Neon's LayerMapInfo. */
    private HttpReply layers(HttpRequestView request) {
        Timeline timeline = path.timeline(request);
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
        Timeline timeline = path.timeline(request);
        Lsn at = request.parameter("at_lsn")
                .map(text -> TimelinePath.parse("at_lsn", text, Lsn::parse))
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
}
