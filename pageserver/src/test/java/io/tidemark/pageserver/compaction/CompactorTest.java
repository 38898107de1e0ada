package io.tidemark.pageserver.compaction;

import static io.tidemark.pageserver.layer.StoreFixture.block;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.FileLayer;
import io.tidemark.pageserver.layer.LayerConfig;
import io.tidemark.pageserver.layer.LayerSnapshot;
import io.tidemark.pageserver.layer.LayerStore;
import io.tidemark.pageserver.layer.LayerStoreFailedException;
import io.tidemark.pageserver.layer.Retention;
import io.tidemark.pageserver.layer.StoreFixture;
import io.tidemark.pageserver.layer.file.CorruptLayerException;
import io.tidemark.pageserver.layer.file.LayerKind;
import io.tidemark.runtime.durable.DiskFullException;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.durable.SyncFailedException;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CompactorTest {
    private static final byte[] PAGE = new byte[300];

    private final FakeDisk disk = new FakeDisk();
    private final CompactionFixture fixture;

    CompactorTest() throws IOException {
        this.fixture = new CompactionFixture(disk);
    }

    private void checkAll(long... lsns) throws IOException {
        List<Lsn> at = new ArrayList<>();
        for (long lsn : lsns) {
            at.add(Lsn.of(lsn));
        }
        fixture.model.checkAll(fixture.stored.store, at);
    }

    private int visits(Key key, long lsn) throws IOException {
        return fixture.stored
                .store
                .read(key, Lsn.of(lsn), (k, l, b, v, o, n) -> {})
                .layersVisited();
    }

    private List<String> files() throws IOException {
        return disk.list(StoreFixture.DIRECTORY).stream()
                .filter(name -> name.endsWith(".delta") || name.endsWith(".image"))
                .toList();
    }

    private void requireOnlyNamedFiles() throws IOException {
        assertThat(files())
                .containsExactlyInAnyOrderElementsOf(fixture.stored.store.layers().layers().stream()
                        .map(layer -> layer.descriptor().fileName())
                        .toList());
    }

    private long versions() {
        return fixture.stored.store.layers().layers().stream()
                .mapToLong(layer -> layer.descriptor().versions())
                .sum();
    }

    @Test
    void l0MovesIntoThePartitionsAndItsFilesGo() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        fixture.freeze();
        fixture.put(block(1, 1), 20, false, (byte) 2);
        fixture.put(block(2, 1), 20, true, (byte) 3);
        fixture.freeze();
        assertThat(visits(block(1, 1), 20)).isEqualTo(2);
        assertThat(fixture.compactor.step()).isTrue();
        assertThat(fixture.stored.store.layers().l0()).isEmpty();
        assertThat(fixture.stored.store.layers().compactedLsn()).isEqualTo(Lsn.of(20));
        assertThat(files()).hasSize(1);
        assertThat(visits(block(1, 1), 20)).isEqualTo(1);
        checkAll(9, 10, 19, 20);
        assertThat(fixture.compactor.step()).isFalse();
        fixture.reopen();
        checkAll(9, 10, 19, 20);
    }

    @Test
    void aLongChainGetsAnImageAndOnlyThat() throws IOException {
        fixture.put(block(1, 1), 1, true, PAGE);
        fixture.put(block(1, 2), 1, true, PAGE);
        for (int lsn = 2; lsn <= 20; lsn++) {
            fixture.put(block(1, 1), lsn, false, (byte) lsn);
            if (lsn % 10 == 0) {
                fixture.freeze();
            }
        }
        fixture.settle();
        assertThat(fixture.images).containsExactly(block(1, 1));
        assertThat(fixture.stored.store.layers().layers())
                .extracting(layer -> layer.descriptor().kind())
                .containsExactlyInAnyOrder(LayerKind.IMAGE, LayerKind.DELTA);
        LayerSnapshot.Chain chain = fixture.stored.store.read(block(1, 1), Lsn.of(20), (k, l, b, v, o, n) -> {});
        assertThat(chain).isEqualTo(new LayerSnapshot.Chain(true, 1, 1));
        checkAll(1, 5, 19, 20);
    }

    @Test
    void aPartitionIsCutWhenAFileWouldGrowTooLong() throws IOException {
        java.util.SplittableRandom random = new java.util.SplittableRandom(1);
        for (int i = 0; i < 60; i++) {
            byte[] noise = new byte[300];
            random.nextBytes(noise);
            fixture.put(block(1, i), 1 + i, true, noise);
        }
        fixture.freeze();
        fixture.compactor.compactL0();
        int partitions = fixture.stored.store.layers().partitions().size();
        assertThat(partitions).isGreaterThan(3);
        checkAll(1, 30, 60);
        for (int round = 0; round < 10; round++) {
            for (int i = 0; i < 60; i++) {
                fixture.put(block(1, i), fixture.stored.last.value() + 1, false, (byte) i);
            }
            fixture.freeze();
            fixture.compactor.compactL0();
            fixture.settle();
        }
        assertThat(fixture.stored.store.layers().partitions().size()).isLessThan(3 * partitions);
        checkAll(1, 30, 60, 100, 333, 660);
        fixture.reopen();
        checkAll(1, 30, 60, 100, 333, 660);
    }

    @Test
    void garbageBelowTheCutoffGoesExceptForRetainedLsns() throws IOException {
        for (int lsn = 1; lsn <= 40; lsn++) {
            fixture.put(block(1, 1), lsn, lsn % 4 == 1, (byte) lsn);
        }
        fixture.freeze();
        fixture.compactor.compactL0();
        fixture.stored.store.retain(new Retention(Lsn.of(30), List.of(Lsn.of(11), Lsn.of(13))));
        fixture.compactor.collectAll();
        // 9 to 11 for 11, 13 for itself, 29 and 30 for the cutoff, all above; and an image is nobody's business here.
        long kept = 3 + 1 + 2 + 10;
        assertThat(fixture.stored.store.layers().layers().stream()
                        .filter(layer -> layer.descriptor().kind() == LayerKind.DELTA)
                        .mapToLong(layer -> layer.descriptor().versions())
                        .sum())
                .isEqualTo(kept);
        checkAll(11, 13, 30, 31, 35, 40);
        fixture.reopen();
        checkAll(11, 13, 30, 31, 35, 40);
        assertThat(fixture.stored.store.layers().retention().cutoff()).isEqualTo(Lsn.of(30));
    }

    @Test
    void theChainAtTheTopOfTheStackStaysWhenTheCutoffIsBeyondIt() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        fixture.put(block(1, 1), 20, false, (byte) 1);
        fixture.freeze();
        fixture.compactor.compactL0();
        fixture.put(block(1, 1), 30, false, (byte) 2);
        fixture.stored.store.retain(new Retention(Lsn.of(30), List.of()));
        fixture.compactor.collectAll();
        checkAll(30, 31);
        fixture.freeze();
        fixture.compactor.compactL0();
        fixture.compactor.collectAll();
        checkAll(30, 31);
    }

    @Test
    void compactedLsnStaysReadableForWhatWasDroppedBehindIt() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        fixture.put(block(2, 1), 20, true, PAGE);
        fixture.freeze();
        fixture.compactor.compactL0();
        fixture.put(block(2, 1), 30, true, (byte) 2);
        KeyRange second = new KeyRange(block(2, 0), block(2, 10));
        // Relation 1 is dropped at 25.
        fixture.keyspace = at ->
                at.isBefore(Lsn.of(25)) ? List.of(new KeyRange(block(1, 0), block(1, 10)), second) : List.of(second);
        fixture.stored.store.retain(new Retention(Lsn.of(30), List.of()));
        fixture.compactor.collectAll();
        try (LayerSnapshot snapshot = fixture.stored.store.snapshot()) {
            assertThat(snapshot.isReadable(Lsn.of(20))).isTrue();
            fixture.model.check(snapshot, block(1, 1), Lsn.of(20));
        }
        fixture.freeze();
        fixture.compactor.compactL0();
        fixture.compactor.collectAll();
        assertThat(versions()).isEqualTo(1);
    }

    @Test
    void garbageIsCollectedWithoutBeingAskedFor() throws IOException {
        for (int lsn = 1; lsn <= 50; lsn++) {
            fixture.put(block(1, lsn % 2), lsn, true, PAGE);
        }
        fixture.freeze();
        fixture.compactor.compactL0();
        assertThat(fixture.compactor.step()).isFalse();
        assertThat(versions()).isEqualTo(50);
        fixture.stored.store.retain(new Retention(Lsn.of(50), List.of(Lsn.of(7))));
        fixture.settle();
        assertThat(versions()).isEqualTo(4);
        checkAll(7, 50);
    }

    @Test
    void whatNoLongerExistsGoesAndComesBackWithABase() throws IOException {
        for (int i = 0; i < 10; i++) {
            fixture.put(block(1, i), 10 + i, true, PAGE);
            fixture.put(block(2, i), 10 + i, true, PAGE);
        }
        fixture.put(block(1, 3), 50, true, (byte) 7);
        fixture.freeze();
        fixture.compactor.compactL0();
        KeyRange second = new KeyRange(block(2, 0), block(2, 10));
        // Relation 1 was dropped at 40 and its block 3 made anew at 50.
        fixture.keyspace = at ->
                at.isBefore(Lsn.of(40)) ? List.of(new KeyRange(block(1, 0), block(1, 10)), second) : List.of(second);
        fixture.stored.store.retain(new Retention(Lsn.of(45), List.of(Lsn.of(12))));
        fixture.compactor.collectAll();
        // Blocks 0, 1, 2 for LSN 12, block 3 as made at 50, the whole of relation 2.
        assertThat(versions()).isEqualTo(3 + 1 + 10);
        try (LayerSnapshot snapshot = fixture.stored.store.snapshot()) {
            for (int i = 0; i < 10; i++) {
                fixture.model.check(snapshot, block(1, i), Lsn.of(12));
                fixture.model.check(snapshot, block(2, i), Lsn.of(12));
                fixture.model.check(snapshot, block(2, i), Lsn.of(45));
            }
            fixture.model.check(snapshot, block(1, 3), Lsn.of(50));
        }
    }

    @Test
    void inputsStayForWhoHasThem() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        fixture.freeze();
        fixture.put(block(1, 1), 20, true, PAGE);
        fixture.freeze();
        fixture.stored.store.retain(new Retention(Lsn.of(10), List.of()));
        try (LayerSnapshot snapshot = fixture.stored.store.snapshot()) {
            fixture.stored.store.retain(new Retention(Lsn.of(20), List.of()));
            fixture.compactor.compactL0();
            fixture.compactor.collectAll();
            assertThat(versions()).isEqualTo(1);
            assertThat(files()).hasSizeGreaterThan(2);
            fixture.model.check(snapshot, block(1, 1), Lsn.of(10));
        }
        assertThat(files()).hasSize(1);
        checkAll(20);
    }

    @Test
    void anImageThatCannotBeMadeDoesNotStopTheRest() throws IOException {
        for (int lsn = 1; lsn <= 20; lsn++) {
            fixture.put(block(1, 1), lsn, lsn == 1, (byte) lsn);
            fixture.put(block(1, 2), lsn, lsn == 1, (byte) lsn);
        }
        fixture.freeze();
        Compactor failing = new Compactor(
                fixture.stored.store,
                CompactionFixture.SMALL,
                (key, at) -> {
                    if (key.equals(block(1, 1))) {
                        throw new IOException("redo says no");
                    }
                    return fixture.model.image(key, at);
                },
                LiveKeyspace.UNKNOWN,
                io.tidemark.runtime.time.TimeSource.system());
        failing.compactL0();
        assertThat(failing.stats().failedImages()).isEqualTo(1);
        assertThat(failing.stats().images()).isEqualTo(1);
        checkAll(5, 20);
    }

    @Test
    void aDamagedLayerStopsOnlyWhatIsMergedWithIt() throws IOException {
        java.util.SplittableRandom random = new java.util.SplittableRandom(1);
        for (int i = 0; i < 60; i++) {
            byte[] noise = new byte[300];
            random.nextBytes(noise);
            fixture.put(block(1, i), 1 + i, true, noise);
        }
        fixture.freeze();
        fixture.compactor.compactL0();
        FileLayer victim =
                fixture.stored.store.layers().partition(block(1, 0)).stack().getFirst();
        fixture.reopen();
        disk.flipByte(victim.path(), 100);
        for (int round = 0; round < 4; round++) {
            for (int i = 0; i < 60; i++) {
                fixture.put(block(1, i), fixture.stored.last.value() + 1, true, PAGE);
            }
            fixture.freeze();
        }
        fixture.stored.store.retain(new Retention(fixture.stored.last, List.of()));
        fixture.settle();
        assertThat(fixture.compactor.stats().failures()).isEqualTo(1);
        assertThat(fixture.compactor.stats().stackMerges()).isPositive();
        checkAll(fixture.stored.last.value());
    }

    @Test
    void aFullDiskLeavesEverythingAsItWas() throws IOException {
        java.util.SplittableRandom random = new java.util.SplittableRandom(1);
        for (int i = 0; i < 60; i++) {
            byte[] noise = new byte[300];
            random.nextBytes(noise);
            fixture.put(block(1, i), 1 + i, true, noise);
            if (i % 20 == 19) {
                fixture.freeze();
            }
        }
        long used = disk.space().capacityBytes() - disk.space().usableBytes();
        for (int more = 0; more < 10; more++) {
            disk.setCapacity(used + 4096L * more);
            try {
                fixture.compactor.compactL0();
                break;
            } catch (DiskFullException e) {
                requireOnlyNamedFiles();
                checkAll(1, 30, 60);
            }
        }
        disk.setCapacity(1 << 30);
        fixture.compactor.compactL0();
        checkAll(1, 30, 60);
        assertThat(fixture.compactor.stats().failures()).isPositive();
    }

    @Test
    void aFailedFsyncEndsTheStore() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        fixture.freeze();
        disk.failNextSync();
        assertThatThrownBy(() -> fixture.compactor.compactL0()).isInstanceOf(SyncFailedException.class);
        assertThat(fixture.stored.store.hasFailed()).isTrue();
        assertThatThrownBy(() -> fixture.put(block(1, 1), 20, true, PAGE))
                .isInstanceOf(LayerStoreFailedException.class);
        assertThat(fixture.compactor.step()).isFalse();
        checkAll(10);
    }

    /** Wherever the damage is: L0 never stands still, reads that do not need the file are right, and whole partitions get rid of it. */
    @Test
    void compactionGoesAroundADamagedLayerInL0() throws IOException {
        java.util.SplittableRandom random = new java.util.SplittableRandom(3);
        int gone = 0;
        for (int round = 0; round < 10; round++) {
            FakeDisk own = new FakeDisk();
            CompactionFixture damaged = new CompactionFixture(own);
            for (int file = 0; file < 4; file++) {
                putNoise(damaged, random);
            }
            FileLayer victim = damaged.stored.store.layers().l0().get(1 + random.nextInt(2));
            own.flipByte(victim.path(), random.nextLong(victim.descriptor().fileBytes()));
            damaged.reopen();
            damaged.compactor.compactL0();
            assertThat(damaged.stored.store.layers().l0()).isEmpty();
            assertThat(damaged.compactor.damagedLayers()).isEqualTo(1);
            requireRightOrNamed(damaged, victim);
            for (int file = 0; file < 20; file++) {
                putNoise(damaged, random);
                damaged.settle();
            }
            assertThat(damaged.stored.store.layers().l0()).hasSizeLessThan(3);
            assertThat(damaged.stored.store.layers().partitions())
                    .allSatisfy(partition -> assertThat(partition.stack()).hasSizeLessThan(16));
            requireRightOrNamed(damaged, victim);
            gone += damaged.stored.store.layers().partitions().stream()
                            .anyMatch(partition -> !partition.stack().contains(victim))
                    ? 1
                    : 0;
            damaged.reopen();
            damaged.settle();
            requireRightOrNamed(damaged, victim);
        }
        assertThat(gone)
                .as("rounds in which a partition got rid of the damaged file")
                .isGreaterThan(2);
    }

    private static void putNoise(CompactionFixture fixture, java.util.SplittableRandom random) throws IOException {
        for (int i = 0; i < 60; i++) {
            byte[] noise = new byte[random.nextInt(200)];
            random.nextBytes(noise);
            Key key = block(random.nextInt(3), random.nextInt(40));
            fixture.put(key, fixture.stored.last.value() + 1, random.nextInt(8) == 0, noise);
        }
        fixture.freeze();
    }

    private static void requireRightOrNamed(CompactionFixture fixture, FileLayer victim) throws IOException {
        int right = 0;
        try (LayerSnapshot snapshot = fixture.stored.store.snapshot()) {
            for (long lsn = 5; lsn <= fixture.stored.last.value(); lsn += 20) {
                for (Key key : fixture.model.keys()) {
                    try {
                        fixture.model.check(snapshot, key, Lsn.of(lsn));
                        right++;
                    } catch (CorruptLayerException e) {
                        assertThat(e).hasMessageContaining(victim.path().toString());
                    }
                }
            }
        }
        assertThat(right).isPositive();
    }

    /** A record that copies a database: its L0 files have one LSN in common, and different keys. */
    @Test
    void filesThatShareAnLsnMoveTogetherAndNotBeforeItIsComplete() throws IOException {
        LayerConfig tiny = new LayerConfig(1000, 1 << 20, Duration.ofMinutes(1), 2000, 1, 100, 512, 1);
        CompactionFixture copying = new CompactionFixture(new FakeDisk(), tiny);
        LayerStore store = copying.stored.store;
        for (int lsn = 1; lsn <= 6; lsn++) {
            copying.put(block(1, 1), lsn, lsn == 1, (byte) lsn);
        }
        copying.freeze();
        for (int i = 1; i <= 60; i++) {
            copying.put(block(1, i), 20, i > 1, new byte[200]);
        }
        assertThat(store.layers().l0()).hasSizeGreaterThan(3);
        copying.compactor.compactL0();
        assertThat(store.layers().compactedLsn()).isEqualTo(Lsn.of(6));
        copying.model.checkAll(store, List.of(Lsn.of(6), Lsn.of(19), Lsn.of(20)));
        copying.freeze();
        int parts = store.layers().l0().size();
        assertThat(parts).isGreaterThan(2);
        CompactionConfig oneAtATime = new CompactionConfig(1, 1, 1500, 3, 6, 4, 400, 40, 100, Duration.ofMillis(50));
        CompactionTask task = new CompactionPolicy(oneAtATime).oldestL0(store.layers(), new DamagedLayers());
        assertThat(task)
                .isInstanceOfSatisfying(
                        CompactionTask.L0.class, l0 -> assertThat(l0.inputs()).hasSize(parts));
        copying.compactor.compactL0();
        assertThat(store.layers().compactedLsn()).isEqualTo(Lsn.of(20));
        copying.model.checkAll(store, List.of(Lsn.of(6), Lsn.of(19), Lsn.of(20)));
    }

    /** A byte anywhere in any file: every read is right or says which file is damaged, and most are right. */
    @Test
    void aDamagedByteIsNeverAnswered() throws IOException {
        java.util.SplittableRandom random = new java.util.SplittableRandom(2);
        for (int lsn = 1; lsn <= 300; lsn++) {
            byte[] noise = new byte[random.nextInt(200)];
            random.nextBytes(noise);
            fixture.put(block(random.nextInt(3), random.nextInt(20)), lsn, random.nextInt(8) == 0, noise);
            if (lsn % 60 == 0) {
                fixture.freeze();
                fixture.settle();
            }
        }
        fixture.put(block(1, 1), 301, true, PAGE);
        fixture.freeze();
        List<FileLayer> layers = List.copyOf(fixture.stored.store.layers().layers());
        assertThat(layers).hasSizeGreaterThan(4);
        int damagedReads = 0;
        int rightReads = 0;
        for (int i = 0; i < 150; i++) {
            FileLayer victim = layers.get(random.nextInt(layers.size()));
            long at = random.nextLong(victim.descriptor().fileBytes());
            disk.flipByte(victim.path(), at);
            fixture.reopen();
            try (LayerSnapshot snapshot = fixture.stored.store.snapshot()) {
                for (Key key : fixture.model.keys()) {
                    try {
                        fixture.model.check(snapshot, key, Lsn.of(1 + random.nextInt(301)));
                        rightReads++;
                    } catch (CorruptLayerException e) {
                        assertThat(e.file()).isEqualTo(victim.path().toString());
                        damagedReads++;
                    }
                }
            }
            disk.flipByte(victim.path(), at);
        }
        assertThat(damagedReads).isPositive();
        assertThat(rightReads).isGreaterThan(damagedReads);
    }

    /** Ingest that never ends: reads, space and what is written stay within bounds that do not grow with history. */
    @Test
    void readsAndSpaceStayBoundedUnderEndlessUpdates() throws IOException {
        java.util.SplittableRandom random = new java.util.SplittableRandom(4);
        long putBytes = 0;
        int deepest = 0;
        for (int round = 1; round <= 60; round++) {
            for (int i = 0; i < 100; i++) {
                byte[] noise = new byte[60];
                random.nextBytes(noise);
                Key key = block(1, random.nextInt(100));
                fixture.put(key, fixture.stored.last.value() + 1, round == 1 || random.nextInt(20) == 0, noise);
                putBytes += noise.length;
            }
            fixture.freeze();
            fixture.settle();
            fixture.stored.store.retain(
                    new Retention(Lsn.of(Math.max(0, fixture.stored.last.value() - 500)), List.of()));
            for (int i = 0; i < 100; i++) {
                deepest = Math.max(deepest, visits(block(1, i), fixture.stored.last.value()));
            }
        }
        fixture.settle();
        CompactionStats stats = fixture.compactor.stats();
        long space = fixture.stored.store.layers().layers().stream()
                .mapToLong(layer -> layer.descriptor().valueBytes())
                .sum();
        assertThat(deepest).as("layers visited by a read").isLessThan(12);
        assertThat(space).as("bytes kept, of %d put", putBytes).isLessThan(putBytes / 3);
        assertThat(stats.bytesWritten()).as("%s for %d bytes", stats, putBytes).isLessThan(12 * putBytes);
        checkAll(fixture.stored.last.value() - 500, fixture.stored.last.value() - 33, fixture.stored.last.value());
    }
}
