package io.tidemark.cli.cluster;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** Asks a safekeeper over HTTP how it is. */
public final class SafekeeperProbe {
    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final int MAX_ANSWER_BYTES = 1 << 20;

    private final String httpAddress;
    private final JsonHttp http;

    /** @param httpAddress {@code host:port} */
    public SafekeeperProbe(String httpAddress) {
        this.httpAddress = httpAddress;
        this.http = new JsonHttp(httpAddress, TIMEOUT, MAX_ANSWER_BYTES);
    }

    /**
     * What a safekeeper says of one timeline.
     *
     * @param writers connections of shims that write, or want to
     */
    public record TimelineStatus(
            long term,
            Lsn flushLsn,
            Lsn commitLsn,
            Lsn timelineStartLsn,
            Lsn localStartLsn,
            long lastLogTerm,
            int writers) {}

    /** Whether the process answers. */
    public boolean isUp() {
        try {
            return get("/v1/status").isPresent();
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * The timeline as this safekeeper has it; empty when it has none.
     *
     * @throws IOException when there is no answer, or none we understand
     */
    public Optional<TimelineStatus> timeline(TenantTimelineId timeline) throws IOException {
        Optional<JsonNode> answer = get("/v1/tenant/" + timeline.tenantId() + "/timeline/" + timeline.timelineId());
        if (answer.isEmpty()) {
            return Optional.empty();
        }
        JsonNode json = answer.get();
        try {
            JsonNode acceptor = json.required("acceptor_state");
            return Optional.of(new TimelineStatus(
                    acceptor.required("term").asLong(),
                    lsn(json, "flush_lsn"),
                    lsn(json, "commit_lsn"),
                    lsn(json, "timeline_start_lsn"),
                    lsn(json, "local_start_lsn"),
                    acceptor.required("epoch").asLong(),
                    json.required("walreceivers").size()));
        } catch (JacksonException | IllegalArgumentException e) {
            throw new IOException("not a timeline status from " + httpAddress + ": " + json, e);
        }
    }

    /**
     * Deletes the timeline with its WAL on this safekeeper; does nothing when there is none.
     *
     * @throws IOException when there is no answer, or a refusal
     */
    public void delete(TenantTimelineId timeline) throws IOException {
        ask("DELETE", "/v1/tenant/" + timeline.tenantId() + "/timeline/" + timeline.timelineId());
    }

    private static Lsn lsn(JsonNode json, String field) {
        return Lsn.parse(json.required(field).asString());
    }

    private Optional<JsonNode> get(String path) throws IOException {
        return ask("GET", path);
    }

    private Optional<JsonNode> ask(String method, String path) throws IOException {
        JsonHttp.Answer answer = http.ask(method, path, null, TIMEOUT);
        if (answer.isNotFound()) {
            return Optional.empty();
        }
        if (answer.status() != HttpURLConnection.HTTP_OK) {
            throw new IOException(httpAddress + path + " answered " + answer.status());
        }
        return Optional.of(answer.body());
    }
}
