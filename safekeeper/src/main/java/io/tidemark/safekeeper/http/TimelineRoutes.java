package io.tidemark.safekeeper.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.http.HttpError;
import io.tidemark.runtime.http.HttpReply;
import io.tidemark.runtime.http.HttpRequestView;
import io.tidemark.runtime.http.Router;
import io.tidemark.runtime.http.Router.Access;
import io.tidemark.safekeeper.timeline.Connections;
import io.tidemark.safekeeper.timeline.NewTimeline;
import io.tidemark.safekeeper.timeline.Timeline;
import io.tidemark.safekeeper.timeline.TimelineException;
import io.tidemark.safekeeper.timeline.TimelineRegistry;
import io.tidemark.safekeeper.timeline.TimelineSnapshot;
import io.tidemark.safekeeper.timeline.TimelineView;
import io.tidemark.safekeeper.wal.WalReader;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.walpush.MembershipConfig;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The routes of timelines. */
final class TimelineRoutes {
    private static final String TIMELINE = "/v1/tenant/" + Router.TENANT + "/timeline/{timeline_id}";
    private static final int DEFAULT_SEGMENT_BYTES = 16 * 1024 * 1024;
    private static final int DIGEST_CHUNK_BYTES = 128 * 1024;

    private final TimelineRegistry registry;
    private final Connections connections;

    TimelineRoutes(TimelineRegistry registry, Connections connections) {
        this.registry = registry;
        this.connections = connections;
    }

    /** Something that can fail with a reason of a timeline. */
    @FunctionalInterface
    private interface Action {
        HttpReply run(HttpRequestView request) throws TimelineException;
    }

    void addTo(Router router) {
        router.on("POST", "/v1/tenant/timeline", Access.ROUTE_ASKS, answering(this::create, true))
                .on("GET", "/v1/tenant/timeline", request -> list())
                .on("GET", TIMELINE, answering(this::status, false))
                .on("DELETE", TIMELINE, answering(this::delete, false))
                .on("PUT", TIMELINE + "/membership", answering(this::switchMembership, false))
                .on("PUT", TIMELINE + "/exclude", answering(this::exclude, false))
                .on("POST", TIMELINE + "/term_bump", answering(this::bumpTerm, false))
                .on("POST", TIMELINE + "/checkpoint", Access.EVERYTHING, answering(this::checkpoint, false))
                .on("GET", TIMELINE + "/digest", answering(this::digest, false));
    }

    private static Router.Route answering(Action action, boolean creation) {
        return request -> {
            try {
                return action.run(request);
            } catch (TimelineException e) {
                throw new HttpError(statusOf(e.kind(), creation), e.text());
            }
        };
    }

    // Neon's map. At creation a tombstone and what can't be are "everything else", hence 500.
    private static int statusOf(TimelineException.Kind kind, boolean creation) {
        return switch (kind) {
            case NOT_FOUND -> 404;
            case DELETED -> creation ? 500 : 404;
            case INVALID -> creation ? 500 : 400;
            case FORBIDDEN -> 403;
            case CONFLICT -> 409;
            case NOT_NOW, BROKEN, DISK -> 500;
        };
    }

    private static TenantTimelineId ttid(HttpRequestView request) {
        try {
            return new TenantTimelineId(
                    TenantId.parse(request.variable("tenant_id")), TimelineId.parse(request.variable("timeline_id")));
        } catch (IllegalArgumentException e) {
            throw HttpError.badRequest(e.getMessage() == null ? "not an id" : e.getMessage());
        }
    }

    private Timeline timeline(HttpRequestView request) throws TimelineException {
        return registry.require(ttid(request));
    }

    private HttpReply create(HttpRequestView request) throws TimelineException {
        JsonNode body = request.json();
        TenantTimelineId ttid = new TenantTimelineId(
                JsonFields.text(body, "tenant_id", "32 hex digits", TenantId::parse),
                JsonFields.text(body, "timeline_id", "32 hex digits", TimelineId::parse));
        request.requireTenant(ttid.tenantId().toString());
        JsonNode mconf = body.get("mconf");
        if (mconf == null || !mconf.isObject()) {
            throw HttpError.badRequest("field 'mconf' has to be a membership configuration");
        }
        Lsn startLsn = JsonFields.lsn(body, "start_lsn");
        registry.create(new NewTimeline(
                ttid,
                JsonFields.membership(mconf),
                PgVersion.of(JsonFields.number(body, "pg_version", 0, Integer.MAX_VALUE)),
                SystemId.of(JsonFields.isAbsent(body, "system_id") ? 0 : JsonFields.unsigned(body, "system_id")),
                JsonFields.isAbsent(body, "wal_seg_size")
                        ? DEFAULT_SEGMENT_BYTES
                        : JsonFields.number(body, "wal_seg_size", 0, Integer.MAX_VALUE),
                startLsn,
                JsonFields.isAbsent(body, "commit_lsn") ? startLsn : JsonFields.lsn(body, "commit_lsn")));
        return HttpReply.nothing();
    }

