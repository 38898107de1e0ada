package io.tidemark.it.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.tidemark.cli.cluster.ClusterDirectory;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.EmbeddedCluster;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.cli.cluster.SafekeeperProbe;
import io.tidemark.cli.workload.VariedWorkload;
import io.tidemark.pageserver.basedata.BaseData;
import io.tidemark.pageserver.basedata.DataDirectoryImport;
import io.tidemark.pageserver.ingest.FakeTimelineHead;
import io.tidemark.pageserver.ingest.IngestException;
import io.tidemark.pageserver.ingest.WalIngest;
import io.tidemark.pageserver.pgcontrol.ControlFile;
import io.tidemark.pageserver.receiver.Connections;
import io.tidemark.pageserver.receiver.WalReceiver;
import io.tidemark.pageserver.receiver.WalReceiverConfig;
import io.tidemark.pageserver.receiver.WalReceiverMetrics;
import io.tidemark.pageserver.receiver.WalTarget;
import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Follows a cluster's WAL from its safekeepers while they come and go, and compares everything with the server's files at the end. */
class WalReceiverTest {
    private static final int MAJOR = 16;
    private static final Duration DEADLINE = Duration.ofMinutes(1);
    private static final Pattern REMOTE_CONSISTENT = Pattern.compile("\"remote_consistent_lsn\"\\s*:\\s*\"([^\"]+)\"");
    private static final RedoRules RULES = new RedoRules(MAJOR, WalFlavour.STOCK, true);

    @Test
    void aTimelineFollowsWhicheverSafekeeperIsThere() throws Exception {
        Map<String, String> settings = new HashMap<>(VariedWorkload.SETTINGS);
        settings.put("wal_keep_size", "8GB");
        ClusterOptions options = ClusterOptions.defaults().withPgMajor(MAJOR).withPostgresSettings(settings);
        try (IngestedCluster scratch = new IngestedCluster();
                EventLoops loops = new EventLoops("receiver")) {
            ClusterDirectory directory = ClusterDirectory.openOrCreate(scratch.dataDir(), options);
            FakeTimelineHead head = new FakeTimelineHead(RULES);
            BaseData base = DataDirectoryImport.run(directory.layout().postgresDir(), head);
            Lsn last;
            try (EmbeddedCluster cluster = EmbeddedCluster.start(directory)) {
                Target target =
                        new Target(directory.config().timeline(), head, ingestBeforeTimeline(directory, base, head));
                PrometheusRegistry registry = new PrometheusRegistry();
                try (WalReceiver receiver = new WalReceiver(
                        target,
                        () -> addresses(directory),
                        new Connections(loops),
                        null,
                        WalReceiverConfig.DEFAULT,
                        new WalReceiverMetrics(registry))) {
                    workload(directory);
                    awaitLevel(directory, target);
                    long first = leave(directory, cluster, receiver);
                    execute(directory, "CREATE TABLE without_one AS SELECT generate_series(1, 10000) g");
                    awaitLevel(directory, target);
                    assertThat(receiver.currentSafekeeper()).isNotNull();
                    cluster.safekeepers().start(first);
                    awaitFeedback(directory, target);
                    execute(directory, "DROP TABLE without_one");
                    directory.postgres().stop(PostgresServer.Shutdown.FAST, DEADLINE);
                    Lsn end = ControlFile.read(
                                    Files.readAllBytes(
                                            directory.layout().postgresDir().resolve("global/pg_control")),
                                    MAJOR)
                            .checkPointLsn();
                    Awaitility.await().atMost(DEADLINE).until(() -> target.lastRecordLsn.isAfter(end));
                    last = target.lastRecordLsn;
                }
                assertThat(target.stoppedBy).isNull();
            }
            assertThat(last).isGreaterThan(base.startLsn());
            ClusterComparison comparison =
                    new ClusterComparison(head, directory.layout().postgresDir(), MAJOR);
            assertThat(comparison.run()).as(comparison.summary()).isEmpty();
        }
    }

    private static List<HostPort> addresses(ClusterDirectory directory) {
        return directory.config().safekeepers().stream()
                .map(place -> HostPort.parse(place.pgAddress()))
                .toList();
    }

