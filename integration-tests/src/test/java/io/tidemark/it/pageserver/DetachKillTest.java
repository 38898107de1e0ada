package io.tidemark.it.pageserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.it.compute.SqlDigest;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.sql.Connection;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * {@code kill -9} of a pageserver in the middle of detaching a branch from its ancestor, in both ways that there are: after the restart the branch, an
 * older sibling and the ancestor have the pages that they had, and detaching again ends it.
 *
 * <p>The seed decides the ways and moments; {@code -Ddetach.seed=N}.
 */
class DetachKillTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final long seed = Long.getLong("detach.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private long longestNanos;
    private int interrupted;

    @Test
    void whatWasBeingDetachedIsDetachedAgain() throws Exception {
        run(3);
    }

    @Test
    @Tag("slow")
    void whatWasBeingDetachedIsDetachedAgainManyTimes() throws Exception {
        run(20);
        assertThat(interrupted).as("calls that got no answer").isGreaterThan(5);
    }

    private void run(int kills) throws Exception {
        System.out.println("kills while detaching: -Ddetach.seed=" + seed);
        try (ServedCluster cluster = ServedCluster.startAndStopPostgres(16, Map.of("fsync", "off"));
                EventLoops loops = new EventLoops("test-client");
                PageserverProcess pageserver =
                        new PageserverProcess(cluster.scratch(), cluster.safekeepers(), "--layer-kb=256")) {
            pageserver.start();
            TenantTimelineId main = cluster.timelineId();
            pageserver.importDataDirectory(main, cluster.postgres().dataDir());
            cluster.postgres().start();
            Lsn older = write(cluster, pageserver, "older");
            Lsn newer = write(cluster, pageserver, "newer");
            write(cluster, pageserver, "newest");
            cluster.stopPostgres();
            RememberedPages atOlder = RememberedPages.ask(pageserver, loops, main, older);
            RememberedPages atNewer = RememberedPages.ask(pageserver, loops, main, newer);
            for (int round = 0; round <= kills; round++) {
                TenantTimelineId sibling = branch(pageserver, main, 2 * round, older);
                TenantTimelineId branch = branch(pageserver, main, 2 * round + 1, newer);
                String detach = PageserverProcess.path(branch) + "/detach_ancestor?detach_behavior="
                        + (random.nextBoolean() ? "v1" : "v2");
                if (round == 0) {
                    long begun = System.nanoTime();
                    pageserver.json("PUT", detach, "");
                    longestNanos = System.nanoTime() - begun;
                } else {
                    killDuring(pageserver, detach);
                    pageserver.start();
                    atNewer.requireAll(pageserver, loops, branch);
                    atOlder.requireAll(pageserver, loops, sibling);
                    pageserver.json("PUT", detach, "");
                }
                assertThat(pageserver.timeline(branch).has("ancestor_timeline_id"))
                        .isFalse();
                assertThat(pageserver
                                .timeline(sibling)
                                .path("ancestor_timeline_id")
                                .asString())
                        .isEqualTo((detach.endsWith("v1") ? branch : main)
                                .timelineId()
                                .toString());
                atNewer.requireAll(pageserver, loops, branch);
                atOlder.requireAll(pageserver, loops, sibling);
                atNewer.requireAll(pageserver, loops, main);
                pageserver.json("DELETE", PageserverProcess.path(sibling), "");
                pageserver.json("DELETE", PageserverProcess.path(branch), "");
            }
            pageserver.kill();
            assertThat(pageserver.log()).doesNotContain(" ERROR ");
            System.out.println(kills + " kills, " + interrupted + " of them before the answer");
        }
    }

    private static Lsn write(ServedCluster cluster, PageserverProcess pageserver, String table) throws Exception {
        try (Connection connection = cluster.connect()) {
            SqlDigest.run(
                    connection,
                    "CREATE TABLE " + table + " AS SELECT g, md5(g::text) AS v FROM generate_series(1, 20000) g");
        }
        Lsn lsn = cluster.flushLsn();
        return await("everything is ingested")
                .atMost(PATIENCE)
                .until(() -> pageserver.lastRecordLsn(cluster.timelineId()), now -> now.isAtLeast(lsn));
    }

    private static TenantTimelineId branch(PageserverProcess pageserver, TenantTimelineId main, int number, Lsn at)
            throws IOException, InterruptedException {
        TimelineId id = new TimelineId(7, number);
        pageserver.json(
                "POST",
                "/v1/tenant/" + main.tenantId() + "/timeline",
                "{\"new_timeline_id\":\"%s\",\"ancestor_timeline_id\":\"%s\",\"ancestor_start_lsn\":\"%s\"}"
                        .formatted(id, main.timelineId(), at));
        return new TenantTimelineId(main.tenantId(), id);
    }

    private void killDuring(PageserverProcess pageserver, String detach) throws Exception {
        CompletableFuture<Integer> answer = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                answer.complete(pageserver.request("PUT", detach, "").statusCode());
            } catch (IOException | InterruptedException e) {
                answer.completeExceptionally(e);
            }
        });
        LockSupport.parkNanos(random.nextLong(longestNanos));
        pageserver.kill();
        try {
            assertThat(answer.get()).isEqualTo(200);
        } catch (ExecutionException e) {
            interrupted++;
        }
    }
}
