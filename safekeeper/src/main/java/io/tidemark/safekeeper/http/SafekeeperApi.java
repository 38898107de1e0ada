package io.tidemark.safekeeper.http;

import io.tidemark.runtime.auth.Gate;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.http.HttpError;
import io.tidemark.runtime.http.HttpReply;
import io.tidemark.runtime.http.HttpRequestView;
import io.tidemark.runtime.http.Router;
import io.tidemark.runtime.http.Router.Access;
import io.tidemark.safekeeper.metrics.SafekeeperMetrics;
import io.tidemark.safekeeper.timeline.Connections;
import io.tidemark.safekeeper.timeline.TimelineRegistry;
import io.tidemark.safekeeper.timeline.TimelineView;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The routes that concern the process; those of timelines are in {@link TimelineRoutes}. */
public final class SafekeeperApi {
    private static final Set<String> DUMP_PARAMETERS = Set.of(
            "dump_all",
            "dump_control_file",
            "dump_memory",
            "dump_disk_content",
            "dump_wal_last_modified",
            "dump_term_history",
            "tenant_id",
            "timeline_id");

    private final TimelineRegistry registry;
    private final Connections connections;
    private final Map<String, String> settings;
    private final Disk disk;
    private final SafekeeperMetrics metrics;
    private final BooleanSupplier ready;
    private final Gate gate;

    /**
     * @param settings by the names of their flags, for people
     * @param disk of the data directory, for its capacity
     * @param ready false before the start is complete and from the begin of the shutdown
     * @param gate who may ask
     */
    public SafekeeperApi(
            TimelineRegistry registry,
            Connections connections,
            Map<String, String> settings,
            Disk disk,
            SafekeeperMetrics metrics,
            BooleanSupplier ready,
            Gate gate) {
        this.registry = registry;
        this.connections = connections;
        this.settings = settings;
        this.disk = disk;
        this.metrics = metrics;
        this.ready = ready;
        this.gate = gate;
    }

    /** All routes. */
    public Router router() {
        Router router = new Router(gate)
                .on("GET", "/metrics", Access.EVERYBODY, request -> metrics())
                .on("GET", "/health", Access.EVERYBODY, request -> health())
                .on("GET", "/v1/status", Access.EVERYBODY, request -> status())
                .on("POST", "/v1/reload_auth_validation_keys", request -> reloadKeys())
                .on("GET", "/v1/utilization", request -> utilization())
                .on("GET", "/v1/config", request -> config())
                .on("GET", "/v1/debug/filesystem_usage", request -> filesystemUsage())
                .on("GET", "/v1/debug_dump", this::debugDump);
        new TimelineRoutes(registry, connections).addTo(router);
        return router;
    }

    private HttpReply reloadKeys() {
        try {
            return HttpReply.json(JsonShapes.object().put("keys", gate.reload()));
        } catch (IOException e) {
            throw new HttpError(500, "the keys stay as they were: " + e.getMessage());
        }
    }

    private HttpReply metrics() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            metrics.writeText(out);
        } catch (IOException e) {
            throw new HttpError(500, "metrics: " + e.getMessage());
        }
        return new HttpReply(200, "text/plain; version=0.0.4; charset=utf-8", out.toString(StandardCharsets.UTF_8));
    }

    private HttpReply health() {
        long broken = registry.all().stream()
                .filter(timeline -> !timeline.view().isLoaded())
                .count();
        boolean isReady = ready.getAsBoolean();
        ObjectNode node = JsonShapes.object()
                .put("status", isReady ? "ready" : "not ready")
                .put("timelines", registry.count())
                .put("broken_timelines", broken);
        HttpReply reply = HttpReply.json(node);
        return isReady ? reply : new HttpReply(503, reply.contentType(), reply.body());
    }

    private HttpReply status() {
        ObjectNode node = JsonShapes.object();
        JsonShapes.putUnsigned(node, "id", registry.me().value());
        return HttpReply.json(node);
    }

    private HttpReply utilization() {
        return HttpReply.json(JsonShapes.object().put("timeline_count", registry.count()));
    }

    private HttpReply config() {
        return HttpReply.json(configNode());
    }

    private ObjectNode configNode() {
        ObjectNode node = JsonShapes.object();
        settings.forEach(node::put);
        return node;
    }

    private HttpReply filesystemUsage() {
        try {
            Disk.Space space = disk.space();
            return HttpReply.json(JsonShapes.object()
                    .put("data_dir", settings.get("data-dir"))
                    .put("capacity_bytes", space.capacityBytes())
                    .put("usage_bytes", space.capacityBytes() - space.usableBytes()));
        } catch (IOException e) {
            throw new HttpError(500, "the disk does not say how much room it has: " + e.getMessage());
        }
    }

    private HttpReply debugDump(HttpRequestView request) {
        for (String name : request.query().keySet()) {
            if (!DUMP_PARAMETERS.contains(name)) {
                throw HttpError.badRequest("unknown parameter '" + name + "'");
            }
        }
        boolean all = request.flag("dump_all", false);
        boolean controlFile = request.flag("dump_control_file", all);
        boolean memory = request.flag("dump_memory", all);
        boolean termHistory = request.flag("dump_term_history", true);
        String tenant = request.parameter("tenant_id").orElse("");
        String timelineId = request.parameter("timeline_id").orElse("");
        String start = Instant.now().toString();
        ArrayNode timelines = JsonShapes.array();
        for (var timeline : registry.all()) {
            TimelineView view = timeline.view();
            if ((tenant.isEmpty() || tenant.equals(view.ttid().tenantId().toString()))
                    && (timelineId.isEmpty()
                            || timelineId.equals(view.ttid().timelineId().toString()))) {
                timelines.add(JsonShapes.dump(view, controlFile, memory, termHistory));
            }
        }
        ObjectNode node = JsonShapes.object()
                .put("start_time", start)
                .put("finish_time", Instant.now().toString());
        node.set("timelines", timelines);
        node.put("timelines_count", timelines.size());
        node.set("config", configNode());
        return HttpReply.json(node);
    }
}
