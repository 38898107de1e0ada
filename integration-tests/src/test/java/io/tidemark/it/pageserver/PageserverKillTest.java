package io.tidemark.it.pageserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.it.ingest.ClusterComparison;
import io.tidemark.pageserver.PageserverConfig;
import io.tidemark.pageserver.PageserverServer;
import io.tidemark.pageserver.layer.file.LayerFileWriter;
import io.tidemark.pageserver.timeline.StorageTuning;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.shim.pager.PageClient;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.page.PagestreamVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * {@code kill -9} of a pageserver while it ingests: after each restart every version that it ever answered is the same, relations,
 * sizes and pages. Layers are small, so that files are written and merged all the time; every other blow falls in the moment in
 * which a file is half written. In the end all pages are those of the stopped PostgreSQL.
 *
 * <p>The seed decides the load, the moments and the samples; what the machine makes of it is not repeatable. {@code -Dkill.seed=N},
 * {@code -Dkill.count=N} for the long run.
 */
class PageserverKillTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int LAYER_KB = 256;
    private static final int SAMPLE = 150;

    /** Checked whole after each restart; of the older ones some pages, and all of them in the end. */
    private static final int RECENT = 2;

    private final long seed = Long.getLong("kill.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final List<RememberedPages> remembered = new ArrayList<>();
    private int halfWritten;

    @Test
    void rememberedVersionsSurviveAFewKills() throws Exception {
        run(5, 120);
    }

    @Test
    @Tag("slow")
    void rememberedVersionsSurviveAHundredKills() throws Exception {
        int kills = Integer.getInteger("kill.count", 100);
        run(kills, 150);
        assertThat(halfWritten).as("kills in the middle of a file").isGreaterThan(kills / 5);
    }

    private void run(int kills, int statements) throws Exception {
        System.out.println("pageserver kills: -Dkill.seed=" + seed);
        try (ServedCluster cluster =
                        ServedCluster.startAndStopPostgres(17, Map.of("fsync", "off", "autovacuum_naptime", "1s"));
                EventLoops loops = new EventLoops("test-client")) {
            try (PageserverProcess pageserver =
                    new PageserverProcess(cluster.scratch(), cluster.safekeepers(), "--layer-kb=" + LAYER_KB)) {
                pageserver.start();
                TenantTimelineId id = cluster.timelineId();
                pageserver.importDataDirectory(id, cluster.postgres().dataDir());
                cluster.postgres().start();
                try (SqlLoad load = new SqlLoad(cluster::connect, 3, seed)) {
                    for (int i = 0; i < kills; i++) {
                        load.allow(statements);
                        remember(pageserver, loops, id);
                        killOne(pageserver, id, i);
                        pageserver.start();
                        load.requireHealthy();
                        requireRemembered(pageserver, loops, id);
                    }
                }
                cluster.stopPostgres();
                await("everything is ingested")
                        .atMost(PATIENCE)
                        .until(() -> pageserver.lastRecordLsn(id), lsn -> lsn.isAtLeast(cluster.commitLsn()));
                for (RememberedPages pages : remembered) {
                    pages.requireAll(pageserver, loops, id);
                }
                assertThat(pageserver.metric("pageserver_read_errors_total")).isZero();
                pageserver.kill();
                assertThat(pageserver.log()).doesNotContain(" ERROR ");
            }
            requireEqualFiles(cluster, loops);
            System.out.println(kills + " kills, " + halfWritten + " of them in the middle of a file, "
                    + remembered.size() + " versions of " + remembered.getLast().size() + " pages remembered, "
                    + cluster.commitLsn() + " reached");
        }
    }

    private void remember(PageserverProcess pageserver, EventLoops loops, TenantTimelineId id) throws Exception {
        Lsn last = remembered.isEmpty() ? Lsn.INVALID : remembered.getLast().lsn();
        Lsn lsn = await("WAL comes in")
                .atMost(PATIENCE)
                .until(() -> pageserver.lastRecordLsn(id), now -> now.isAfter(last.plus(random.nextInt(1 << 18))));
        remembered.add(RememberedPages.ask(pageserver, loops, id, lsn));
    }

    private void killOne(PageserverProcess pageserver, TenantTimelineId id, int round) throws Exception {
        Path layers = pageserver.layers(id);
        if (round % 2 == 0) {
            try {
                await().atMost(Duration.ofSeconds(2))
                        .pollDelay(Duration.ZERO)
                        .pollInterval(Duration.ofMillis(1))
                        .until(() -> unfinished(layers) > 0);
            } catch (ConditionTimeoutException noFlushNow) {
                // then it is a moment like any other
            }
        } else {
            LockSupport.parkNanos(Duration.ofMillis(random.nextInt(400)).toNanos());
        }
        assertThat(pageserver.isAlive())
                .as("the pageserver had ended by itself")
                .isTrue();
        pageserver.kill();
        halfWritten += unfinished(layers) > 0 ? 1 : 0;
    }

    private static long unfinished(Path layers) throws IOException {
        try (Stream<Path> files = Files.list(layers)) {
            return files.filter(file -> file.toString().endsWith(LayerFileWriter.TEMPORARY_SUFFIX))
                    .count();
        }
    }

    private void requireRemembered(PageserverProcess pageserver, EventLoops loops, TenantTimelineId id)
            throws Exception {
        for (int i = 0; i < remembered.size(); i++) {
            if (i >= remembered.size() - RECENT) {
                remembered.get(i).requireAll(pageserver, loops, id);
            } else {
                remembered.get(i).requireSome(pageserver, loops, id, SAMPLE, random);
            }
        }
    }

    /** Opens the same data in this process, where everything can be read. */
    private void requireEqualFiles(ServedCluster cluster, EventLoops loops) throws Exception {
        HostPort any = new HostPort("127.0.0.1", 0);
        try (PageserverServer server = PageserverServer.start(
                PageserverConfig.of(cluster.scratch().resolve("pageserver"), cluster.safekeepers())
                        .listeningOn(any, any),
                StorageTuning.ofLayerBytes(LAYER_KB << 10))) {
            Timeline timeline = server.timelines().find(cluster.timelineId()).orElseThrow();
            Lsn end = cluster.commitLsn();
            timeline.await(end, PATIENCE);
            try (PageClient client = PageClient.connect(
                    loops.group().next(),
                    PgClientConfig.of("127.0.0.1", server.pgAddress().getPort(), "nobody"),
                    cluster.timelineId(),
                    PagestreamVersion.V3,
                    PATIENCE)) {
                ClusterComparison comparison = new ClusterComparison(
                        new SocketHead(client, timeline.reader(), end),
                        cluster.postgres().dataDir(),
                        17);
                List<String> findings = comparison.run();
                assertThat(findings).as(comparison.summary()).isEmpty();
            }
        }
    }
}
