package io.tidemark.safekeeper.timeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.durable.PowerLossException;
import io.tidemark.runtime.durable.SyncFailedException;
import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.safekeeper.control.ControlFileStore;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.walpush.MembershipConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Whatever comes to grief, and whenever: a timeline's directory is whole or not there, and one that was served stays. */
class TimelineDirectoriesTest {
    private static final TenantTimelineId TTID = new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4));
    private static final Path DIRECTORY = TimelineDirectories.of(TTID);
    private static final NodeId ME = new NodeId(1);
    private static final List<String> SEGMENTS = List.of("000000010000000000000001", "000000010000000000000002");
    private static final int SEEDS = 40;

    private static AcceptorState initialState() {
        return new NewTimeline(
                        TTID,
                        MembershipConfig.NONE,
                        PgVersion.of(170_005),
                        SystemId.of(7),
                        1 << 20,
                        Lsn.INVALID,
                        Lsn.INVALID)
                .initialState(0);
    }

    private static TimelineDirectories settled(Disk disk) throws IOException {
        TimelineDirectories directories = new TimelineDirectories(disk);
        directories.settle();
        return directories;
    }

    private static FakeDisk diskWithATimeline() throws IOException {
        FakeDisk disk = new FakeDisk();
        settled(disk);
        TimelineCore.create(disk, DIRECTORY, initialState(), ME).close();
        for (String segment : SEGMENTS) {
            try (DurableFile file = disk.open(DIRECTORY.resolve(segment), Disk.Mode.CREATE_NEW)) {
                file.write(ByteBuffer.allocate(100), 0);
                file.sync();
            }
        }
        disk.syncDirectory(DIRECTORY);
        return disk;
    }

    private static void requireWholeOrGone(FakeDisk disk, String what) throws IOException {
        if (settled(disk).list().isEmpty()) {
            return;
        }
        assertThat(disk.list(DIRECTORY)).as(what).contains("safekeeper.control").containsAll(SEGMENTS);
        assertThat(new ControlFileStore(disk, DIRECTORY).requireOf(TTID))
                .as(what)
                .isEqualTo(initialState());
    }

    @Test
    void aDeletionThatPowerInterruptsLeavesAllOrNothing() throws IOException {
        FakeDisk undisturbed = diskWithATimeline();
        long before = undisturbed.operations();
        assertThat(settled(undisturbed).delete(TTID)).isTrue();
        int operations = (int) (undisturbed.operations() - before);
        assertThat(operations).isGreaterThan(5);
        for (int operation = 1; operation <= operations; operation++) {
            for (int seed = 0; seed < SEEDS; seed++) {
                FakeDisk disk = diskWithATimeline();
                disk.losePowerDuring(operation);
                assertThatThrownBy(() -> settled(disk).delete(TTID)).isInstanceOf(PowerLossException.class);
                disk.crash(new SplittableRandom(seed));
                requireWholeOrGone(disk, "operation " + operation + ", seed " + seed);
            }
        }
    }

    /** The process ends between a rename and its fsync; the next one cleans up; then power fails, at any moment. */
    @Test
    void aDeletionThatTheNextProcessFinishesLeavesAllOrNothing() throws IOException {
        for (int operation = 1; operation <= 12; operation++) {
            for (int seed = 0; seed < SEEDS; seed++) {
                FakeDisk disk = diskWithATimeline();
                TimelineDirectories directories = settled(disk);
                disk.failNextSync();
                assertThatThrownBy(() -> directories.delete(TTID)).isInstanceOf(SyncFailedException.class);

                disk.losePowerDuring(operation);
                try {
                    settled(disk);
                } catch (PowerLossException e) {
                    // As was asked for; the later operations are those of a process that has finished.
                }
                disk.crash(new SplittableRandom(seed));
                requireWholeOrGone(disk, "operation " + operation + ", seed " + seed);
            }
        }
    }

    /** Created by a process that ended before its last fsync, loaded by the next one, which votes: then nothing may take it away. */
    @Test
    void aTimelineThatWasLoadedIsStillThereAfterPowerLoss() throws IOException {
        int goodSyncs = 0;
        while (createdByADyingProcess(goodSyncs)) {
            goodSyncs++;
        }
        assertThat(goodSyncs).as("syncs of a creation").isGreaterThan(3);
    }

    /** Returns false when the creation needed fewer syncs than that. */
    private static boolean createdByADyingProcess(int goodSyncs) throws IOException {
        for (int seed = 0; seed < SEEDS; seed++) {
            FakeDisk disk = new FakeDisk();
            settled(disk);
            disk.failSyncAfter(goodSyncs);
            try {
                TimelineCore.create(disk, DIRECTORY, initialState(), ME).close();
                return false;
            } catch (SyncFailedException e) {
                // As was asked for.
            }
            if (settled(disk).list().isEmpty()) {
                continue;
            }
            new ControlFileStore(disk, DIRECTORY).save(initialState());
            disk.crash(new SplittableRandom(seed));
            assertThat(settled(disk).list())
                    .as("%d good syncs, seed %d", goodSyncs, seed)
                    .containsExactly(TTID);
            assertThat(new ControlFileStore(disk, DIRECTORY).load()).isEqualTo(initialState());
        }
        return true;
    }
}
