package io.tidemark.pageserver.layer;

import static io.tidemark.pageserver.layer.StoreFixture.block;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.file.CorruptLayerException;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DiskFullException;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.durable.SyncFailedException;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LayerStoreTest {
    private static final byte[] PAGE = new byte[100];

    private final FakeDisk disk = new FakeDisk();
    private final StoreFixture fixture;

    LayerStoreTest() throws IOException {
        this.fixture = new StoreFixture(disk);
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private void checkAll(long... lsns) throws IOException {
        List<Lsn> at = new ArrayList<>();
        for (long lsn : lsns) {
            at.add(Lsn.of(lsn));
        }
        fixture.model.checkAll(fixture.store, at);
    }

    @Test
    void aReadGoesFromTheNewestVersionToABase() throws IOException {
        fixture.put(block(1, 1), 10, true, bytes(1));
        fixture.put(block(1, 1), 20, false, bytes(2));
        fixture.put(block(1, 2), 20, true, bytes(9));
        fixture.put(block(1, 1), 30, false, bytes(3));
        List<String> seen = new ArrayList<>();
        LayerSnapshot.Chain chain = fixture.store.read(
                block(1, 1),
                Lsn.of(29),
                (key, lsn, base, bytes, offset, length) -> seen.add(lsn + ":" + bytes[offset]));
        assertThat(seen).containsExactly("0/14:2", "0/A:1");
        assertThat(chain).isEqualTo(new LayerSnapshot.Chain(true, 2, 1));
    }

    @Test
    void aChainOfThousandsInMemoryIsReadToItsEnd() throws IOException {
        StoreFixture large = new StoreFixture(new FakeDisk(), LayerConfig.DEFAULT, Runnable::run);
        for (int lsn = 1; lsn <= 10_000; lsn++) {
            large.put(block(1, 1), lsn, lsn == 500, bytes(lsn, lsn >>> 8));
        }
        assertThat(large.store.read(block(1, 1), Lsn.of(10_000), (k, l, b, v, o, n) -> {}))
                .isEqualTo(new LayerSnapshot.Chain(true, 9501, 1));
        large.model.checkAll(large.store, List.of(Lsn.of(499), Lsn.of(507), Lsn.of(508), Lsn.of(9000), Lsn.of(10_000)));
    }

    @Test
    void aChainGoesThroughOpenFrozenAndFlushedLayers() throws IOException {
        ArrayDeque<Runnable> flushes = new ArrayDeque<>();
        StoreFixture slow = new StoreFixture(new FakeDisk(), StoreFixture.SMALL, flushes::add);
        slow.put(block(1, 1), 10, true, bytes(1));
        slow.store.freeze(Lsn.of(10));
        flushes.remove().run();
        slow.put(block(1, 1), 20, false, bytes(2));
        slow.store.freeze(Lsn.of(20));
        slow.put(block(1, 1), 30, false, bytes(3));
        assertThat(slow.store.diskConsistentLsn()).isEqualTo(Lsn.of(10));
        LayerSnapshot.Chain chain =
                slow.store.read(block(1, 1), Lsn.of(99), (key, lsn, base, bytes, offset, length) -> {});
        assertThat(chain).isEqualTo(new LayerSnapshot.Chain(true, 3, 3));
        slow.model.checkAll(slow.store, List.of(Lsn.of(9), Lsn.of(10), Lsn.of(25), Lsn.of(30)));
    }

    @Test
    void aKeyWithoutABaseIsLeftToTheAncestor() throws IOException {
        fixture.put(block(1, 1), 10, false, bytes(1));
        assertThat(fixture.store.read(block(1, 1), Lsn.of(10), (k, l, b, v, o, n) -> {}))
                .isEqualTo(new LayerSnapshot.Chain(false, 1, 1));
        assertThat(fixture.store.read(block(1, 2), Lsn.of(10), (k, l, b, v, o, n) -> {}))
                .isEqualTo(new LayerSnapshot.Chain(false, 0, 0));
    }

    @Test
    void aSecondVersionAtOneLsnReplacesTheFirst() throws IOException {
        fixture.put(block(1, 1), 10, true, bytes(1));
        fixture.put(block(1, 1), 20, false, bytes(2));
        fixture.put(block(1, 1), 20, false, bytes(3));
        fixture.put(block(1, 1), 30, false, bytes(4));
        checkAll(10, 20, 30);
        fixture.store.freeze(Lsn.of(30));
        checkAll(10, 20, 30);
    }

    @Test
    void lsnsNeverFallAndStayAboveTheFreeze() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        assertThatThrownBy(() -> fixture.put(block(1, 1), 9, true, PAGE)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> fixture.store.freeze(Lsn.of(9))).isInstanceOf(IllegalArgumentException.class);
        fixture.store.freeze(Lsn.of(15));
        assertThatThrownBy(() -> fixture.put(block(1, 1), 15, true, PAGE)).isInstanceOf(IllegalArgumentException.class);
        fixture.put(block(1, 1), 16, true, PAGE);
    }

    @Test
    void diskConsistentLsnMovesWithEachFreezeAlsoAnEmptyOne() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        fixture.store.freeze(Lsn.of(10));
        fixture.store.freeze(Lsn.of(50));
        assertThat(fixture.diskConsistent).containsExactly(Lsn.of(10), Lsn.of(50));
        fixture.reopen();
        assertThat(fixture.store.diskConsistentLsn()).isEqualTo(Lsn.of(50));
        assertThat(fixture.store.layers().l0()).hasSize(1);
        checkAll(9, 10, 50);
    }

    @Test
    void freezesBySizeDistanceAndAge() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        assertThat(fixture.store.freezeIfDue(Lsn.of(10), 0)).isFalse();
        assertThat(fixture.store.freezeIfDue(Lsn.of(10), Duration.ofMinutes(1).toNanos()))
                .isTrue();
        for (int i = 0; i < 40; i++) {
            fixture.put(block(1, i), 20, true, PAGE);
        }
        assertThat(fixture.store.freezeIfDue(Lsn.of(20), 0)).isTrue();
        fixture.put(block(1, 1), 30, true, PAGE);
        assertThat(fixture.store.freezeIfDue(Lsn.of(1 << 20), 0)).isFalse();
        assertThat(fixture.store.freezeIfDue(Lsn.of(20 + (1 << 20)), 0)).isTrue();
        assertThat(fixture.store.layers().l0()).hasSize(3);
    }

    @Test
    void oneLsnLargerThanTheOpenLayerIsSpilledAndCountsWhenItIsComplete() throws IOException {
        LayerConfig tiny = new LayerConfig(1000, 1 << 20, Duration.ofMinutes(1), 2000, 1, 100, 512, 1);
        StoreFixture copying = new StoreFixture(disk, tiny, Runnable::run);
        copying.put(block(1, 0), 10, true, PAGE);
        for (int i = 1; i <= 50; i++) {
            copying.put(block(1, i), 20, true, bytes(i, i, i));
            copying.put(block(2, i), 20, true, PAGE);
        }
        assertThat(copying.store.layers().l0()).hasSizeGreaterThan(2);
        assertThat(copying.store.diskConsistentLsn()).isEqualTo(Lsn.INVALID);
        copying.model.checkAll(copying.store, List.of(Lsn.of(10), Lsn.of(20)));
        copying.store.freeze(Lsn.of(20));
        assertThat(copying.store.diskConsistentLsn()).isEqualTo(Lsn.of(20));
        copying.model.checkAll(copying.store, List.of(Lsn.of(10), Lsn.of(20)));
        copying.reopen();
        copying.model.checkAll(copying.store, List.of(Lsn.of(10), Lsn.of(20)));
    }

    @Test
    void aSpilledLsnThatWasNotCompletedIsForgotten() throws IOException {
        LayerConfig tiny = new LayerConfig(1000, 1 << 20, Duration.ofMinutes(1), 2000, 1, 100, 512, 1);
        StoreFixture copying = new StoreFixture(disk, tiny, Runnable::run);
        copying.put(block(1, 0), 10, true, PAGE);
        copying.store.freeze(Lsn.of(10));
        for (int i = 1; i <= 50; i++) {
            copying.put(block(1, i), 20, true, PAGE);
        }
        assertThat(copying.store.layers().l0()).hasSizeGreaterThan(2);
        copying.reopen();
        assertThat(copying.store.layers().l0()).hasSize(1);
        copying.model.checkAll(copying.store, List.of(Lsn.of(10), Lsn.of(20)));
        copying.put(block(1, 1), 20, true, PAGE);
        copying.model.checkAll(copying.store, List.of(Lsn.of(10), Lsn.of(20)));
    }

    /** A kill while the manifest was written, in the middle of a large LSN: opening writes a manifest of its own. */
    @Test
    void anUnfinishedManifestBesideASpilledLsnIsNoObstacle() throws IOException {
        LayerConfig tiny = new LayerConfig(1000, 1 << 20, Duration.ofMinutes(1), 2000, 1, 100, 512, 1);
        StoreFixture copying = new StoreFixture(disk, tiny, Runnable::run);
        for (int i = 1; i <= 50; i++) {
            copying.put(block(1, i), 20, true, PAGE);
        }
        copying.store.close();
        disk.open(StoreFixture.DIRECTORY.resolve(ManifestStore.TEMPORARY), Disk.Mode.CREATE_NEW)
                .close();
        copying.openAgain();
        assertThat(disk.list(StoreFixture.DIRECTORY)).containsExactly(ManifestStore.NAME);
    }

    @Test
    void aFullDiskIsToldLosesNothingAndIsOverWhenThereIsRoom() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        disk.setCapacity(0);
        fixture.store.freeze(Lsn.of(10));
        fixture.put(block(1, 1), 20, false, PAGE);
        fixture.store.freeze(Lsn.of(20));
        fixture.put(block(1, 1), 30, false, PAGE);
        assertThat(fixture.store.freezeIfDue(Lsn.of(1 << 30), 0)).isFalse();
        assertThatThrownBy(() -> fixture.store.awaitRoom(Duration.ofSeconds(5))).isInstanceOf(DiskFullException.class);
        assertThat(fixture.store.diskConsistentLsn()).isEqualTo(Lsn.INVALID);
        checkAll(10, 20, 30);
        disk.setCapacity(1 << 30);
        assertThat(fixture.store.awaitRoom(Duration.ofSeconds(5))).isTrue();
        assertThat(fixture.store.diskConsistentLsn()).isEqualTo(Lsn.of(20));
        checkAll(10, 20, 30);
        fixture.reopen();
        checkAll(10, 20);
    }

    /** Four frozen layers, which nothing has begun to write. */
    private StoreFixture behind() throws IOException {
        LayerConfig patient = new LayerConfig(4096, 1 << 20, Duration.ofMinutes(1), 1 << 20, 4, 100, 512, 1);
        StoreFixture slow = new StoreFixture(disk, patient, task -> {});
        for (int lsn = 10; lsn <= 40; lsn += 10) {
            slow.put(block(1, 1), lsn, lsn == 10, bytes(lsn));
            slow.put(block(2, lsn), lsn, true, PAGE);
            slow.store.freeze(Lsn.of(lsn));
        }
        assertThat(slow.store.diskConsistentLsn()).isEqualTo(Lsn.INVALID);
        return slow;
    }

    private static List<Lsn> ends(LayerStore store) {
        return store.layers().l0().stream()
                .map(layer -> layer.descriptor().lastLsn())
                .toList();
    }

    @Test
    void layersThatWaitedComeInTheirOrder() throws IOException {
        StoreFixture slow = behind();
        slow.store.flush();
        assertThat(slow.diskConsistent).containsExactly(Lsn.of(10), Lsn.of(20), Lsn.of(30), Lsn.of(40));
        assertThat(ends(slow.store)).containsExactly(Lsn.of(40), Lsn.of(30), Lsn.of(20), Lsn.of(10));
        slow.model.checkAll(slow.store, List.of(Lsn.of(10), Lsn.of(25), Lsn.of(40)));
        slow.reopen();
        assertThat(slow.store.diskConsistentLsn()).isEqualTo(Lsn.of(40));
        slow.model.checkAll(slow.store, List.of(Lsn.of(10), Lsn.of(25), Lsn.of(40)));
    }

    @Test
    void ofLayersThatWaitedNoneIsLostToAFullDisk() throws IOException {
        Set<Integer> writtenWhenFull = new HashSet<>();
        for (int room = 0; room <= 40; room++) {
            StoreFixture slow = behind();
            disk.setCapacity(room * 4096L);
            try {
                slow.store.flush();
            } catch (DiskFullException e) {
                assertThat(slow.store.hasFailed()).isFalse();
                writtenWhenFull.add(ends(slow.store).size());
            }
            slow.model.checkAll(slow.store, List.of(Lsn.of(10), Lsn.of(25), Lsn.of(40)));
            disk.setCapacity(1 << 30);
            slow.store.flush();
            assertThat(ends(slow.store)).containsExactly(Lsn.of(40), Lsn.of(30), Lsn.of(20), Lsn.of(10));
            slow.model.checkAll(slow.store, List.of(Lsn.of(10), Lsn.of(25), Lsn.of(40)));
            assertThat(disk.list(StoreFixture.DIRECTORY))
                    .as("files, and the manifest")
                    .hasSize(5);
            slow.store.close();
            removeStore();
        }
        assertThat(writtenWhenFull).contains(0, 1, 2, 3);
    }

    @Test
    void ofLayersThatWaitedAFailedFsyncEndsTheStore() throws IOException {
        for (int good = 0; good < 8; good++) {
            StoreFixture slow = behind();
            disk.failSyncAfter(good);
            assertThatThrownBy(slow.store::flush).isInstanceOf(IOException.class);
            assertThat(slow.store.hasFailed()).isTrue();
            List<Lsn> told = List.copyOf(slow.diskConsistent);
            slow.store.close();
            disk.crash(new SplittableRandom(good));
            slow.openAgain();
            Lsn durable = slow.store.diskConsistentLsn();
            assertThat(told).allMatch(lsn -> lsn.isAtMost(durable));
            slow.model.checkAll(slow.store, List.of(durable));
            slow.store.close();
            removeStore();
        }
    }

    private void removeStore() throws IOException {
        if (!disk.exists(StoreFixture.DIRECTORY)) {
            return;
        }
        for (String name : disk.list(StoreFixture.DIRECTORY)) {
            disk.delete(StoreFixture.DIRECTORY.resolve(name));
        }
        disk.delete(StoreFixture.DIRECTORY);
    }

    @Test
    void aFailedFsyncEndsTheStoreForGood() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        disk.failNextSync();
        fixture.store.freeze(Lsn.of(10));
        assertThat(fixture.store.hasFailed()).isTrue();
        checkAll(10);
        assertThatThrownBy(() -> fixture.put(block(1, 1), 20, true, PAGE))
                .isInstanceOf(LayerStoreFailedException.class)
                .hasCauseInstanceOf(SyncFailedException.class);
        assertThatThrownBy(() -> fixture.store.freeze(Lsn.of(20))).isInstanceOf(LayerStoreFailedException.class);
        assertThatThrownBy(() -> fixture.store.flush()).isInstanceOf(LayerStoreFailedException.class);
        assertThatThrownBy(() -> fixture.store.awaitRoom(Duration.ofSeconds(1)))
                .isInstanceOf(LayerStoreFailedException.class);
        disk.crash(new SplittableRandom(1));
        fixture.openAgain();
        assertThat(fixture.store.diskConsistentLsn()).isEqualTo(Lsn.INVALID);
    }

    @Test
    void aNewStoreIsNotOnDiskBeforeItsFirstLayer() throws IOException {
        fixture.reopen();
        fixture.put(block(1, 1), 10, true, PAGE);
        assertThat(disk.exists(StoreFixture.DIRECTORY)).isFalse();
        fixture.store.freeze(Lsn.of(10));
        assertThat(disk.list(StoreFixture.DIRECTORY)).hasSize(2).contains(ManifestStore.NAME);
        fixture.reopen();
        checkAll(10);
    }

    @Test
    void layersWithoutAManifestAreNotGuessedAt() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        fixture.store.freeze(Lsn.of(10));
        fixture.store.close();
        disk.delete(StoreFixture.DIRECTORY.resolve("MANIFEST"));
        assertThatThrownBy(fixture::openAgain)
                .isInstanceOf(CorruptLayerException.class)
                .hasMessageContaining("MANIFEST");
    }

    @Test
    void aDamagedManifestIsRefusedWhereverTheDamageIs() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        fixture.store.freeze(Lsn.of(10));
        fixture.store.close();
        var manifest = StoreFixture.DIRECTORY.resolve("MANIFEST");
        long size;
        try (var file = disk.open(manifest, io.tidemark.runtime.durable.Disk.Mode.READ)) {
            size = file.size();
        }
        for (long at = 0; at < size; at++) {
            disk.flipByte(manifest, at);
            assertThatThrownBy(fixture::openAgain).as("byte " + at).isInstanceOf(CorruptLayerException.class);
            disk.flipByte(manifest, at);
        }
        fixture.openAgain();
        checkAll(10);
    }

    @Test
    void aSnapshotKeepsWhatItFound() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        try (LayerSnapshot snapshot = fixture.store.snapshot()) {
            fixture.store.freeze(Lsn.of(10));
            fixture.put(block(1, 1), 20, true, bytes(7));
            fixture.model.check(snapshot, block(1, 1), Lsn.of(10));
            assertThat(snapshot.layers().l0()).isEmpty();
        }
        assertThatThrownBy(() -> {
                    fixture.store.close();
                    fixture.store.snapshot();
                })
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aReadBelowTheCutoffIsRefusedUnlessItsLsnIsRetained() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        fixture.put(block(1, 1), 20, true, bytes(7));
        fixture.store.retain(new Retention(Lsn.of(20), List.of(Lsn.of(12))));
        checkAll(12, 20, 25);
        assertThatThrownBy(() -> checkAll(11)).isInstanceOf(LsnGarbageCollectedException.class);
        fixture.store.retain(new Retention(Lsn.of(5), List.of()));
        assertThat(fixture.store.layers().retention().cutoff()).isEqualTo(Lsn.of(20));
    }

    @Test
    void scansSeeKeysInAllLayersInOrder() throws IOException {
        SplittableRandom random = new SplittableRandom(3);
        for (int lsn = 1; lsn < 400; lsn++) {
            Key key = random.nextInt(3) == 0
                    ? new Key(random.nextLong(), random.nextLong())
                    : block(random.nextInt(4), random.nextInt(50));
            fixture.put(key, lsn, random.nextBoolean(), VersionModel.randomBytes(random, 200));
            if (random.nextInt(50) == 0) {
                fixture.store.freeze(Lsn.of(lsn));
            }
        }
        try (LayerSnapshot snapshot = fixture.store.snapshot()) {
            for (int i = 0; i < 50; i++) {
                Key one = block(random.nextInt(4), random.nextInt(50));
                Key other = block(random.nextInt(4), random.nextInt(50));
                KeyRange range = one.isBefore(other) ? new KeyRange(one, other) : new KeyRange(other, one);
                fixture.model.checkScan(snapshot, range, Lsn.of(random.nextInt(400)));
                fixture.model.checkMany(snapshot, fixture.model.keys(), Lsn.of(random.nextInt(400)));
            }
        }
        checkAll(1, 100, 250, 399);
    }

    @Test
    void whatIsNotReadableAnyMoreCannotBeRetained() throws IOException {
        fixture.put(block(1, 1), 10, true, PAGE);
        fixture.put(block(1, 1), 20, true, PAGE);
        fixture.store.retain(new Retention(Lsn.of(20), List.of(Lsn.of(12))));
        assertThatThrownBy(() -> fixture.store.retain(new Retention(Lsn.of(30), List.of(Lsn.of(12), Lsn.of(11)))))
                .isInstanceOf(LsnGarbageCollectedException.class);
        assertThat(fixture.store.layers().retention()).isEqualTo(new Retention(Lsn.of(20), List.of(Lsn.of(12))));
    }

    @Test
    void aFlushThatComesAfterTheEndDoesNothing() throws IOException {
        ArrayDeque<Runnable> flushes = new ArrayDeque<>();
        FakeDisk fresh = new FakeDisk();
        StoreFixture slow = new StoreFixture(fresh, StoreFixture.SMALL, flushes::add);
        slow.put(block(1, 1), 10, true, bytes(1));
        slow.store.freeze(Lsn.of(10));
        LayerSnapshot snapshot = slow.store.snapshot();
        slow.store.close();
        slow.store.close();
        long operations = fresh.operations();
        flushes.remove().run();
        assertThat(fresh.operations()).isEqualTo(operations);
        slow.model.check(snapshot, block(1, 1), Lsn.of(10));
        snapshot.close();
        assertThatThrownBy(() -> slow.store.flush()).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aWriterWaitsForRoomUntilTheTimeIsUp() throws IOException {
        ArrayDeque<Runnable> flushes = new ArrayDeque<>();
        StoreFixture slow = new StoreFixture(new FakeDisk(), StoreFixture.SMALL, flushes::add);
        for (int lsn = 10; lsn <= 20; lsn += 10) {
            assertThat(slow.store.awaitRoom(Duration.ofMillis(1))).isTrue();
            slow.put(block(1, 1), lsn, true, bytes(1));
            slow.store.freeze(Lsn.of(lsn));
        }
        assertThat(slow.store.awaitRoom(Duration.ofMillis(1))).isFalse();
        assertThat(slow.store.freezeIfDue(Lsn.of(1 << 30), 0)).isFalse();
        flushes.remove().run();
        assertThat(slow.store.awaitRoom(Duration.ofMillis(1))).isTrue();
    }

    @Test
    void aListenerThatFailsChangesNothing() throws IOException {
        LayerStore store = LayerStore.open(
                new FakeDisk(),
                StoreFixture.DIRECTORY,
                StoreFixture.SMALL,
                Lsn.INVALID,
                Runnable::run,
                LayerStoreListener.ofDiskConsistentLsn(_ -> {
                    throw new IllegalStateException("a listener");
                }));
        store.put(block(1, 1), Lsn.of(10), true, PAGE, 0, PAGE.length);
        store.freeze(Lsn.of(10));
        assertThat(store.hasFailed()).isFalse();
        assertThat(store.diskConsistentLsn()).isEqualTo(Lsn.of(10));
        assertThat(store.read(block(1, 1), Lsn.of(10), (k, l, b, v, o, n) -> {}).base())
                .isTrue();
        store.close();
    }
}
