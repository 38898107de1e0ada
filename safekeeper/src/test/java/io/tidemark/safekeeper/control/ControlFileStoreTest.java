package io.tidemark.safekeeper.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.runtime.durable.Disk.Mode;
import io.tidemark.runtime.durable.DiskFullException;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.durable.PowerLossException;
import io.tidemark.runtime.durable.SyncFailedException;
import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.safekeeper.control.InvalidControlFileException.Reason;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ControlFileStoreTest {
    private static final Path DIRECTORY = Path.of("t");
    private static final AcceptorState OLD = ControlFileFormatTest.FRESH;
    /** Longer than a sector, so that a torn write is a mix. */
    private static final AcceptorState NEW = withLongHistory(ControlFileFormatTest.JOINT);

    @Test
    void whatIsSavedIsLoaded() throws IOException {
        FakeDisk disk = diskWithDirectory();
        ControlFileStore store = new ControlFileStore(disk, DIRECTORY);
        assertThatThrownBy(store::load).isInstanceOf(NoSuchFileException.class);
        store.save(OLD);
        assertThat(store.load()).isEqualTo(OLD);
        store.save(NEW);
        assertThat(store.load()).isEqualTo(NEW);
        assertThat(disk.list(DIRECTORY)).containsExactly(ControlFileStore.FILE_NAME);
    }

    @Test
    void aCrashDuringAReplacementLeavesTheOldOrTheNewStateAndAfterItTheNewOne() throws IOException {
        Set<AcceptorState> seen = new HashSet<>();
        for (int operation = 1; operation <= 6; operation++) {
            for (int seed = 0; seed < 200; seed++) {
                FakeDisk disk = diskWithDirectory();
                ControlFileStore store = new ControlFileStore(disk, DIRECTORY);
                store.save(OLD);
                boolean saved = true;
                disk.losePowerDuring(operation);
                try {
                    store.save(NEW);
                } catch (PowerLossException e) {
                    saved = false;
                }
                disk.crash(new SplittableRandom(seed));
                AcceptorState found = new ControlFileStore(disk, DIRECTORY).load();
                assertThat(found).as("operation %s, seed %s", operation, seed).isIn(OLD, NEW);
                if (saved) {
                    assertThat(found)
                            .as("operation %s, seed %s", operation, seed)
                            .isEqualTo(NEW);
                }
                assertThat(saved).isEqualTo(operation == 6);
                seen.add(found);
                new ControlFileStore(disk, DIRECTORY).save(NEW);
                assertThat(new ControlFileStore(disk, DIRECTORY).load()).isEqualTo(NEW);
            }
        }
        assertThat(seen).containsExactlyInAnyOrder(OLD, NEW);
    }

    @Test
    void aFullDiskLeavesTheOldStateAndASecondTryMaySucceed() throws IOException {
        FakeDisk disk = diskWithDirectory();
        ControlFileStore store = new ControlFileStore(disk, DIRECTORY);
        store.save(OLD);
        disk.setCapacity(4096);
        assertThatThrownBy(() -> store.save(NEW)).isInstanceOf(DiskFullException.class);
        assertThat(store.load()).isEqualTo(OLD);
        disk.setCapacity(1 << 20);
        store.save(NEW);
        assertThat(store.load()).isEqualTo(NEW);
    }

    @Test
    void afterAFailedSyncNothingIsSavedAnyMore() throws IOException {
        for (int sync = 1; sync <= 2; sync++) {
            FakeDisk disk = diskWithDirectory();
            ControlFileStore store = new ControlFileStore(disk, DIRECTORY);
            store.save(OLD);
            failSync(disk, sync, store);
            assertThatThrownBy(() -> store.save(NEW)).isInstanceOf(SyncFailedException.class);
        }
    }

    private static void failSync(FakeDisk disk, int which, ControlFileStore store) {
        disk.failSyncAfter(which - 1);
        assertThatThrownBy(() -> store.save(NEW)).isInstanceOf(SyncFailedException.class);
    }

    @Test
    void anErrorNamesTheFile() throws IOException {
        FakeDisk disk = diskWithDirectory();
        ControlFileStore store = new ControlFileStore(disk, DIRECTORY);
        store.save(OLD);
        disk.flipByte(DIRECTORY.resolve(ControlFileStore.FILE_NAME), 150);
        assertThatThrownBy(store::load)
                .isInstanceOfSatisfying(
                        InvalidControlFileException.class,
                        e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT))
                .hasMessageContaining("t/safekeeper.control");
        try (DurableFile file = disk.open(DIRECTORY.resolve(ControlFileStore.FILE_NAME), Mode.CREATE_OR_TRUNCATE)) {
            file.write(ByteBuffer.allocate(ControlFileFormat.MAX_BYTES + 1), 0);
        }
        assertThatThrownBy(store::load).isInstanceOf(InvalidControlFileException.class);
    }

    private static FakeDisk diskWithDirectory() throws IOException {
        FakeDisk disk = new FakeDisk();
        disk.createDirectory(DIRECTORY);
        disk.syncDirectory(Path.of(""));
        return disk;
    }

    private static AcceptorState withLongHistory(AcceptorState state) {
        TermHistory history = state.termHistory();
        for (int i = 0; i < 200; i++) {
            Term next = history.lastTerm().next();
            history = history.plus(
                    new TermLsn(next, history.entries().getLast().lsn().plus(8)));
        }
        return new AcceptorState(
                state.ttid(),
                history.lastTerm(),
                history,
                state.membership(),
                state.pgVersion(),
                state.systemId(),
                state.walSegmentSizeBytes(),
                state.timelineStartLsn(),
                state.localStartLsn(),
                state.commitLsn(),
                state.backupLsn(),
                state.peerHorizonLsn(),
                state.remoteConsistentLsn(),
                state.creationTimeMillis());
    }
}
