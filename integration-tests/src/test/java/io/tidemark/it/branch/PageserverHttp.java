package io.tidemark.it.branch;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Asks a pageserver by HTTP, as any program would. */
final class PageserverHttp implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final HttpClient client = HttpClient.newHttpClient();
    private final int port;

    PageserverHttp(int port) {
        this.port = port;
    }

    static String timelines(TenantTimelineId id) {
        return "/v1/tenant/" + id.tenantId() + "/timeline";
    }

    static String timeline(TenantTimelineId id) {
        return timelines(id) + "/" + id.timelineId();
    }

    /** The answer's body, after its status was the one that is due. */
    JsonNode ask(int status, String method, String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> response = client.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode())
                .as("%s %s: %s", method, path, response.body())
                .isEqualTo(status);
        return JSON.readTree(response.body());
    }

    @Override
    public void close() {
        client.close();
    }
}
