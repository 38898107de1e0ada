package io.tidemark.it.branch;

import static io.tidemark.it.branch.PageserverHttp.timeline;
import static io.tidemark.it.branch.PageserverHttp.timelines;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.cli.cluster.ClusterDirectory;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.EmbeddedCluster;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.pageserver.PageserverConfig;
import io.tidemark.pageserver.PageserverServer;
import io.tidemark.pageserver.timeline.RetentionConfig;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.rel.RelTag;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A PostgreSQL commits through three safekeepers, a pageserver follows, and branches are made by HTTP at LSNs of its past: what a branch
 * answers at its LSN is what its ancestor answered there, whatever is collected, compacted and restarted later.
 */
@Tag("slow")
class BranchTest {
    private static final Logger log = LoggerFactory.getLogger(BranchTest.class);
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int MAJOR = 17;
    private static final int MOMENTS = 6;

    private final EventLoops loops = new EventLoops("test-client");
    private Path scratch = Path.of("unset");

    @BeforeEach
    void makeScratch() throws Exception {
        scratch = ServerUser.current().scratchDirectory("tidemark-branch-");
    }

    @AfterEach
    void removeScratch() throws Exception {
        loops.close();
        try (Stream<Path> paths = Files.walk(scratch)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        }
    }

    private PageserverServer start(ClusterDirectory cluster) throws Exception {
        List<HostPort> safekeepers = Arrays.stream(
                        cluster.config().safekeeperList().split(",", -1))
                .map(HostPort::parse)
                .toList();
        return PageserverServer.start(PageserverConfig.of(scratch.resolve("ps"), safekeepers)
                .listeningOn(new HostPort("127.0.0.1", 0), new HostPort("127.0.0.1", 0))
                .withRetention(RetentionConfig.NOTHING));
    }

    @Test
    void branchesAnswerWhatTheirAncestorAnsweredWhateverBecomesOfIt() throws Exception {
        ClusterDirectory cluster = ClusterDirectory.openOrCreate(
                scratch.resolve("cluster"),
                new ClusterOptions(Optional.of(MAJOR), Optional.empty(), 0, 3, Map.of("fsync", "off"), false));
        PostgresServer postgres = cluster.postgres();
        TenantTimelineId id = cluster.config().timeline();
        Map<Lsn, Map<RelTag, String>> remembered = new TreeMap<>();
        try (EmbeddedCluster running = EmbeddedCluster.start(cluster)) {
            postgres.stop(PostgresServer.Shutdown.FAST, Duration.ofMinutes(1));
            try (PageserverServer pageserver = start(cluster);
                    PageserverHttp http =
                            new PageserverHttp(pageserver.httpAddress().getPort())) {
                Timeline timeline = pageserver.imports().dataDirectory(id, postgres.dataDir());
                postgres.start();
                try (Connection connection = new PostgresProbe(postgres).connect();
                        Statement statement = connection.createStatement()) {
                    for (int moment = 0; moment < MOMENTS; moment++) {
                        change(statement, moment);
                        Lsn lsn = new PostgresProbe(postgres).flushLsn();
                        timeline.await(lsn, PATIENCE);
                        Lsn settled = timeline.lastRecordLsn();
                        remembered.put(settled, pages(pageserver, id, settled));
                    }
                }
                branchAtEach(http, id, remembered);
                assertBranches(pageserver, id, remembered);
                // The same again, and what cannot be.
                Lsn first = remembered.keySet().iterator().next();
                branch(http, 201, id, 0, first);
                branch(http, 409, id, 0, first.plus(8));
                assertThat(branch(http, 406, id, 99, first.plus(4)).path("msg").asString())
                        .contains("not a multiple of 8");
                http.ask(412, "DELETE", timeline(id), "");
                // Branch of a branch, at its head.
                TenantTimelineId deeper = branchId(id, 50);
                http.ask(
                        201,
                        "POST",
                        timelines(id),
                        "{\"new_timeline_id\":\"" + deeper.timelineId() + "\",\"ancestor_timeline_id\":\""
                                + branchId(id, 0).timelineId() + "\"}");
                assertThat(pages(pageserver, deeper, first)).isEqualTo(remembered.get(first));
                collectEverything(http, id);
                assertThat(branch(http, 406, id, 98, first.plus(8)).path("msg").asString())
                        .contains("gc cutoff");
                assertBranches(pageserver, id, remembered);
            }
            try (PageserverServer pageserver = start(cluster);
                    PageserverHttp http =
                            new PageserverHttp(pageserver.httpAddress().getPort())) {
                assertBranches(pageserver, id, remembered);
                collectEverything(http, id);
                assertBranches(pageserver, id, remembered);
                Lsn first = remembered.keySet().iterator().next();
                http.ask(412, "DELETE", timeline(branchId(id, 0)), "");
                http.ask(202, "DELETE", timeline(branchId(id, 50)), "");
                http.ask(202, "DELETE", timeline(branchId(id, 0)), "");
                http.ask(404, "GET", timeline(branchId(id, 0)), "");
                collectEverything(http, id);
                branch(http, 406, id, 0, first);
            }
            assertThat(running.status().commitLsn()).isGreaterThan(Lsn.INVALID);
        }
    }

