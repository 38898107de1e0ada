package io.tidemark.it.auth;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.PageserverAuth;
import io.tidemark.pageserver.PageserverConfig;
import io.tidemark.pageserver.PageserverServer;
import io.tidemark.runtime.auth.Scope;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.safekeeper.SafekeeperConfig;
import io.tidemark.safekeeper.SafekeeperServer;
import io.tidemark.wire.frame.StartupOptions;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** Both servers with a public key, asked over real sockets: by PostgreSQL's own psql, and over HTTP. */
class ServersAskForTokensTest {
    private static final HostPort ANY = new HostPort("127.0.0.1", 0);
    private static final TenantTimelineId MINE = new TenantTimelineId(new TenantId(1, 1), new TimelineId(2, 2));
    private static final TenantId OTHER_TENANT = new TenantId(9, 9);

    @TempDir
    private Path directory;

    private final TestTokens tokens = newTokens();
    private final TestTokens foreign = newTokens();

    static boolean hasPsql() {
        return Psql.isInstalled();
    }

    private static TestTokens newTokens() {
        try {
            return new TestTokens();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private SafekeeperServer safekeeper() throws Exception {
        Path key = tokens.writePublicKey(directory.resolve("key.pem"));
        return SafekeeperServer.start(SafekeeperConfig.of(new NodeId(1), directory.resolve("sk"))
                .listeningOn(ANY, ANY)
                .withAuthPublicKey(key));
    }

    private PageserverServer pageserver() throws Exception {
        Path key = tokens.writePublicKey(directory.resolve("key.pem"));
        return PageserverServer.start(PageserverConfig.of(directory.resolve("ps"), List.of())
                .listeningOn(ANY, ANY)
                .withAuth(new PageserverAuth(Optional.of(key), Optional.empty())));
    }

    @Test
    @EnabledIf("hasPsql")
    void psqlNeedsATokenAsItsPasswordAtASafekeeper() throws Exception {
        try (SafekeeperServer safekeeper = safekeeper()) {
            createTimeline(safekeeper.httpAddress());
            int port = safekeeper.pgAddress().getPort();
            String naming = StartupOptions.naming(MINE);
            assertRefusedAtTheDoor(port, Scope.SAFEKEEPERDATA);

            assertSays(
                    Psql.ask(port, tokens.of(Scope.SAFEKEEPERDATA), "", "SHOW timelines"), 0, MINE.timelineId() + "");
            assertSays(Psql.ask(port, tokens.of(Scope.SAFEKEEPERDATA), naming, "TIMELINE_STATUS"), 0, "0/1000028");
            String mine = tokens.ofTenant(MINE.tenantId());
            assertSays(Psql.ask(port, mine, naming, "TIMELINE_STATUS"), 0, "0/1000028");
            assertSays(Psql.ask(port, mine, naming, "IDENTIFY_SYSTEM"), 0, "0/1000028");
            assertSays(Psql.ask(port, mine, naming, "SHOW timelines"), 1, "needed is scope safekeeperdata");

            String other = tokens.ofTenant(OTHER_TENANT);
            for (String command : List.of(
                    "TIMELINE_STATUS",
                    "IDENTIFY_SYSTEM",
                    "SHOW wal_segment_size",
                    "READ_REPLICATION_SLOT x",
                    "START_REPLICATION PHYSICAL 0/1000028",
                    "START_WAL_PUSH (proto_version '3', allow_timeline_creation 'true')")) {
                assertSays(Psql.ask(port, other, naming, command), 1, "the token is for another tenant");
            }
            assertSays(
                    Psql.ask(port, tokens.of(Scope.PAGESERVERAPI), naming, "TIMELINE_STATUS"),
                    1,
                    "scope pageserverapi");
            String metrics = get(safekeeper.httpAddress(), "", 200, "/metrics");
            assertThat(metrics)
                    .contains("safekeeper_refusals_total{reason=\"TOKEN_SIGNATURE\"} 1.0")
                    .contains("safekeeper_refusals_total{reason=\"TOKEN_EXPIRED\"} 1.0")
                    .contains("safekeeper_refusals_total{reason=\"PERMISSION_DENIED\"} 8.0");
        }
    }

    @Test
    @EnabledIf("hasPsql")
    void psqlNeedsATokenAsItsPasswordAtAPageserver() throws Exception {
        try (PageserverServer pageserver = pageserver()) {
            int port = pageserver.pgAddress().getPort();
            assertRefusedAtTheDoor(port, Scope.PAGESERVERAPI);
            assertSays(Psql.ask(port, tokens.of(Scope.PAGESERVERAPI), "", "SHOW config"), 0, "auth-public-key");
            String mine = tokens.ofTenant(MINE.tenantId());
            assertSays(Psql.ask(port, mine, "", "SHOW lsns"), 1, "needed is scope pageserverapi");
            String stream = "pagestream_v3 " + MINE.tenantId() + " " + MINE.timelineId();
            assertSays(Psql.ask(port, mine, "", stream), 1, "is not on this pageserver");
            assertSays(Psql.ask(port, tokens.ofTenant(OTHER_TENANT), "", stream), 1, "the token is for another tenant");
            assertSays(Psql.ask(port, tokens.of(Scope.SAFEKEEPERDATA), "", stream), 1, "scope safekeeperdata");
        }
    }

    private void assertRefusedAtTheDoor(int port, Scope everything) throws Exception {
        assertSays(Psql.ask(port, "", "", "SHOW config"), 2, "no password supplied");
        assertSays(Psql.ask(port, "secret", "", "SHOW config"), 2, "JWT authentication error: the token is no JWT");
        assertSays(Psql.ask(port, foreign.of(everything), "", "SHOW config"), 2, "no public key of this server");
        assertSays(Psql.ask(port, tokens.expired(everything), "", "SHOW config"), 2, "it expired at");
    }

    private static void assertSays(Psql.Answer answer, int exitCode, String text) {
        assertThat(answer.text()).contains(text);
        assertThat(answer.exitCode()).as(answer.text()).isEqualTo(exitCode);
    }

    @Test
    void aSafekeepersHttpApiAsksForBearerTokens() throws Exception {
        try (SafekeeperServer safekeeper = safekeeper()) {
            InetSocketAddress http = safekeeper.httpAddress();
            String timeline = "/v1/tenant/" + MINE.tenantId() + "/timeline/" + MINE.timelineId();
            assertOpenPaths(http);
            assertThat(get(http, "", 401, "/v1/tenant/timeline")).contains("Authorization: Bearer");
            assertThat(get(http, "Basic dTpw", 401, "/v1/tenant/timeline")).contains("Authorization: Bearer");
            assertThat(get(http, "Bearer x", 403, "/v1/tenant/timeline")).contains("the token is no JWT");

            // A tenant makes and sees its own timelines, and nobody else's.
            String mine = "Bearer " + tokens.ofTenant(MINE.tenantId());
            String other = "Bearer " + tokens.ofTenant(OTHER_TENANT);
            String everything = "bearer " + tokens.of(Scope.SAFEKEEPERDATA);
            assertThat(send(http, other, 403, "POST", "/v1/tenant/timeline", newTimeline()))
                    .contains("JWT authentication error: the token is for another tenant");
            send(http, mine, 200, "POST", "/v1/tenant/timeline", newTimeline());
            get(http, mine, 200, timeline);
            get(http, everything, 200, timeline);
            get(http, other, 403, timeline);
            get(http, "", 401, timeline);
            for (String path : List.of("/v1/tenant/timeline", "/v1/config", "/v1/debug_dump", "/v1/utilization")) {
                get(http, mine, 403, path);
                get(http, everything, 200, path);
            }
            // In the tenant's path, but not the tenant's business.
            send(http, mine, 403, "POST", timeline + "/checkpoint", "null");
            send(http, everything, 200, "POST", timeline + "/checkpoint", "null");
            send(http, other, 403, "DELETE", timeline, "");
            send(http, mine, 200, "DELETE", timeline, "");
            assertThat(get(http, "", 200, "/metrics"))
                    .contains("safekeeper_refusals_total{reason=\"TOKEN_MISSING\"} 3.0");
        }
    }

    @Test
    void aPageserversHttpApiAsksForBearerTokens() throws Exception {
        try (PageserverServer pageserver = pageserver()) {
            InetSocketAddress http = pageserver.httpAddress();
            assertOpenPaths(http);
            get(http, "", 401, "/v1/tenant");
            get(http, "Bearer " + foreign.of(Scope.PAGESERVERAPI), 403, "/v1/tenant");
            String mine = "Bearer " + tokens.ofTenant(MINE.tenantId());
            String everything = "Bearer " + tokens.of(Scope.PAGESERVERAPI);
            get(http, mine, 403, "/v1/tenant");
            get(http, everything, 200, "/v1/tenant");
            String timelines = "/v1/tenant/" + MINE.tenantId() + "/timeline";
            get(http, mine, 200, timelines);
            get(http, "Bearer " + tokens.ofTenant(OTHER_TENANT), 403, timelines);
            get(http, "Bearer " + tokens.of(Scope.SAFEKEEPERDATA), 403, timelines);
            // The server's disk is not the tenant's.
            String body = "{\"new_timeline_id\":\"" + MINE.timelineId()
                    + "\",\"import_pgdata\":{\"location\":{\"LocalFs\":{\"path\":\"/nonexistent\"}}}}";
            assertThat(send(http, mine, 403, "POST", timelines, body)).contains("needed is scope pageserverapi");
            assertThat(send(http, everything, 400, "POST", timelines, body)).contains("no PG_VERSION");
        }
    }

    @Test
    void aNewKeyIsValidAfterAReload() throws Exception {
        Path keys = java.nio.file.Files.createDirectory(directory.resolve("keys"));
        tokens.writePublicKey(keys.resolve("old.pem"));
        PageserverConfig config = PageserverConfig.of(directory.resolve("ps"), List.of())
                .listeningOn(ANY, ANY)
                .withAuth(new PageserverAuth(Optional.of(keys), Optional.empty()));
        try (PageserverServer pageserver = PageserverServer.start(config)) {
            InetSocketAddress http = pageserver.httpAddress();
            String byOld = "Bearer " + tokens.of(Scope.PAGESERVERAPI);
            String byNew = "Bearer " + foreign.of(Scope.PAGESERVERAPI);
            get(http, byNew, 403, "/v1/tenant");
            foreign.writePublicKey(keys.resolve("new.pem"));
            send(http, byNew, 403, "POST", "/v1/reload_auth_validation_keys", "");
            assertThat(send(http, byOld, 200, "POST", "/v1/reload_auth_validation_keys", ""))
                    .isEqualTo("{\"keys\":2}");
            get(http, byNew, 200, "/v1/tenant");
            get(http, byOld, 200, "/v1/tenant");
        }
    }

    private static void assertOpenPaths(InetSocketAddress http) throws Exception {
        for (String path : List.of("/v1/status", "/metrics", "/health")) {
            get(http, "", 200, path);
            get(http, "Bearer nonsense", 200, path);
        }
    }

    private void createTimeline(InetSocketAddress http) throws Exception {
        String token = "Bearer " + tokens.of(Scope.SAFEKEEPERDATA);
        send(http, token, 200, "POST", "/v1/tenant/timeline", newTimeline());
    }

    private static String newTimeline() {
        return "{\"tenant_id\":\"" + MINE.tenantId() + "\",\"timeline_id\":\"" + MINE.timelineId()
                + "\",\"mconf\":{\"generation\":1,\"members\":[{\"id\":1,\"host\":\"localhost\",\"pg_port\":5454}],"
                + "\"new_members\":null},\"pg_version\":170000,\"start_lsn\":\"0/1000028\"}";
    }

    private static String get(InetSocketAddress server, String authorization, int status, String path)
            throws Exception {
        return send(server, authorization, status, "GET", path, "");
    }

    private static String send(
            InetSocketAddress server, String authorization, int status, String method, String path, String body)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.getPort() + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body));
        if (!authorization.isEmpty()) {
            request.header("Authorization", authorization);
        }
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode())
                    .as("%s %s: %s", method, path, response.body())
                    .isEqualTo(status);
            return response.body();
        }
    }
}
