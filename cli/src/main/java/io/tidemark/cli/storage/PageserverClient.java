package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.cluster.JsonHttp;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Asks a pageserver over HTTP, about the timelines of one tenant. Each call is one request. */
public final class PageserverClient {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
    private static final int MAX_ANSWER_BYTES = 16 << 20;
    private static final Duration QUICK = Duration.ofSeconds(30);
    private static final Duration PATIENT = Duration.ofMinutes(30);
    private static final Duration AS_LONG_AS_IT_TAKES = Duration.ofDays(7);

    private final HostPort address;
    private final JsonHttp http;
    private final String timelines;

    public PageserverClient(HostPort address, TenantId tenant) {
        this.address = address;
        this.http = new JsonHttp(address.toString(), CONNECT_TIMEOUT, MAX_ANSWER_BYTES);
        this.timelines = "/v1/tenant/" + tenant + "/timeline";
    }

    /**
     * A timeline as the pageserver has it.
     *
     * @param ancestor null for one that did not branch
     * @param ancestorLsn where it left its ancestor; invalid for one that did not
     * @param prevRecordLsn where the record starts that ends at lastRecordLsn; invalid when that is not known
     * @param systemId of the cluster whose history it is
     */
    public record TimelineInfo(
            TimelineId id,
            @Nullable TimelineId ancestor,
            Lsn ancestorLsn,
            Lsn lastRecordLsn,
            Lsn prevRecordLsn,
            Lsn minReadableLsn,
            long physicalBytes,
            int pgMajor,
            String systemId,
            String state) {}

    /** An LSN for a moment; {@code kind} is present, future, past or nodata. */
    public record Moment(Lsn lsn, String kind) {}

    /** Whether the process answers. */
    public boolean isUp() {
        try {
            return ask("GET", "/v1/status", null, QUICK).status() == HttpURLConnection.HTTP_OK;
        } catch (IOException e) {
            return false;
        }
    }

    /** A new timeline from the data directory of a server that was shut down. */
    public TimelineInfo importDirectory(TimelineId id, Path directory) throws IOException {
        ObjectNode body = JsonNodeFactory.instance.objectNode().put("new_timeline_id", id.toString());
        body.putObject("import_pgdata")
                .putObject("location")
                .putObject("LocalFs")
                .put("path", directory.toString());
        return info(require("POST", timelines, body, PATIENT));
    }

    /** A new timeline from a server that runs: answers when all of it is copied. Its WAL has to come from the safekeepers meanwhile. */
    public TimelineInfo importServer(TimelineId id, String url, String password) throws IOException {
        ObjectNode body = JsonNodeFactory.instance.objectNode().put("new_timeline_id", id.toString());
        ObjectNode how = body.putObject("import_pgdata")
                .putObject("location")
                .putObject("Postgres")
                .put("url", url);
        if (!password.isEmpty()) {
            how.put("password", password);
        }
        return info(require("POST", timelines, body, AS_LONG_AS_IT_TAKES));
    }

    /** How far a copy is; {@code totalBytes} is 0 before the server has made an estimate. */
    public record CopyProgress(long copiedBytes, long totalBytes) {}

    /** Empty when nothing is being copied for this timeline. */
    public Optional<CopyProgress> copyProgress(TimelineId id) throws IOException {
        JsonHttp.Answer answer = ask("GET", timelines + "/" + id + "/import", null, QUICK);
        if (answer.isNotFound()) {
            return Optional.empty();
        }
        JsonNode node = require(answer);
        return Optional.of(new CopyProgress(
                node.path("copied_bytes").asLong(0), node.path("total_bytes").asLong(0)));
    }

    /** A new timeline that leaves another one at an LSN; null: at its head. */
    public TimelineInfo branch(TimelineId id, TimelineId ancestor, @Nullable Lsn at) throws IOException {
        ObjectNode body = JsonNodeFactory.instance
                .objectNode()
                .put("new_timeline_id", id.toString())
                .put("ancestor_timeline_id", ancestor.toString());
        if (at != null) {
            body.put("ancestor_start_lsn", at.toString());
        }
        return info(require("POST", timelines, body, PATIENT));
    }

