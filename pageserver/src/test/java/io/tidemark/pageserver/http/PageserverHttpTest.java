package io.tidemark.pageserver.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.PageserverConfig;
import io.tidemark.pageserver.PageserverServer;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.receiver.Connections;
import io.tidemark.pageserver.timeline.RetentionConfig;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineMetadata;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.client.PgServerException;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.wal.LittleEndian;
import io.tidemark.wire.wal.WalFlavour;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The HTTP API of a whole pageserver, but for what needs a PostgreSQL: branches, leases, moments; and leases by the page service. */
class PageserverHttpTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Lsn START = Lsn.of(0x2000000);
    private static final TenantId TENANT = new TenantId(1, 2);
    private static final String TIMELINES = "/v1/tenant/" + TENANT + "/timeline";
    private static final String ROOT = TIMELINES + "/" + id(1);
    private static final Instant NOON = Instant.parse("2026-11-26T12:00:00Z");
    private static final Instant POSTGRES_EPOCH = Instant.parse("2000-01-01T00:00:00Z");

    @TempDir
    private Path directory = Path.of("unset");

    private final HttpClient http = HttpClient.newHttpClient();
    private PageserverServer server;
    private Timeline root;

    @BeforeEach
    void start() throws IOException {
        HostPort anywhere = new HostPort("127.0.0.1", 0);
        PageserverConfig config = PageserverConfig.of(directory, List.of());
        server = PageserverServer.start(new PageserverConfig(
                config.id(),
                directory,
                anywhere,
                anywhere,
                List.of(),
                1 << 20,
                RetentionConfig.NOTHING.withLeaseLength(Duration.ofMinutes(10)),
                Duration.ZERO,
                Duration.ofMillis(100),
                config.auth()));
        root = server.timelines().create(new TenantTimelineId(TENANT, id(1)), head -> {
            head.put(Keys.NEXT_XID, START, new Value.Image(new byte[8]));
            return new TimelineMetadata(
                    new TenantTimelineId(TENANT, id(1)),
                    17,
                    SystemId.of(42),
                    WalFlavour.STOCK,
                    false,
                    false,
                    1 << 24,
                    START,
                    START,
                    Optional.empty());
        });
        for (int minute = 1; minute <= 5; minute++) {
            byte[] time = new byte[8];
            Duration since = Duration.between(POSTGRES_EPOCH, NOON.plus(Duration.ofMinutes(minute)));
            LittleEndian.putI64(time, 0, since.toMillis() * 1000);
            Lsn lsn = START.plus(0x100L * minute);
            root.writer().put(Keys.COMMIT_TIME, lsn, new Value.Image(time));
            root.writer().publish(lsn, lsn.plus(-8), 0);
        }
    }

    @AfterEach
    void stop() {
        server.close();
        http.close();
    }

    private static TimelineId id(long number) {
        return new TimelineId(0, number);
    }

    private static Lsn at(int offset) {
        return START.plus(offset);
    }

    private JsonNode ask(int status, String method, String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> response = http.send(
                HttpRequest.newBuilder(URI.create(
                                "http://127.0.0.1:" + server.httpAddress().getPort() + path))
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode())
                .as(method + " " + path + ": " + response.body())
                .isEqualTo(status);
        return JSON.readTree(response.body());
    }

    private JsonNode branch(int status, long number, long ancestor, String lsn) throws Exception {
        String at = lsn.isEmpty() ? "" : ",\"ancestor_start_lsn\":\"" + lsn + "\"";
        return ask(
                status,
                "POST",
                TIMELINES,
                "{\"new_timeline_id\":\"" + id(number) + "\",\"ancestor_timeline_id\":\"" + id(ancestor) + "\"" + at
                        + "}");
    }

    private void collect() throws Exception {
        ask(200, "PUT", ROOT + "/checkpoint", "");
        ask(200, "PUT", ROOT + "/do_gc", "{\"gc_horizon\":0}");
    }

    @Test
    void branchesAreMadeListedAndDeletedWithTheCodesThatNeonHas() throws Exception {
        JsonNode made = branch(201, 2, 1, at(0x300).toString());
        assertThat(made.path("ancestor_timeline_id").asString()).isEqualTo(id(1).toString());
        assertThat(made.path("ancestor_lsn").asString()).isEqualTo(at(0x300).toString());
        assertThat(made.path("last_record_lsn").asString()).isEqualTo(at(0x300).toString());
        assertThat(made.path("prev_record_lsn").asString()).isEqualTo("0/0");
        assertThat(made.path("pg_version").asInt()).isEqualTo(17);
        branch(201, 2, 1, at(0x300).toString());
        branch(409, 2, 1, at(0x308).toString());
        JsonNode head = branch(201, 3, 1, "");
        assertThat(head.path("ancestor_lsn").asString()).isEqualTo(at(0x500).toString());
        assertThat(head.path("prev_record_lsn").asString()).isEqualTo(at(0x4F8).toString());
        assertThat(branch(500, 4, 77, "").path("msg").asString()).contains("is not on this pageserver");
        assertThat(branch(406, 4, 1, at(0x600).toString()).path("msg").asString())
                .contains("Timed out");
        assertThat(branch(406, 4, 1, at(0x301).toString()).path("msg").asString())
                .contains("multiple of 8");
        branch(400, 4, 1, "no lsn");
        collect();
        assertThat(branch(406, 4, 1, at(0x200).toString()).path("msg").asString())
                .contains("gc cutoff");
        branch(201, 4, 1, at(0x300).toString());
        assertThat(ask(200, "GET", TIMELINES, "")).hasSize(4);
        assertThat(ask(412, "DELETE", ROOT, "").path("msg").asString()).contains("has branches");
        ask(202, "DELETE", TIMELINES + "/" + id(2), "");
        ask(404, "DELETE", TIMELINES + "/" + id(2), "");
        ask(400, "POST", TIMELINES, "{\"new_timeline_id\":\"" + id(9) + "\"}");
    }

    @Test
    void aLeasedLsnStaysReadableAndWhatIsGoneIsNotLeased() throws Exception {
        String lease = "{\"lsn\":\"" + at(0x200) + "\"}";
        Instant end = Instant.parse(
                ask(200, "POST", ROOT + "/lsn_lease", lease).path("valid_until").asString());
        assertThat(end).isBetween(Instant.now().plusSeconds(590), Instant.now().plusSeconds(610));
        collect();
        branch(201, 2, 1, at(0x200).toString());
        assertThat(ask(500, "POST", ROOT + "/lsn_lease", "{\"lsn\":\"" + at(0x208) + "\"}")
                        .path("msg")
                        .asString())
                .contains("first LSN that is, is " + at(0x500));
        ask(400, "POST", ROOT + "/lsn_lease", "{}");
        ask(404, "POST", TIMELINES + "/" + id(77) + "/lsn_lease", lease);
        // A branch cannot be read where it is not a branch yet.
        ask(500, "POST", TIMELINES + "/" + id(2) + "/lsn_lease", "{\"lsn\":\"" + at(0x100) + "\"}");
        ask(200, "POST", TIMELINES + "/" + id(2) + "/lsn_lease", lease);
    }

    @Test
    void thePageServiceLeasesInMillisecondsAndSaysNullWhenItCannot() throws Exception {
        try (EventLoops loops = new EventLoops("test")) {
            PgClientConfig client =
                    PgClientConfig.of("127.0.0.1", server.pgAddress().getPort(), "nobody");
            PgConnection connection = new Connections(loops).open(client);
            String command = "lease LSN " + TENANT + " " + id(1) + " ";
            TextTable answer = Connections.ask(client, connection, command + at(0x200) + " ");
            assertThat(answer.columns()).hasSize(1);
            assertThat(answer.columns().get(0).name()).isEqualTo("valid_until");
            assertThat(Long.parseLong(answer.rows().get(0).get(0)))
                    .isBetween(System.currentTimeMillis() + 590_000, System.currentTimeMillis() + 610_000);
            collect();
            assertThat(Connections.ask(client, connection, command + at(0x208))
                            .rows()
                            .get(0)
                            .get(0))
                    .isNull();
            assertThat(Connections.ask(client, connection, command + at(0x200))
                            .rows()
                            .get(0)
                            .get(0))
                    .isNotNull();
            for (String wrong :
                    List.of("lease lsn", command + "1 2", command + "nothing", command.replace("LSN", "it") + "0/1")) {
                org.assertj.core.api.Assertions.assertThatExceptionOfType(PgServerException.class)
                        .isThrownBy(() -> Connections.ask(client, connection, wrong));
            }
            connection.close();
        }
    }

    @Test
    void momentsAndLsns() throws Exception {
        String lsnOf = ROOT + "/get_lsn_by_timestamp?timestamp=";
        JsonNode present = ask(200, "GET", lsnOf + "2026-11-26T12:03:30Z&with_lease=true", "");
        assertThat(present.path("kind").asString()).isEqualTo("present");
        assertThat(present.path("lsn").asString()).isEqualTo(at(0x400 - 8).toString());
        assertThat(Instant.parse(present.path("valid_until").asString()))
                .isBetween(Instant.now().plusSeconds(50), Instant.now().plusSeconds(70));
        assertThat(ask(200, "GET", lsnOf + "2026-11-26T13:00:00%2B01:00", "")
                        .path("kind")
                        .asString())
                .isEqualTo("past");
        assertThat(ask(200, "GET", lsnOf + "2027-01-01T00:00:00Z", "").toString())
                .isEqualTo("{\"lsn\":\"" + at(0x500) + "\",\"kind\":\"future\"}");
        ask(400, "GET", lsnOf + "yesterday", "");
        ask(400, "GET", ROOT + "/get_lsn_by_timestamp", "");

        String timeOf = ROOT + "/get_timestamp_of_lsn?lsn=";
        assertThat(ask(200, "GET", timeOf + at(0x380), "").asString()).isEqualTo("2026-11-26T12:03:00Z");
        ask(412, "GET", timeOf + START, "");
        ask(412, "GET", timeOf + "0/1000", "");
        ask(400, "GET", timeOf + "x", "");
        collect();
        // The lease holds what was found.
        assertThat(ask(200, "GET", timeOf + at(0x400 - 8), "").asString()).isEqualTo("2026-11-26T12:03:00Z");
        ask(412, "GET", timeOf + at(0x200), "");
    }

    @Test
    void aBranchIsDetachedAndItsAncestorGoes() throws Exception {
        branch(201, 2, 1, at(0x300).toString());
        String detach = TIMELINES + "/" + id(2) + "/detach_ancestor";
        ask(400, "PUT", detach + "?detach_behavior=v3", "");
        for (int again = 0; again < 2; again++) {
            assertThat(ask(200, "PUT", detach, "").toString()).isEqualTo("{\"reparented_timelines\":[]}");
        }
        assertThat(ask(409, "PUT", ROOT + "/detach_ancestor", "").path("msg").asString())
                .contains("has no ancestor");
        ask(404, "PUT", TIMELINES + "/" + id(77) + "/detach_ancestor", "");
        ask(202, "DELETE", ROOT, "");
        assertThat(ask(200, "GET", TIMELINES + "/" + id(2), "").has("ancestor_timeline_id"))
                .isFalse();
        assertThat(ask(200, "GET", TIMELINES + "/" + id(2) + "/get_timestamp_of_lsn?lsn=" + at(0x300), "")
                        .asString())
                .isEqualTo("2026-11-26T12:03:00Z");
    }

    @Test
    void siblingsGoAlongByDefaultAndStayByTheSecondBehavior() throws Exception {
        branch(201, 2, 1, at(0x300).toString());
        branch(201, 3, 1, at(0x200).toString());
        branch(201, 4, 1, at(0x400).toString());
        branch(201, 5, 2, at(0x300).toString());
        String detach = "/detach_ancestor?detach_behavior=";
        assertThat(ask(400, "PUT", TIMELINES + "/" + id(5) + "/detach_ancestor", "")
                        .path("msg")
                        .asString())
                .contains("too many ancestors");
        assertThat(ask(200, "PUT", TIMELINES + "/" + id(2) + detach + "no_ancestor_and_reparent", "")
                        .toString())
                .isEqualTo("{\"reparented_timelines\":[\"" + id(3) + "\"]}");
        for (String behavior : List.of("v1", "v2", "multi_level_and_no_reparent")) {
            assertThat(ask(200, "PUT", TIMELINES + "/" + id(2) + detach + behavior, "")
                            .toString())
                    .isEqualTo("{\"reparented_timelines\":[\"" + id(3) + "\"]}");
        }
        JsonNode sibling = ask(200, "GET", TIMELINES + "/" + id(3), "");
        assertThat(sibling.path("ancestor_timeline_id").asString()).isEqualTo(id(2).toString());
        assertThat(sibling.path("ancestor_lsn").asString()).isEqualTo(at(0x200).toString());
        assertThat(ask(200, "PUT", TIMELINES + "/" + id(4) + detach + "v2", "").toString())
                .isEqualTo("{\"reparented_timelines\":[]}");
        ask(202, "DELETE", ROOT, "");
        // The history before the branch point is the detached timeline's own.
        assertThat(ask(200, "GET", TIMELINES + "/" + id(2) + "/get_lsn_by_timestamp?timestamp=2026-11-26T12:02:30Z", "")
                        .path("lsn")
                        .asString())
                .isEqualTo(at(0x300 - 8).toString());
        branch(201, 6, 2, at(0x100).toString());
        branch(406, 7, 4, at(0x100).toString());
    }

    @Test
    void theDocumentIsServed() throws Exception {
        assertThat(ask(200, "GET", "/openapi.json", "").path("openapi").asString())
                .startsWith("3.");
    }
}
