package io.tidemark.it.pageserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.cluster.ClusterDirectory;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.EmbeddedCluster;
import io.tidemark.cli.workload.VariedWorkload;
import io.tidemark.it.ingest.ClusterComparison;
import io.tidemark.pageserver.PageserverConfig;
import io.tidemark.pageserver.PageserverServer;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineReader;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.shim.pager.PageClient;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.page.PageRequest;
import io.tidemark.wire.page.PagestreamVersion;
import io.tidemark.wire.page.RequestHeader;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.wal.LittleEndian;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The whole way: a PostgreSQL commits through three safekeepers, a pageserver streams from one of them, and everything that it then
 * answers, through its socket, is what the stopped PostgreSQL has in its files.
 */
class PageserverTest {
    private static final Logger log = LoggerFactory.getLogger(PageserverTest.class);
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration STOP_DEADLINE = Duration.ofMinutes(1);
    private static final int MOMENTS = 12;
    private static final int MANY_MOMENTS = 50;

    private final EventLoops loops = new EventLoops("test-client");
    private Path scratch = Path.of("unset");

    @BeforeEach
    void makeScratch() throws Exception {
        scratch = ServerUser.current().scratchDirectory("tidemark-pageserver-");
    }

    @AfterEach
    void removeScratch() throws Exception {
        loops.close();
        try (Stream<Path> paths = Files.walk(scratch)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        }
    }

