package io.tidemark.it.pageserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.it.CommandRun;
import io.tidemark.it.compute.SourceLoad;
import io.tidemark.it.ingest.ClusterComparison;
import io.tidemark.pageserver.PageserverConfig;
import io.tidemark.pageserver.PageserverServer;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.safekeeper.SafekeeperConfig;
import io.tidemark.safekeeper.SafekeeperServer;
import io.tidemark.shim.compute.Shim;
import io.tidemark.shim.compute.ShimConfig;
import io.tidemark.shim.compute.ShimState;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.pager.PageClient;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.source.PostgresAddress;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.SslMode;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.page.PagestreamVersion;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * {@code tidemark timeline import}, with everything that belongs to it: a PostgreSQL that commits through safekeepers while clients write,
 * becomes a timeline meanwhile, and all its pages are served.
 */
@Timeout(300)
class RunningServerImportTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final HostPort ANY = new HostPort("127.0.0.1", 0);
    private static final TenantTimelineId TIMELINE = new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4));
    private static final int MAJOR = 17;

    private final List<SafekeeperServer> safekeepers = new ArrayList<>();
    private final EventLoops loops = new EventLoops("test-client");
    private Path scratch = Path.of("unset");
    private PostgresServer postgres;

    @BeforeEach
    void start() throws Exception {
        ServerUser user = ServerUser.current();
        scratch = user.scratchDirectory("tidemark-import-");
        for (int i = 0; i < 3; i++) {
            safekeepers.add(SafekeeperServer.start(SafekeeperConfig.of(new NodeId(i + 1), scratch.resolve("sk" + i))
                    .listeningOn(ANY, ANY)));
        }
        postgres = PostgresServer.create(
                PostgresArchives.configured().require(MAJOR), user, scratch.resolve("pg"), InitDbOptions.defaults());
        postgres.configure(Map.of("synchronous_standby_names", "tidemark", "fsync", "off", "wal_keep_size", "1GB"));
        postgres.start();
    }

    @AfterEach
    void stop() throws Exception {
        postgres.close();
        safekeepers.forEach(SafekeeperServer::close);
        loops.close();
        try (Stream<Path> paths = Files.walk(scratch)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        }
    }

    @Test
    void aServerUnderLoadBecomesATimeline() throws Exception {
        try (Shim shim = shim();
                PageserverServer pageserver = pageserver()) {
            await().atMost(PATIENCE).until(() -> shim.status().state() == ShimState.STREAMING);
            Timeline timeline;
            try (SourceLoad load = new SourceLoad(postgres, 0)) {
                load.awaitTransactions(100);
                assertRefusalsAreClear(pageserver);
                CommandRun made = run(pageserver, "--from", url(postgres.port()), "--progress");
                assertThat(made.exitCode()).as(made.toString()).isZero();
                assertThat(made.out()).contains("timeline " + TIMELINE + " is made; it can be read from ");
                assertThat(made.err()).contains("waiting for WAL up to");
                timeline = pageserver.timelines().find(TIMELINE).orElseThrow();
                assertThat(made.out()).contains(timeline.minReadableLsn().toString());
                load.awaitTransactions(200);
                CommandRun again = run(pageserver, "--from", url(postgres.port()));
                assertThat(again.exitCode()).isEqualTo(1);
                assertThat(again.err()).contains("exists already");
            }
            String relation = ask("SELECT pg_relation_filepath('branches')").replace("base/", "1663/");
            postgres.stop(PostgresServer.Shutdown.FAST, PATIENCE);
            Lsn end = shim.status().sourceLsn();
            timeline.await(end, PATIENCE);
            assertEqualsFiles(pageserver, timeline, end);
            assertPagesHaveChanged(pageserver, timeline, relation, end);
        }
    }

    private void assertRefusalsAreClear(PageserverServer pageserver) {
        CommandRun nobody = run(pageserver, "--from", url(1));
        assertThat(nobody.exitCode()).as(nobody.toString()).isEqualTo(1);
        assertThat(nobody.err()).contains("tidemark timeline import: ").contains("127.0.0.1:1");
        CommandRun nonsense = run(pageserver, "--from", "mysql://root:secret@127.0.0.1/");
        assertThat(nonsense.exitCode()).isEqualTo(2);
        assertThat(nonsense.err()).contains("not a postgres:// address").doesNotContain("secret");
        CommandRun noRole = run(pageserver, "--from", "postgres://nobody:secret@127.0.0.1:" + postgres.port() + "/");
        assertThat(noRole.exitCode()).as(noRole.toString()).isEqualTo(1);
        assertThat(noRole.err()).contains("role \"nobody\" does not exist").doesNotContain("secret");
        assertThat(pageserver.timelines().all()).isEmpty();
    }

    private static String url(int port) {
        return "postgres://postgres@127.0.0.1:" + port + "/";
    }

    private static CommandRun run(PageserverServer pageserver, String... further) {
        return CommandRun.of(Stream.concat(
                        Stream.of(
                                "timeline",
                                "import",
                                "--pageserver-http",
                                "127.0.0.1:" + pageserver.httpAddress().getPort(),
                                "--tenant-id",
                                TIMELINE.tenantId().toString(),
                                "--timeline-id",
                                TIMELINE.timelineId().toString()),
                        Stream.of(further))
                .toArray(String[]::new));
    }

    private void assertEqualsFiles(PageserverServer pageserver, Timeline timeline, Lsn end) throws Exception {
        try (PageClient client = PageClient.connect(
                loops.group().next(),
                PgClientConfig.of("127.0.0.1", pageserver.pgAddress().getPort(), "nobody"),
                TIMELINE,
                PagestreamVersion.V3,
                PATIENCE)) {
            SocketHead head = new SocketHead(client, timeline.reader(), end);
            ClusterComparison comparison = new ClusterComparison(head, postgres.dataDir(), MAJOR).withEmptyLeftovers();
            assertThat(comparison.run()).as(comparison.summary()).isEmpty();
            assertThat(head.asked()).isGreaterThan(1_000);
        }
    }

    /** {@code tidemark page diff} between where the timeline begins to be readable and its end, of a page that every transaction changes. */
    private static void assertPagesHaveChanged(
            PageserverServer pageserver, Timeline timeline, String relation, Lsn end) {
        CommandRun diff = CommandRun.of(
                "page",
                "diff",
                "--pageserver",
                "127.0.0.1:" + pageserver.pgAddress().getPort(),
                "--tenant-id",
                TIMELINE.tenantId().toString(),
                "--timeline-id",
                TIMELINE.timelineId().toString(),
                "--rel",
                relation,
                "--block",
                "0",
                "--at",
                timeline.minReadableLsn().toString(),
                "--other-at",
                end.toString());
        assertThat(diff.exitCode()).as(diff.toString()).isEqualTo(1);
        assertThat(diff.out()).startsWith("pd_lsn ");
    }

    private Shim shim() {
        List<SafekeeperAddress> addresses = safekeepers.stream()
                .map(server ->
                        new SafekeeperAddress("127.0.0.1", server.pgAddress().getPort()))
                .toList();
        PostgresAddress address =
                new PostgresAddress("127.0.0.1", postgres.port(), "postgres", "postgres", SslMode.DISABLE, "");
        return Shim.start(ShimConfig.of(address, addresses, TIMELINE), report -> {});
    }

    private PageserverServer pageserver() throws Exception {
        List<HostPort> addresses = safekeepers.stream()
                .map(server -> new HostPort("127.0.0.1", server.pgAddress().getPort()))
                .toList();
        return PageserverServer.start(
                PageserverConfig.of(scratch.resolve("ps"), addresses).listeningOn(ANY, ANY));
    }

    private String ask(String sql) throws SQLException {
        try (Connection connection = connect(postgres);
                Statement statement = connection.createStatement();
                ResultSet answer = statement.executeQuery(sql)) {
            answer.next();
            return answer.getString(1);
        }
    }

    private static Connection connect(PostgresServer server) throws SQLException {
        return DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
    }
}