    private static void change(Statement statement, int moment) throws Exception {
        if (moment == 0) {
            statement.execute("CREATE TABLE kept (id int PRIMARY KEY, v text)");
        }
        statement.execute("CREATE TABLE t" + moment + " AS SELECT g AS id, repeat('x', 100) AS v"
                + " FROM generate_series(1, 3000) g");
        statement.execute(
                "INSERT INTO kept SELECT g + " + moment * 1000 + ", md5(g::text) FROM generate_series(1, 500) g");
        statement.execute("UPDATE kept SET v = v || 'y' WHERE id % 3 = 0");
        if (moment > 1) {
            statement.execute("DROP TABLE t" + (moment - 2));
            statement.execute("TRUNCATE t" + (moment - 1));
            statement.execute("VACUUM kept");
        }
    }

    private Map<RelTag, String> pages(PageserverServer pageserver, TenantTimelineId id, Lsn at) throws Exception {
        Timeline timeline = pageserver.timelines().find(id).orElseThrow();
        return TimelinePages.ask(loops, pageserver.pgAddress().getPort(), timeline, at);
    }

    private static TenantTimelineId branchId(TenantTimelineId id, int number) {
        return new TenantTimelineId(id.tenantId(), new TimelineId(7, number));
    }

    private static tools.jackson.databind.JsonNode branch(
            PageserverHttp http, int status, TenantTimelineId id, int number, Lsn at) throws Exception {
        return http.ask(
                status,
                "POST",
                timelines(id),
                "{\"new_timeline_id\":\"" + branchId(id, number).timelineId() + "\",\"ancestor_timeline_id\":\""
                        + id.timelineId() + "\",\"ancestor_start_lsn\":\"" + at + "\"}");
    }

    private static void branchAtEach(PageserverHttp http, TenantTimelineId id, Map<Lsn, Map<RelTag, String>> remembered)
            throws Exception {
        int number = 0;
        for (Lsn lsn : remembered.keySet()) {
            long begin = System.nanoTime();
            var info = branch(http, 201, id, number, lsn);
            log.info("branch at {} made in {} us", lsn, (System.nanoTime() - begin) / 1000);
            assertThat(info.path("ancestor_lsn").asString()).isEqualTo(lsn.toString());
            assertThat(info.path("last_record_lsn").asString()).isEqualTo(lsn.toString());
            number++;
        }
    }

    private void assertBranches(
            PageserverServer pageserver, TenantTimelineId id, Map<Lsn, Map<RelTag, String>> remembered)
            throws Exception {
        int number = 0;
        for (var entry : remembered.entrySet()) {
            assertThat(pages(pageserver, branchId(id, number), entry.getKey()))
                    .as("branch %s at %s", number, entry.getKey())
                    .isEqualTo(entry.getValue());
            number++;
        }
    }

    private static void collectEverything(PageserverHttp http, TenantTimelineId id) throws Exception {
        http.ask(200, "PUT", timeline(id) + "/checkpoint?compact=true", "");
        http.ask(200, "PUT", timeline(id) + "/do_gc", "{\"gc_horizon\":0}");
        http.ask(200, "PUT", timeline(id) + "/compact?force_image_layer_creation=true", "");
    }
}
