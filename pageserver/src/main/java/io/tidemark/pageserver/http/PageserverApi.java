package io.tidemark.pageserver.http;

import io.tidemark.pageserver.metrics.PageserverMetrics;
import io.tidemark.pageserver.timeline.TimelineMaintenance;
import io.tidemark.pageserver.timeline.TimelineRegistry;
import io.tidemark.runtime.auth.Gate;
import io.tidemark.runtime.http.HttpError;
import io.tidemark.runtime.http.HttpReply;
import io.tidemark.runtime.http.Router;
import io.tidemark.runtime.http.Router.Access;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The routes that concern the process. */
public final class PageserverApi {
    private final long id;
    private final TimelineRegistry timelines;
    private final Map<String, String> settings;
    private final PageserverMetrics metrics;
    private final BooleanSupplier ready;
    private final Gate gate;
    private final List<Consumer<Router>> more;

    /**
     * Routes for one server.
     *
     * @param more add theirs: {@link #timelineRoutes}
     * @param settings by the names of their flags, for people
     * @param ready false before the start is complete and from the begin of the shutdown
     * @param gate who may ask
     */
    public PageserverApi(
            long id,
            TimelineRegistry timelines,
            List<Consumer<Router>> more,
            Map<String, String> settings,
            PageserverMetrics metrics,
            BooleanSupplier ready,
            Gate gate) {
        this.id = id;
        this.timelines = timelines;
        this.more = List.copyOf(more);
        this.settings = settings;
        this.metrics = metrics;
        this.ready = ready;
        this.gate = gate;
    }

    /** The routes of timelines, for the constructor. */
    public static List<Consumer<Router>> timelineRoutes(
            TimelineRegistry timelines, TimelineCreation creation, TimelineMaintenance maintenance) {
        return List.of(
                new TimelineRoutes(timelines, creation)::addTo,
                new MaintenanceRoutes(timelines, maintenance)::addTo,
                new TimeRoutes(timelines, maintenance)::addTo);
    }

    static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    static ArrayNode array() {
        return JsonNodeFactory.instance.arrayNode();
    }

    /** All routes. */
    public Router router() {
        Router router = new Router(gate)
                .on("GET", "/metrics", Access.EVERYBODY, request -> metrics())
                .on("GET", "/health", Access.EVERYBODY, request -> health())
                .on("POST", "/v1/reload_auth_validation_keys", request -> reloadKeys())
                .on("GET", "/v1/status", Access.EVERYBODY, request -> HttpReply.json(object().put("id", id)))
                .on("GET", "/v1/config", request -> config())
                .on("GET", "/openapi.json", Access.EVERYBODY, request -> openApi());
        more.forEach(routes -> routes.accept(router));
        return router;
    }

    private HttpReply reloadKeys() {
        try {
            return HttpReply.json(object().put("keys", gate.reload()));
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
        boolean isReady = ready.getAsBoolean();
        HttpReply reply = HttpReply.json(object().put("status", isReady ? "ready" : "not ready")
                .put("timelines", timelines.all().size())
                .put("broken_timelines", timelines.broken().size()));
        return isReady ? reply : new HttpReply(503, reply.contentType(), reply.body());
    }

    private static HttpReply openApi() {
        try (InputStream in = PageserverApi.class.getResourceAsStream("openapi.json")) {
            if (in == null) {
                throw new IllegalStateException("openapi.json is not beside " + PageserverApi.class);
            }
            return new HttpReply(200, HttpReply.JSON, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new HttpError(500, "openapi.json: " + e.getMessage());
        }
    }

    private HttpReply config() {
        ObjectNode node = object();
        settings.forEach(node::put);
        return HttpReply.json(node);
    }
}
