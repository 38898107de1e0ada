package io.tidemark.it.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.wire.id.Lsn;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import tools.jackson.databind.json.JsonMapper;

/** Garbage collection of branch main, as far as it may go. */
final class GarbageCollection {
    private static final String MAIN = StorageDirectory.MAIN;
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private GarbageCollection() {}

    /**
     * Lets everything go that is before {@code head}; answers where the cutoff is. That may be later: a server that nobody talks to writes
     * WAL, too.
     */
    static Lsn run(EmbeddedStorage storage, Lsn head) throws Exception {
        StorageDirectory directory = storage.directory();
        String timeline = "http://" + directory.config().pageserverHttp() + "/v1/tenant/"
                + directory.config().tenantId() + "/timeline/"
                + directory.branches().require(MAIN).timelineId();
        try (HttpClient client = HttpClient.newHttpClient()) {
            return await().atMost(PATIENCE)
                    .until(
                            () -> {
                                put(client, timeline + "/checkpoint?compact=true", "");
                                return cutoff(
                                        put(client, timeline + "/do_gc", "{\"gc_horizon\": 0, \"pitr_interval\": 0}"));
                            },
                            cutoff -> cutoff.isAtLeast(head));
        }
    }

    private static Lsn cutoff(String answer) {
        return Lsn.parse(JsonMapper.shared()
                .readTree(answer)
                .required("applied_gc_cutoff_lsn")
                .asString());
    }

    private static String put(HttpClient client, String uri, String body) throws Exception {
        HttpResponse<String> response = client.send(
                HttpRequest.newBuilder(URI.create(uri))
                        .method("PUT", HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return response.body();
    }
}
