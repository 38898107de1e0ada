package io.tidemark.cli.page;

import io.tidemark.runtime.net.HostPort;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A pageserver's HTTP API, as JSON. */
final class PageserverHttp implements AutoCloseable {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

    /** Making or deleting a large timeline, or flushing one, is done before it is answered. */
    private static final Duration ANSWER_TIMEOUT = Duration.ofHours(1);

    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(CONNECT_TIMEOUT).build();
    private final HostPort address;
    private final @Nullable String token;

    PageserverHttp(HostPort address, @Nullable String token) {
        this.address = address;
        this.token = token;
    }

    /** The path of a timeline. */
    static String path(TenantTimelineId id) {
        return "/v1/tenant/" + id.tenantId() + "/timeline/" + id.timelineId();
    }

    JsonNode get(String path) throws IOException, InterruptedException {
        return send("GET", path, "");
    }

    /**
     * Sends a request.
     *
     * @return the answer's body; null in JSON where there is nothing to say
     * @throws IOException with the pageserver's own words when it refuses
     */
    JsonNode send(String method, String path, String body) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://" + address + path))
                .timeout(ANSWER_TIMEOUT)
                .method(method, HttpRequest.BodyPublishers.ofString(body));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        HttpResponse<String> response;
        try {
            response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (ConnectException e) {
            throw new IOException("no pageserver answers HTTP on " + address, e);
        }
        JsonNode answer = parse(response);
        if (response.statusCode() >= 400) {
            throw new IOException(answer.path("msg").asString("status " + response.statusCode()) + " (pageserver "
                    + address + ", status " + response.statusCode() + ")");
        }
        return answer;
    }

    private JsonNode parse(HttpResponse<String> response) throws IOException {
        try {
            return JsonMapper.shared().readTree(response.body());
        } catch (JacksonException e) {
            throw new IOException(
                    "pageserver " + address + " answered status " + response.statusCode() + " and no JSON", e);
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
