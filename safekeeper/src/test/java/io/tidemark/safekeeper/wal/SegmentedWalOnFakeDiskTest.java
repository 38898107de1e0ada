package io.tidemark.safekeeper.wal;

import static io.tidemark.safekeeper.wal.WalFixture.DIRECTORY;
import static io.tidemark.safekeeper.wal.WalFixture.SEGMENT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DiskFullException;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.durable.SyncFailedException;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SegmentedWalOnFakeDiskTest extends SegmentedWalContract {
    private final FakeDisk disk = new FakeDisk();

    @Override
    Disk disk() {
        return disk;
    }

    @Test
    void afterAFailedSyncTheWalIsDead() throws IOException {
        SegmentedWal wal = source.fresh(disk);
        Lsn middle = source.start.plus(5000);
        wal.write(source.start, source.slice(source.start, middle));
        disk.failNextSync();
        assertThatThrownBy(wal::flush).isInstanceOf(SyncFailedException.class);
        assertThatThrownBy(wal::flush).isInstanceOf(SyncFailedException.class);
        assertThatThrownBy(() -> wal.write(middle, source.slice(middle, middle.plus(1))))
                .isInstanceOf(SyncFailedException.class);
        assertThatThrownBy(() -> wal.truncate(source.start)).isInstanceOf(SyncFailedException.class);
    }

    /** The kernel calls the lost pages clean, so the next process finds them in its cache; what it reports must hold all the same. */
    @Test
    void whatIsFoundAfterAFailedSyncIsDurableOnceItIsReported() throws IOException {
        for (int seed = 0; seed < 20; seed++) {
            FakeDisk disk = new FakeDisk();
            SegmentedWal wal = source.fresh(disk);
            Lsn written = source.start.plus(50_000);
            wal.write(source.start, source.slice(source.start, written));
            disk.failNextSync();
            assertThatThrownBy(wal::flush).isInstanceOf(SyncFailedException.class);
            Lsn reported = WalRecovery.recover(disk, DIRECTORY, source.stateWithCommit(source.start));
            assertThat(reported).isEqualTo(source.boundaryAt(written));
            disk.crash(new SplittableRandom(seed));
            assertThat(source.readBack(disk, reported)).isEqualTo(source.slice(source.start, reported));
        }
    }

    @Test
    void aFullDiskLosesNothingThatWasFlushedAndTheRestAfterThereIsRoom() throws IOException {
        SegmentedWal wal = source.fresh(disk);
        Lsn flushed = source.boundaryAt(source.start.plus(20_000));
        wal.write(source.start, source.slice(source.start, flushed));
        wal.flush();
        disk.setCapacity(disk.space().capacityBytes() - disk.space().usableBytes() + 10_000);
        assertThatThrownBy(() -> writeOn(wal, flushed)).isInstanceOf(DiskFullException.class);
        Lsn found = WalRecovery.recover(disk, DIRECTORY, source.stateWithCommit(source.start));
        assertThat(found.isAtLeast(flushed)).isTrue();
        disk.setCapacity(1L << 40);
        SegmentedWal again = new SegmentedWal(disk, DIRECTORY, SEGMENT);
        again.truncate(found);
        writeOn(again, found);
        assertThat(source.readBack(disk, source.end())).isEqualTo(source.slice(source.start, source.end()));
    }

    /** Zeros ahead are a matter of speed only. */
    @Test
    void noRoomForZerosIsNoError() throws IOException {
        SegmentedWal wal = source.fresh(disk);
        disk.setCapacity(disk.space().capacityBytes() - disk.space().usableBytes() + 10_000);
        Lsn end = source.start.plus(5000);
        wal.write(source.start, source.slice(source.start, end));
        wal.flush();
        disk.crash(new SplittableRandom(1));
        assertThat(source.readBack(disk, end)).isEqualTo(source.slice(source.start, end));
    }

    @Test
    void flushingNothingDoesNothing() throws IOException {
        SegmentedWal wal = source.fresh(disk);
        long before = disk.operations();
        wal.flush();
        wal.truncate(source.start);
        assertThat(disk.operations()).isEqualTo(before);
    }

    private void writeOn(SegmentedWal wal, Lsn from) throws IOException {
        for (Lsn at = from; at.isBefore(source.end()); at = wal.writeLsn()) {
            wal.write(at, source.slice(at, at.plus(30_000).min(source.end())));
            wal.flush();
        }
    }
}