    /** The safekeepers' WAL begins where the shim came; what the server wrote before that is in its own files. */
    private static Lsn ingestBeforeTimeline(ClusterDirectory directory, BaseData base, FakeTimelineHead head)
            throws Exception {
        Lsn start = new SafekeeperProbe(
                        directory.config().safekeepers().getFirst().httpAddress())
                .timeline(directory.config().timeline())
                .orElseThrow()
                .timelineStartLsn();
        return IngestedCluster.ingest(
                directory.layout().postgresDir(), MAJOR, base.startLsn(), start, new WalIngest(head, RULES));
    }

    private static void workload(ClusterDirectory directory) throws Exception {
        PostgresProbe probe = new PostgresProbe(directory.postgres());
        try (Connection first = probe.connect();
                Connection second = probe.connect()) {
            new VariedWorkload(first, second, 200).withoutTablespaces().run();
        }
    }

    private static void execute(ClusterDirectory directory, String sql) throws Exception {
        try (Connection connection = new PostgresProbe(directory.postgres()).connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static void awaitLevel(ClusterDirectory directory, Target target) throws Exception {
        Lsn flushed = new PostgresProbe(directory.postgres()).flushLsn();
        Awaitility.await()
                .atMost(DEADLINE)
                .until(() -> target.stoppedBy != null || target.lastRecordLsn.isAtLeast(flushed));
    }

    /** Stops the safekeeper that is streamed from. */
    private static long leave(ClusterDirectory directory, EmbeddedCluster cluster, WalReceiver receiver)
            throws Exception {
        HostPort current = receiver.currentSafekeeper();
        long id = directory.config().safekeepers().stream()
                .filter(place -> HostPort.parse(place.pgAddress()).equals(current))
                .findFirst()
                .orElseThrow()
                .id();
        cluster.safekeepers().stop(id);
        return id;
    }

    /** The safekeeper that is streamed from hears how far the timeline is. */
    private static void awaitFeedback(ClusterDirectory directory, Target target) {
        Lsn told = target.lastRecordLsn;
        Awaitility.await()
                .atMost(DEADLINE)
                .ignoreExceptions()
                .until(() -> directory.config().safekeepers().stream()
                        .anyMatch(place -> heard(directory, place.httpAddress(), told)));
    }

    private static boolean heard(ClusterDirectory directory, String address, Lsn told) {
        TenantTimelineId id = directory.config().timeline();
        URI uri = URI.create("http://" + address + "/v1/tenant/" + id.tenantId() + "/timeline/" + id.timelineId());
        try (HttpClient client = HttpClient.newHttpClient()) {
            String answer = client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                    .body();
            Matcher lsn = REMOTE_CONSISTENT.matcher(answer);
            return lsn.find() && Lsn.parse(lsn.group(1)).isAtLeast(told);
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static final class Target implements WalTarget {
        private final TenantTimelineId id;
        private final FakeTimelineHead head;
        private WalIngest ingest;
        private Lsn ingested;
        private volatile Lsn lastRecordLsn;
        private volatile @Nullable IngestException stoppedBy;

        Target(TenantTimelineId id, FakeTimelineHead head, Lsn start) throws IOException {
            this.id = id;
            this.head = head;
            this.ingested = start;
            this.lastRecordLsn = start;
            this.ingest = new WalIngest(head, RULES);
        }

        @Override
        public TenantTimelineId id() {
            return id;
        }

        @Override
        public int pgMajor() {
            return MAJOR;
        }

        @Override
        public int walSegmentSizeBytes() {
            return 16 << 20;
        }

        @Override
        public Lsn resume() throws IOException {
            ingest = new WalIngest(head, RULES);
            lastRecordLsn = ingested;
            return ingested;
        }

        @Override
        public void ingest(WalRecord record) throws IngestException, IOException {
            ingest.ingest(record);
            ingested = record.end();
        }

        @Override
        public void endBatch() {
            lastRecordLsn = ingested;
        }

        @Override
        public PageserverFeedback feedback() {
            return new PageserverFeedback(0, lastRecordLsn, lastRecordLsn, lastRecordLsn, 0, 0, false);
        }

        @Override
        public void stopped(IngestException cause) {
            stoppedBy = cause;
        }
    }
}