    private HttpReply list() {
        ArrayNode array = JsonShapes.array();
        registry.all().forEach(timeline -> array.add(JsonShapes.ids(timeline.ttid())));
        return HttpReply.json(array);
    }

    private HttpReply status(HttpRequestView request) throws TimelineException {
        TimelineView view = timeline(request).view();
        TimelineSnapshot snapshot = view.snapshot();
        if (snapshot == null) {
            throw new HttpError(500, "timeline " + view.ttid() + " is broken: " + view.failure());
        }
        return HttpReply.json(JsonShapes.status(view, snapshot, connections));
    }

    private HttpReply delete(HttpRequestView request) throws TimelineException {
        // There is nothing but local data yet, so only_local changes nothing.
        request.flag("only_local", false);
        return HttpReply.json(JsonShapes.object().put("dir_existed", registry.delete(ttid(request))));
    }

    private HttpReply switchMembership(HttpRequestView request) throws TimelineException {
        MembershipConfig wanted = JsonFields.membership(request.json());
        Timeline timeline = timeline(request);
        if (!wanted.contains(registry.me())) {
            throw new HttpError(403, "node " + registry.me() + " is not a member of generation " + wanted.generation());
        }
        Timeline.Switched switched = timeline.switchMembership(wanted);
        MembershipConfig current = switched.after().state().membership();
        if (current.generation() != wanted.generation()) {
            throw new HttpError(
                    409, "generation " + wanted.generation() + " is not higher than mine, " + current.generation());
        }
        ObjectNode node = JsonShapes.object();
        node.set("previous_conf", JsonShapes.membership(switched.previous()));
        node.set("current_conf", JsonShapes.membership(current));
        JsonShapes.putUnsigned(
                node, "last_log_term", switched.after().lastLogTerm().value());
        node.put("flush_lsn", switched.after().flushLsn().toString());
        return HttpReply.json(node);
    }

    private HttpReply exclude(HttpRequestView request) throws TimelineException {
        MembershipConfig membership = JsonFields.membership(request.json());
        if (membership.contains(registry.me())) {
            throw new HttpError(403, "node " + registry.me() + " is a member of generation " + membership.generation());
        }
        return HttpReply.json(
                JsonShapes.object().put("dir_existed", registry.exclude(ttid(request), membership.generation())));
    }

    private HttpReply bumpTerm(HttpRequestView request) throws TimelineException {
        JsonNode body = request.json();
        @Nullable Term term = JsonFields.isAbsent(body, "term") ? null : Term.of(JsonFields.unsigned(body, "term"));
        Timeline.Bumped bumped = timeline(request).bumpTerm(term);
        ObjectNode node = JsonShapes.object();
        JsonShapes.putUnsigned(node, "previous_term", bumped.previous().value());
        JsonShapes.putUnsigned(node, "current_term", bumped.current().value());
        return HttpReply.json(node);
    }

    private HttpReply checkpoint(HttpRequestView request) throws TimelineException {
        timeline(request).checkpoint();
        return HttpReply.nothing();
    }

    /** SHA-256 of the WAL bytes in a range that is durable here. */
    private HttpReply digest(HttpRequestView request) throws TimelineException {
        Lsn from = lsnParameter(request, "from_lsn");
        Lsn until = lsnParameter(request, "until_lsn");
        Timeline timeline = timeline(request);
        TimelineSnapshot snapshot = timeline.currentSnapshot();
        if (until.isBefore(from) || until.isAfter(snapshot.flushLsn())) {
            throw HttpError.badRequest("from_lsn " + from + " to until_lsn " + until
                    + " is not a range of WAL before flush_lsn " + snapshot.flushLsn());
        }
        ByteBuf chunk = Unpooled.buffer(DIGEST_CHUNK_BYTES);
        try (WalReader reader = timeline.openRawReader()) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            Lsn at = from;
            while (at.isBefore(until)) {
                int bytes = reader.read(at, until, DIGEST_CHUNK_BYTES, chunk.clear());
                digest.update(chunk.array(), chunk.arrayOffset(), bytes);
                at = at.plus(bytes);
            }
            return HttpReply.json(
                    JsonShapes.object().put("sha256", HexFormat.of().formatHex(digest.digest())));
        } catch (IOException e) {
            throw new HttpError(500, "WAL of timeline " + timeline.ttid() + " can't be read: " + e.getMessage());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static Lsn lsnParameter(HttpRequestView request, String name) {
        try {
            return Lsn.parse(request.parameter(name).orElse(""));
        } catch (IllegalArgumentException e) {
            throw HttpError.badRequest("parameter " + name + " has to be an LSN like 0/16B3748");
        }
    }
}