    /** Empty when the pageserver does not have it. */
    public Optional<TimelineInfo> find(TimelineId id) throws IOException {
        JsonHttp.Answer answer = ask("GET", timelines + "/" + id, null, QUICK);
        return answer.isNotFound() ? Optional.empty() : Optional.of(info(require(answer)));
    }

    /** All of the tenant. */
    public List<TimelineInfo> all() throws IOException {
        List<TimelineInfo> all = new ArrayList<>();
        for (JsonNode node : require("GET", timelines, null, QUICK)) {
            all.add(info(node));
        }
        return all;
    }

    /**
     * Deletes a timeline; throws when others have branched from it.
     *
     * @return whether the pageserver had it
     */
    public boolean delete(TimelineId id) throws IOException {
        JsonHttp.Answer answer = ask("DELETE", timelines + "/" + id, null, PATIENT);
        if (answer.isNotFound()) {
            return false;
        }
        require(answer);
        return true;
    }

    /** The LSN at which the timeline was as it was at a moment. */
    public Moment lsnAt(TimelineId id, Instant moment) throws IOException {
        String query = "?timestamp=" + URLEncoder.encode(moment.toString(), StandardCharsets.UTF_8);
        JsonNode node = require("GET", timelines + "/" + id + "/get_lsn_by_timestamp" + query, null, PATIENT);
        return new Moment(lsn(node, "lsn"), node.path("kind").asString(""));
    }

    /**
     * A place in the history that pg_create_restore_point named.
     *
     * @param timeline whose history it is in: the one that was asked about, or an ancestor
     */
    public record RestorePoint(String name, Lsn lsn, String time, TimelineId timeline) {}

    /** Those of a timeline and its ancestors that can be gone back to, in the order of their LSNs. */
    public List<RestorePoint> restorePoints(TimelineId id) throws IOException {
        List<RestorePoint> all = new ArrayList<>();
        for (JsonNode node : require("GET", timelines + "/" + id + "/restore_points", null, PATIENT)) {
            all.add(new RestorePoint(
                    node.path("name").asString(""),
                    lsn(node, "lsn"),
                    node.path("time").asString(""),
                    TimelineId.parse(node.required("timeline_id").asString())));
        }
        return all;
    }

    /** Makes durable what has been ingested. */
    public void checkpoint(TimelineId id) throws IOException {
        require("PUT", timelines + "/" + id + "/checkpoint", null, PATIENT);
    }

    private TimelineInfo info(JsonNode node) throws IOException {
        try {
            String ancestor = node.path("ancestor_timeline_id").asString("");
            return new TimelineInfo(
                    TimelineId.parse(node.required("timeline_id").asString()),
                    ancestor.isEmpty() ? null : TimelineId.parse(ancestor),
                    ancestor.isEmpty() ? Lsn.INVALID : lsn(node, "ancestor_lsn"),
                    lsn(node, "last_record_lsn"),
                    lsn(node, "prev_record_lsn"),
                    lsn(node, "min_readable_lsn"),
                    node.path("current_physical_size").asLong(0),
                    node.path("pg_version").asInt(0),
                    node.path("system_id").asString(""),
                    node.path("state").asString(node.path("state").toString()));
        } catch (JacksonException | IllegalArgumentException e) {
            throw new ClusterException("pageserver " + address + " answered what is no timeline: " + node, e);
        }
    }

    private static Lsn lsn(JsonNode node, String field) {
        return Lsn.parse(node.required(field).asString());
    }

    private JsonNode require(String method, String path, @Nullable ObjectNode body, Duration timeout)
            throws IOException {
        return require(ask(method, path, body, timeout));
    }

    private JsonNode require(JsonHttp.Answer answer) throws ClusterException {
        if (answer.status() >= 300) {
            String said = answer.body().path("msg").asString(answer.body().toString());
            throw new ClusterException("pageserver " + address + ": " + said);
        }
        return answer.body();
    }

    private JsonHttp.Answer ask(String method, String path, @Nullable ObjectNode body, Duration timeout)
            throws IOException {
        try {
            return http.ask(method, path, body, timeout);
        } catch (ConnectException e) {
            throw new ClusterException(
                    "the pageserver does not answer at " + address + ": tidemark start brings it up", e);
        }
    }
}