    @Test
    void everyPageOfAClusterIsServed() throws Exception {
        serveEveryPage(17, 300, MOMENTS, 1 << 20);
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 18})
    @Tag("slow")
    void everyPageOfAClusterIsServedForEveryVersion(int major) throws Exception {
        serveEveryPage(major, 1000, MOMENTS, 1 << 20);
    }

    /** All pages as of fifty LSNs, remembered while the workload runs: the same in the end, after compaction, and after a restart. */
    @Test
    @Tag("slow")
    void fiftyMomentsAreRemembered() throws Exception {
        serveEveryPage(17, 1000, MANY_MOMENTS, 1 << 16);
    }

    private void serveEveryPage(int major, int rows, int moments, int bytesBetween) throws Exception {
        Map<String, String> settings = new HashMap<>(VariedWorkload.SETTINGS);
        settings.put("fsync", "off");
        settings.put("wal_keep_size", "8GB");
        ClusterDirectory cluster = ClusterDirectory.openOrCreate(
                scratch.resolve("cluster"),
                new ClusterOptions(java.util.Optional.of(major), java.util.Optional.empty(), 0, 3, settings, false));
        PostgresServer postgres = cluster.postgres();
        Map<Lsn, Integer> remembered = Collections.synchronizedMap(new LinkedHashMap<>());
        try (EmbeddedCluster running = EmbeddedCluster.start(cluster)) {
            // The beginning: what the quorum and the stopped server agree on.
            postgres.stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
            try (PageserverServer pageserver = start(cluster)) {
                Timeline timeline =
                        pageserver.imports().dataDirectory(cluster.config().timeline(), postgres.dataDir());
                postgres.start();
                try (Connection first = connect(postgres);
                        Connection second = connect(postgres)) {
                    AtomicBoolean done = new AtomicBoolean();
                    Thread watcher =
                            Thread.ofVirtual().start(() -> remember(timeline, remembered, moments, bytesBetween, done));
                    new VariedWorkload(first, second, rows).withoutTablespaces().run();
                    if (moments == MANY_MOMENTS) {
                        changeUntil(postgres, remembered, moments);
                    }
                    done.set(true); // an interrupt would close the layer files that it reads
                    watcher.join();
                }
                postgres.stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
                Lsn end = running.status().commitLsn();
                timeline.await(end, PATIENCE);
                assertEqualsFiles(pageserver, timeline, postgres, major, end);
                assertErrorsAreClear(pageserver, timeline, end);
                assertHttpAnswers(pageserver, timeline, postgres.dataDir());
                timeline.flush();
                timeline.compactor().compactL0();
                assertRemembered(timeline, remembered);
            }
            // What was flushed is there after a restart, and the rest is streamed again.
            try (PageserverServer pageserver = start(cluster)) {
                Timeline timeline =
                        pageserver.timelines().find(cluster.config().timeline()).orElseThrow();
                Lsn end = running.status().commitLsn();
                timeline.await(end, PATIENCE);
                assertRemembered(timeline, remembered);
                assertEqualsFiles(pageserver, timeline, postgres, major, end);
            }
        }
        assertThat(remembered).hasSizeGreaterThanOrEqualTo(moments == MANY_MOMENTS ? moments : moments / 4);
    }

    /** Goes on to change the database until enough is remembered. */
    private static void changeUntil(PostgresServer postgres, Map<Lsn, Integer> remembered, int moments)
            throws Exception {
        try (SqlLoad load = new SqlLoad(() -> connect(postgres), 2, moments)) {
            await("all moments are remembered").atMost(Duration.ofMinutes(10)).until(() -> {
                load.requireHealthy();
                if (load.left() < 10) {
                    load.allow(10);
                }
                return remembered.size() >= moments;
            });
        }
    }

    private PageserverServer start(ClusterDirectory cluster) throws Exception {
        List<HostPort> safekeepers = Arrays.stream(
                        cluster.config().safekeeperList().split(",", -1))
                .map(HostPort::parse)
                .toList();
        return PageserverServer.start(PageserverConfig.of(scratch.resolve("ps"), safekeepers)
                .listeningOn(new HostPort("127.0.0.1", 0), new HostPort("127.0.0.1", 0)));
    }

    private static Connection connect(PostgresServer server) throws SQLException {
        return DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
    }

    private PageClient client(PageserverServer pageserver, Timeline timeline) throws Exception {
        return PageClient.connect(
                loops.group().next(),
                PgClientConfig.of("127.0.0.1", pageserver.pgAddress().getPort(), "nobody"),
                timeline.metadata().id(),
                PagestreamVersion.V3,
                PATIENCE);
    }

    private void assertEqualsFiles(
            PageserverServer pageserver, Timeline timeline, PostgresServer postgres, int major, Lsn end)
            throws Exception {
        try (PageClient client = client(pageserver, timeline)) {
            SocketHead head = new SocketHead(client, timeline.reader(), end);
            ClusterComparison comparison = new ClusterComparison(head, postgres.dataDir(), major);
            List<String> findings = comparison.run();
            log.info("PostgreSQL {} at {}: {}; {} questions", major, end, comparison.summary(), head.asked());
            assertThat(findings).as(comparison.summary()).isEmpty();
            assertThat(head.asked()).isGreaterThan(1_000);
        }
    }

    private void assertErrorsAreClear(PageserverServer pageserver, Timeline timeline, Lsn end) throws Exception {
        RelTag missing = new RelTag(RelTag.DEFAULT_TABLESPACE, 5, 999_999, Fork.MAIN);
        try (PageClient client = client(pageserver, timeline)) {
            RequestHeader latest = new RequestHeader(1, RequestHeader.LATEST, end);
            assertThatThrownBy(() -> client.ask(new PageRequest.GetPage(latest, missing, 0), PATIENCE))
                    .hasMessageContaining("Not found: relation 1663/5/999999 does not exist at " + end);
            RequestHeader old = new RequestHeader(2, Lsn.of(8), Lsn.INVALID);
            assertThatThrownBy(() -> client.ask(new PageRequest.Nblocks(old, missing), PATIENCE))
                    .hasMessageContaining(
                            "can be read from " + timeline.metadata().readableLsn() + " on");
            RequestHeader wrong = new RequestHeader(3, end, end.plus(8));
            assertThatThrownBy(() -> client.ask(new PageRequest.Exists(wrong, missing), PATIENCE))
                    .hasMessageContaining("Bad request");
        }
    }

    private void assertHttpAnswers(PageserverServer pageserver, Timeline timeline, Path dataDir) throws Exception {
        String tenant = "/v1/tenant/" + timeline.metadata().id().tenantId() + "/timeline";
        String path = tenant + "/" + timeline.metadata().id().timelineId();
        assertThat(http(pageserver, 200, "GET", "/v1/status", "")).isEqualTo("{\"id\":1}");
        assertThat(http(pageserver, 200, "GET", path, ""))
                .contains("\"last_record_lsn\":\"" + timeline.lastRecordLsn() + "\"", "\"state\":\"Active\"");
        http(pageserver, 200, "PUT", path + "/checkpoint?compact=true", "");
        assertThat(timeline.diskConsistentLsn()).isEqualTo(timeline.lastRecordLsn());
        assertThat(http(pageserver, 200, "GET", path + "/layer", "")).contains("\"layer_file_name\"");
        assertThat(http(pageserver, 200, "GET", path + "/keyspace", "")).contains("\"keys\":[[");
        String soon = java.time.Instant.now().plusSeconds(60).toString();
        assertThat(http(pageserver, 200, "GET", path + "/get_lsn_by_timestamp?timestamp=" + soon, ""))
                .contains("\"kind\":\"future\"", timeline.lastRecordLsn().toString());
        assertThat(http(pageserver, 400, "GET", path + "/get_lsn_by_timestamp?timestamp=yesterday", ""))
                .contains("RFC 3339");
        String unknown = "f".repeat(32);
        assertThat(http(pageserver, 404, "GET", tenant + "/" + unknown, "")).contains("is not on this pageserver");
        assertThat(http(pageserver, 400, "POST", tenant, create(unknown, scratch.resolve("nothing"))))
                .contains("no PG_VERSION");
        assertThat(http(
                        pageserver,
                        409,
                        "POST",
                        tenant,
                        create(timeline.metadata().id().timelineId() + "", dataDir)))
                .contains("exists already");
        assertThat(http(pageserver, 201, "POST", tenant, create(unknown, dataDir)))
                .contains("\"pg_version\":");
        http(pageserver, 202, "DELETE", tenant + "/" + unknown, "");
        http(pageserver, 404, "GET", tenant + "/" + unknown, "");
        String metrics = http(pageserver, 200, "GET", "/metrics", "");
        assertThat(PageserverProcess.metric(
                        metrics, "pageserver_smgr_query_total{smgr_query_type=\"get_page_at_lsn\"}"))
                .isPositive();
        assertThat(PageserverProcess.metric(metrics, "pageserver_getpage_reconstruct_seconds_count"))
                .isPositive();
        assertThat(PageserverProcess.metric(metrics, "pageserver_getpage_reconstruct_seconds_sum"))
                .isPositive();
    }

    private static String create(String timelineId, Path path) {
        return "{\"new_timeline_id\":\"" + timelineId + "\",\"import_pgdata\":{\"location\":{\"LocalFs\":{\"path\":\""
                + path + "\"}}}}";
    }

    private static String http(PageserverServer pageserver, int status, String method, String path, String body)
            throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> response = client.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:"
                                    + pageserver.httpAddress().getPort() + path))
                            .method(method, HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode())
                    .as("%s %s: %s", method, path, response.body())
                    .isEqualTo(status);
            return response.body();
        }
    }

    private static void remember(
            Timeline timeline, Map<Lsn, Integer> remembered, int moments, int bytesBetween, AtomicBoolean done) {
        Lsn last = Lsn.INVALID;
        while (remembered.size() < moments && !done.get()) {
            try {
                Lsn next = timeline.lastRecordLsn();
                if (next.isAfter(last.plus(bytesBetween))) {
                    remembered.put(next, digest(timeline, next));
                    last = next;
                }
                timeline.await(timeline.lastRecordLsn().plus(bytesBetween / 4), Duration.ofMillis(200));
            } catch (ReadException e) {
                if (e.kind() != ReadException.Kind.LSN_TIMEOUT) {
                    return;
                }
            }
        }
    }

    private static void assertRemembered(Timeline timeline, Map<Lsn, Integer> remembered) throws Exception {
        for (var entry : remembered.entrySet()) {
            assertThat(digest(timeline, entry.getKey()))
                    .as("at %s", entry.getKey())
                    .isEqualTo(entry.getValue());
        }
    }

    /** Over every block of every relation at an LSN. */
    private static int digest(Timeline timeline, Lsn at) throws ReadException {
        TimelineReader reader = timeline.reader();
        CRC32C crc = new CRC32C();
        byte[] page = new byte[8192];
        reader.scan(KeyKind.RELATION_SIZE.range(), at, (key, value) -> {
            RelTag relation = Keys.relTag(key);
            int blocks = LittleEndian.i32(value, 0);
            crc.update(key.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
            TimelineReader pages = timeline.reader();
            for (int block = 0; block < blocks; block++) {
                pages.page(relation, block, at, page);
                crc.update(page);
            }
        });
        return (int) crc.getValue();
    }
}
