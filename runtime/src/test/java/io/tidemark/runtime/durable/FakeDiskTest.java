package io.tidemark.runtime.durable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.runtime.durable.Disk.Mode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class FakeDiskTest extends DiskContract {
    private static final Path FILE = Path.of("file");
    private static final Path ROOT = Path.of("");

    private final FakeDisk disk = new FakeDisk();

    @Override
    Disk disk() {
        return disk;
    }

    @Test
    void whatIsSyncedSurvivesEveryCrash() throws IOException {
        for (int seed = 0; seed < 50; seed++) {
            FakeDisk disk = new FakeDisk();
            disk.createDirectory(Path.of("d"));
            disk.syncDirectory(ROOT);
            DurableFile file = disk.open(Path.of("d/f"), Mode.CREATE_NEW);
            file.write(bytes("kept"), 3000);
            file.sync();
            disk.syncDirectory(Path.of("d"));
            file.write(bytes("lost or not"), 8000);
            disk.crash(new SplittableRandom(seed));
            DurableFile again = disk.open(Path.of("d/f"), Mode.READ);
            assertThat(text(again, 3000, 4)).as("seed %s", seed).isEqualTo("kept");
            assertThat(again.size()).as("seed %s", seed).isBetween(3004L, 8011L);
            assertThatThrownBy(file::size).isInstanceOf(PowerLossException.class);
        }
    }

    @Test
    void unsyncedSectorsAreKeptOrLostOneByOne() throws IOException {
        Set<List<Integer>> outcomes = new HashSet<>();
        for (int seed = 0; seed < 300; seed++) {
            FakeDisk disk = new FakeDisk();
            DurableFile file = disk.open(FILE, Mode.CREATE_NEW);
            file.setSize(1536);
            file.sync();
            disk.syncDirectory(ROOT);
            byte[] ones = new byte[1536];
            Arrays.fill(ones, (byte) 1);
            file.write(ByteBuffer.wrap(ones), 0);
            disk.crash(new SplittableRandom(seed));
            ByteBuffer into = ByteBuffer.allocate(1536);
            disk.open(FILE, Mode.READ).read(into, 0);
            for (int sector = 0; sector < 3; sector++) {
                byte[] bytes = Arrays.copyOfRange(into.array(), sector * 512, sector * 512 + 512);
                for (byte b : bytes) {
                    assertThat(b).as("a sector is not torn").isEqualTo(bytes[0]);
                }
            }
            outcomes.add(List.of((int) into.get(0), (int) into.get(512), (int) into.get(1024)));
        }
        assertThat(outcomes).hasSize(8);
    }

    @Test
    void anUnsyncedNameMayBeLostAndARenameIsAtomic() throws IOException {
        Set<List<String>> outcomes = new HashSet<>();
        for (int seed = 0; seed < 100; seed++) {
            FakeDisk disk = new FakeDisk();
            disk.open(Path.of("a"), Mode.CREATE_NEW).close();
            disk.syncDirectory(ROOT);
            disk.rename(Path.of("a"), Path.of("b"));
            disk.open(Path.of("c"), Mode.CREATE_NEW).close();
            disk.crash(new SplittableRandom(seed));
            outcomes.add(disk.list(ROOT));
        }
        assertThat(outcomes)
                .containsExactlyInAnyOrder(List.of("a"), List.of("b"), List.of("a", "c"), List.of("b", "c"));
    }

    @Test
    void syncingAFileDoesNotSyncItsNameAndSyncingADirectoryDoesNotSyncItsParent() throws IOException {
        Set<Boolean> outcomes = new HashSet<>();
        for (int seed = 0; seed < 50; seed++) {
            FakeDisk disk = new FakeDisk();
            disk.createDirectory(Path.of("d"));
            DurableFile file = disk.open(Path.of("d/f"), Mode.CREATE_NEW);
            file.sync();
            disk.syncDirectory(Path.of("d"));
            disk.crash(new SplittableRandom(seed));
            boolean survived = disk.exists(Path.of("d"));
            assertThat(disk.exists(Path.of("d/f"))).isEqualTo(survived);
            outcomes.add(survived);
        }
        assertThat(outcomes).containsExactlyInAnyOrder(true, false);
    }

    @Test
    void aDirectoryMovedAcrossIsInExactlyOnePlaceAndSyncingTheTargetPinsIt() throws IOException {
        for (int seed = 0; seed < 50; seed++) {
            for (boolean synced : List.of(true, false)) {
                FakeDisk disk = new FakeDisk();
                disk.createDirectory(Path.of("tmp"));
                disk.createDirectory(Path.of("final"));
                disk.createDirectory(Path.of("tmp/x"));
                disk.open(Path.of("tmp/x/f"), Mode.CREATE_NEW).close();
                disk.syncDirectory(Path.of("tmp/x"));
                disk.syncDirectory(Path.of("tmp"));
                disk.syncDirectory(ROOT);
                disk.rename(Path.of("tmp/x"), Path.of("final/x"));
                if (synced) {
                    disk.syncDirectory(Path.of("final"));
                }
                disk.crash(new SplittableRandom(seed));
                assertThat(disk.exists(Path.of("final/x/f"))).isNotEqualTo(disk.exists(Path.of("tmp/x/f")));
                if (synced) {
                    assertThat(disk.exists(Path.of("final/x/f"))).isTrue();
                }
            }
        }
    }

    @Test
    void anUnsyncedTruncationMayBeUndone() throws IOException {
        Set<Byte> outcomes = new HashSet<>();
        for (int seed = 0; seed < 50; seed++) {
            FakeDisk disk = new FakeDisk();
            DurableFile file = disk.open(FILE, Mode.CREATE_NEW);
            file.write(bytes("old"), 600);
            file.sync();
            disk.syncDirectory(ROOT);
            file.setSize(10);
            file.setSize(4096);
            disk.crash(new SplittableRandom(seed));
            ByteBuffer into = ByteBuffer.allocate(1);
            disk.open(FILE, Mode.READ).read(into, 600);
            outcomes.add(into.get(0));
        }
        assertThat(outcomes).containsExactlyInAnyOrder((byte) 'o', (byte) 0);
    }

    @Test
    void afterAFailedSyncTheNextOneSucceedsAndSavesNothing() throws IOException {
        for (int seed = 0; seed < 20; seed++) {
            FakeDisk disk = new FakeDisk();
            DurableFile file = disk.open(FILE, Mode.CREATE_NEW);
            file.write(bytes("old"), 0);
            file.sync();
            disk.syncDirectory(ROOT);
            file.write(bytes("new"), 0);
            disk.failNextSync();
            assertThatThrownBy(file::sync).isInstanceOf(SyncFailedException.class);
            file.sync();
            assertThat(text(file, 0, 3)).isEqualTo("new");
            disk.crash(new SplittableRandom(seed));
            assertThat(text(disk.open(FILE, Mode.READ), 0, 3)).isEqualTo("old");
        }
    }

    @Test
    void aFullDiskTakesWhatFitsAndGivesRoomBackForDeletedFiles() throws IOException {
        disk.setCapacity(3 * 4096);
        DurableFile file = disk.open(FILE, Mode.CREATE_NEW);
        assertThatThrownBy(() -> file.write(ByteBuffer.allocate(20_000), 0)).isInstanceOf(DiskFullException.class);
        assertThat(file.size()).isEqualTo(3 * 4096);
        assertThat(disk.space().usableBytes()).isZero();
        file.write(bytes("overwriting needs no room"), 100);
        file.setSize(4096);
        assertThat(disk.space().usableBytes()).isEqualTo(2 * 4096);
        disk.delete(FILE);
        assertThat(disk.space().usableBytes()).isEqualTo(3 * 4096);
    }

    @Test
    void powerIsLostDuringTheOperationThatWasNamed() throws IOException {
        DurableFile file = disk.open(FILE, Mode.CREATE_NEW);
        disk.syncDirectory(ROOT);
        disk.losePowerDuring(2);
        file.write(bytes("one"), 0);
        assertThatThrownBy(file::sync).isInstanceOf(PowerLossException.class);
        assertThatThrownBy(() -> disk.list(ROOT)).isInstanceOf(PowerLossException.class);
        assertThat(disk.hasLostPower()).isTrue();
        disk.crash(new SplittableRandom(1));
        assertThat(disk.list(ROOT)).containsExactly("file");
    }

    @Test
    void oneSeedTellsOneStory() throws IOException {
        assertThat(story(7)).isEqualTo(story(7));
        assertThat(story(7)).isNotEqualTo(story(8));
    }

    private static String story(int seed) throws IOException {
        FakeDisk disk = new FakeDisk();
        SplittableRandom random = new SplittableRandom(seed);
        StringBuilder seen = new StringBuilder();
        for (int round = 0; round < 10; round++) {
            DurableFile file = disk.open(Path.of("f" + random.nextInt(4)), Mode.CREATE_OR_TRUNCATE);
            file.write(ByteBuffer.wrap(new byte[] {(byte) (1 + round)}), random.nextInt(3000));
            disk.writeBack(random);
            disk.crash(random);
            for (String name : disk.list(ROOT)) {
                seen.append(name)
                        .append(disk.open(Path.of(name), Mode.READ).size())
                        .append(' ');
            }
        }
        return seen.toString();
    }

    @Test
    void aFlippedByteStaysFlipped() throws IOException {
        DurableFile file = disk.open(FILE, Mode.CREATE_NEW);
        file.write(bytes("abc"), 0);
        file.sync();
        disk.syncDirectory(ROOT);
        disk.flipByte(FILE, 1);
        disk.crash(new SplittableRandom(1));
        assertThat(text(disk.open(FILE, Mode.READ), 0, 3)).isEqualTo("arc");
    }

    @Test
    void aCrashReleasesLocks() throws IOException {
        var before = disk.lock(FILE);
        disk.crash(new SplittableRandom(1));
        var after = disk.lock(FILE);
        before.close();
        assertThatThrownBy(() -> disk.lock(FILE)).isInstanceOf(DiskLockedException.class);
        after.close();
    }
}
