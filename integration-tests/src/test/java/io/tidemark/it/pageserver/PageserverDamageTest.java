package io.tidemark.it.pageserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A byte flips in a layer file, of a pageserver that runs or that is down: no page is ever wrong, errors name the file, what does not
 * need the byte is served, and with a file damaged for good the timeline goes on to ingest and to compact.
 */
@Timeout(600)
class PageserverDamageTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int MANY_FLIPS = 20;

    private static final long SEVERAL_BLOCKS = 32 << 10;

    private final long seed = Long.getLong("damage.seed", System.nanoTime());
    private final Random random = new Random(seed);

    @Test
    void noPageIsEverWrong() throws Exception {
        run(5, 1);
    }

    @Test
    @Tag("slow")
    void noPageIsEverWrongWhereverTheByteIs() throws Exception {
        run(Integer.getInteger("damage.flips", 60), 10);
    }

    private void run(int flips, int restarts) throws Exception {
        System.out.println("damage: -Ddamage.seed=" + seed);
        try (ServedCluster cluster = ServedCluster.startAndStopPostgres(17, Map.of("fsync", "off"));
                EventLoops loops = new EventLoops("test-client");
                // The smallest cache of pages, so that most reads go to the files.
                PageserverProcess pageserver = new PageserverProcess(
                        cluster.scratch(), cluster.safekeepers(), "--layer-kb=256", "--page-cache-mb=1")) {
            TenantTimelineId id = cluster.timelineId();
            pageserver.start();
            pageserver.importDataDirectory(id, cluster.postgres().dataDir());
            cluster.postgres().start();
            try (SqlLoad load = new SqlLoad(cluster::connect, 2, seed)) {
                RememberedPages pages = loadAndRemember(cluster, load, pageserver, loops, 150);
                pageserver.json("PUT", PageserverProcess.path(id) + "/checkpoint", "");
                int running = 0;
                int offline = 0;
                for (int i = 0; i < flips; i++) {
                    running += flipped(pageserver, id, () -> {}, pages, loops);
                }
                for (int i = 0; i < restarts; i++) {
                    offline += flipped(
                            pageserver,
                            id,
                            () -> {
                                pageserver.kill();
                                pageserver.start();
                            },
                            pages,
                            loops);
                }
                System.out.println("damage: of " + pages.size() + " pages each, reads that failed: " + running + " in "
                        + flips + " flips under a running server, " + offline + " in " + restarts + " before a start");
                pages.requireAll(pageserver, loops, id);
                if (flips >= MANY_FLIPS) { // a few may all hit what no page of now needs
                    assertThat(running + offline).isPositive();
                }
                goesOnWithADamagedFile(cluster, load, pageserver, loops, pages);
            }
        }
    }

    private RememberedPages loadAndRemember(
            ServedCluster cluster, SqlLoad load, PageserverProcess pageserver, EventLoops loops, int statements)
            throws Exception {
        long done = load.done();
        load.allow(statements);
        await("the load is done").atMost(PATIENCE).until(() -> {
            load.requireHealthy();
            return load.done() >= done + statements;
        });
        Lsn target = cluster.flushLsn();
        Lsn lsn = await("it is ingested")
                .atMost(PATIENCE)
                .until(() -> pageserver.lastRecordLsn(cluster.timelineId()), now -> now.isAtLeast(target));
        return RememberedPages.ask(pageserver, loops, cluster.timelineId(), lsn);
    }

    private interface Step {
        void run() throws Exception;
    }

    /** Flips a byte somewhere, asks for all pages, flips it back. Returns how many pages could not be had. */
    private int flipped(
            PageserverProcess pageserver, TenantTimelineId id, Step between, RememberedPages pages, EventLoops loops)
            throws Exception {
        Path file = anyLayer(pageserver, id);
        long at = random.nextLong(Files.size(file));
        flip(file, at);
        between.run();
        int failed = pages.requireRightOrNamed(
                pageserver, loops, id, file.getFileName().toString());
        if (!holdsSizes(file)) {
            assertThat(failed).as("pages lost by a byte of " + file).isLessThan(pages.size());
        }
        if (Files.exists(file)) { // else compaction has read it before, and is done with it
            flip(file, at);
        }
        between.run();
        return failed;
    }

    /** Whether its range of keys, which its name tells, reaches relations' sizes: every page may need what such a file has. */
    private static boolean holdsSizes(Path file) {
        String name = file.getFileName().toString();
        Key end = Key.parse(name.substring(name.indexOf('-') + 1, name.indexOf("__")));
        return end.compareTo(KeyKind.RELATION_SIZE.range().start()) > 0;
    }

    private Path anyLayer(PageserverProcess pageserver, TenantTimelineId id) throws IOException {
        try (Stream<Path> files = Files.list(pageserver.layers(id))) {
            List<Path> layers = files.filter(file -> file.toString().endsWith(".delta")
                            || file.toString().endsWith(".image"))
                    .sorted()
                    .toList();
            return layers.get(random.nextInt(layers.size()));
        }
    }

    private static void flip(Path file, long at) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, at);
            one.put(0, (byte) (one.get(0) ^ 0x40)).flip();
            channel.write(one, at);
        }
    }

    /**
     * The first block of the newest L0 file that has several: there nothing but a page has it, while a file of one block holds what a
     * start and ingest need, too. Reads of the damaged block fail, all else goes on.
     */
    private void goesOnWithADamagedFile(
            ServedCluster cluster, SqlLoad load, PageserverProcess pageserver, EventLoops loops, RememberedPages pages)
            throws Exception {
        TenantTimelineId id = cluster.timelineId();
        String damaged = "";
        do {
            String merged = damaged;
            damaged = await("there is another L0 file")
                    .atMost(PATIENCE)
                    .until(
                            () -> {
                                load.allow(20);
                                return newestL0(pageserver, id);
                            },
                            name -> !name.isEmpty() && !name.equals(merged));
            String file = damaged;
            try {
                flip(pageserver.layers(id).resolve(file), 100);
            } catch (NoSuchFileException e) {
                continue;
            }
            await("compaction takes it").atMost(PATIENCE).until(() -> {
                load.requireHealthy();
                load.allow(50);
                return !isInL0(pageserver, id, file);
            });
            // Or it had read the block before.
        } while (pageserver.metric("pageserver_damaged_layers") == 0);
        assertThat(pageserver.log()).contains("compaction goes on without");
        String l0 = newestL0(pageserver, id);
        await("it goes on").atMost(PATIENCE).until(() -> {
            load.allow(50);
            return !newestL0(pageserver, id).equals(l0);
        });
        pageserver.kill();
        pageserver.start();
        Lsn reached = pageserver.lastRecordLsn(id);
        await("so does ingest").atMost(PATIENCE).until(() -> {
            load.allow(20);
            return pageserver.lastRecordLsn(id).compareTo(reached) > 0;
        });
        pages.requireRightOrNamed(pageserver, loops, id, damaged);
        assertThat(pageserver.timeline(id).path("state").asString()).isEqualTo("Active");
    }

    /** The name of the newest with several blocks; empty when there is none. */
    private static String newestL0(PageserverProcess pageserver, TenantTimelineId id) throws Exception {
        for (var layer : pageserver
                .json("GET", PageserverProcess.path(id) + "/layer", "")
                .path("historic_layers")) {
            if (layer.path("l0").asBoolean() && layer.path("layer_file_size").asLong() >= SEVERAL_BLOCKS) {
                return layer.path("layer_file_name").asString();
            }
        }
        return "";
    }

    private static boolean isInL0(PageserverProcess pageserver, TenantTimelineId id, String name) throws Exception {
        for (var layer : pageserver
                .json("GET", PageserverProcess.path(id) + "/layer", "")
                .path("historic_layers")) {
            if (layer.path("layer_file_name").asString().equals(name)) {
                return layer.path("l0").asBoolean();
            }
        }
        return false;
    }
}
