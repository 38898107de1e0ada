package io.tidemark.it.pageserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tidemark.runtime.net.EventLoops;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * A pageserver on a file system that becomes full: it says so, stops to ingest and goes on to answer, also after a {@code kill -9}; and it
 * ingests again once there is room. PostgreSQL commits meanwhile. A tmpfs, where mounting one is permitted; elsewhere skipped.
 */
class PageserverFullDiskTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final long LEFT_BYTES = 1_500_000;

    private final long seed = Long.getLong("full.seed", System.nanoTime());

    /** A small file system, unmounted when it is closed. */
    private record SmallDisk(Path directory) implements AutoCloseable {
        static SmallDisk mount(Path directory) throws Exception {
            Files.createDirectory(directory);
            assumeTrue(
                    run("mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", directory.toString()) == 0,
                    "mounting a tmpfs is not permitted here: a full disk is tested on FakeDisk only");
            return new SmallDisk(directory);
        }

        private static int run(String... command) throws Exception {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        }

        private Path ballast() {
            return directory.resolve("ballast");
        }

        /** Takes nearly all the room there is. */
        void fill() throws IOException {
            FileStore store = Files.getFileStore(directory);
            byte[] megabyte = new byte[1 << 20];
            try (RandomAccessFile file = new RandomAccessFile(ballast().toFile(), "rw")) {
                for (long left = store.getUsableSpace() - LEFT_BYTES; left > 0; left -= megabyte.length) {
                    file.write(megabyte, 0, (int) Math.min(left, megabyte.length));
                }
            }
        }

        void makeRoom() throws IOException {
            Files.delete(ballast());
        }

        @Override
        public void close() throws Exception {
            run("umount", directory.toString());
        }
    }

    @Test
    void ingestWaitsForRoomAndReadsGoOn() throws Exception {
        System.out.println("full disk: -Dfull.seed=" + seed);
        try (ServedCluster cluster = ServedCluster.startAndStopPostgres(17, Map.of("fsync", "off"));
                EventLoops loops = new EventLoops("test-client");
                SmallDisk disk = SmallDisk.mount(cluster.scratch().resolve("pageserver"));
                PageserverProcess pageserver =
                        new PageserverProcess(cluster.scratch(), cluster.safekeepers(), "--layer-kb=512")) {
            TenantTimelineId id = cluster.timelineId();
            pageserver.start();
            pageserver.importDataDirectory(id, cluster.postgres().dataDir());
            cluster.postgres().start();
            try (SqlLoad load = new SqlLoad(cluster::connect, 2, seed)) {
                load(load, 60);
                RememberedPages first = rememberAll(cluster, pageserver, loops);
                disk.fill();
                awaitNoRoom(load, pageserver, id);
                first.requireAll(pageserver, loops, id);
                RememberedPages second = RememberedPages.ask(pageserver, loops, id, pageserver.lastRecordLsn(id));
                load(load, 30); // PostgreSQL does not wait for a pageserver
                assertThat(pageserver.lastRecordLsn(id)).isLessThan(cluster.flushLsn());
                assertThat(pageserver.timeline(id).path("state").asString()).isEqualTo("Active");

                pageserver.kill();
                pageserver.start();
                first.requireAll(pageserver, loops, id);
                awaitNoRoom(load, pageserver, id);

                disk.makeRoom();
                Lsn target = cluster.flushLsn();
                await("ingest goes on")
                        .atMost(PATIENCE)
                        .until(() -> pageserver.lastRecordLsn(id), now -> now.isAtLeast(target));
                assertThat(status(pageserver, id)).doesNotContain("room");
                first.requireAll(pageserver, loops, id);
                second.requireAll(pageserver, loops, id);
                pageserver.json("PUT", PageserverProcess.path(id) + "/checkpoint?compact=true", "");
                first.requireAll(pageserver, loops, id);
                assertThat(pageserver.log()).doesNotContain("has stopped for good");
            }
        }
    }

    private static String status(PageserverProcess pageserver, TenantTimelineId id) throws Exception {
        return pageserver.timeline(id).path("walreceiver_status").asString();
    }

    private static void load(SqlLoad load, int statements) {
        long done = load.done();
        load.allow(statements);
        await("the load is done").atMost(PATIENCE).until(() -> {
            load.requireHealthy();
            return load.done() >= done + statements;
        });
    }

    private static RememberedPages rememberAll(ServedCluster cluster, PageserverProcess pageserver, EventLoops loops)
            throws Exception {
        Lsn target = cluster.flushLsn();
        Lsn lsn = await("it is ingested")
                .atMost(PATIENCE)
                .until(() -> pageserver.lastRecordLsn(cluster.timelineId()), now -> now.isAtLeast(target));
        return RememberedPages.ask(pageserver, loops, cluster.timelineId(), lsn);
    }

    private static void awaitNoRoom(SqlLoad load, PageserverProcess pageserver, TenantTimelineId id) {
        await("the pageserver says that there is no room").atMost(PATIENCE).until(() -> {
            if (load.left() < 20) {
                load.allow(40);
            }
            return status(pageserver, id).contains("waits for room on the disk");
        });
    }
}
