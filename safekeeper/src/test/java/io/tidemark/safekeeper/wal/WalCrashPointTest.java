package io.tidemark.safekeeper.wal;

import static io.tidemark.safekeeper.wal.WalFixture.DIRECTORY;
import static io.tidemark.safekeeper.wal.WalFixture.SEGMENT;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.durable.PowerLossException;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Power fails during each single disk operation of a life of WAL: the first segment, appends over three segments, a truncation into
 * the first one, appends of another term. What was reported as flushed must be there, and nothing that was cut may be.
 */
class WalCrashPointTest {
    private static final Lsn START = Lsn.parse("0/12F0000");
    private final WalFixture first = new WalFixture(START, 1).fill(SEGMENT + 100_000);
    private final Lsn cut = first.boundaryAt(START.plus(50_000));
    private final WalFixture second = first.divergingAt(cut, 2, 200_000);

    /** What a survivor may rely on; read after the crash. */
    private static final class Promises {
        Lsn flushed = Lsn.INVALID;
        boolean mayBeCut;
        boolean isCut;
        boolean started;
    }

    @Test
    void whatWasFlushedSurvivesAndWhatWasCutDoesNotComeBack() throws IOException {
        int operations = run(new FakeDisk(), new Promises(), new SplittableRandom(0));
        assertThat(operations).isGreaterThan(50);
        for (int operation = 1; operation <= operations; operation++) {
            for (int seed = 0; seed < 3; seed++) {
                crashDuring(operation, new SplittableRandom(1000L * operation + seed));
            }
        }
    }

    private void crashDuring(int operation, SplittableRandom random) throws IOException {
        FakeDisk disk = new FakeDisk();
        Promises promises = new Promises();
        disk.losePowerDuring(operation);
        try {
            run(disk, promises, random);
            throw new AssertionError("power was to fail during operation " + operation);
        } catch (PowerLossException e) {
            disk.crash(random);
        }
        if (!promises.started) {
            return; // nothing was promised, and perhaps there is not even a directory
        }
        String what = "operation " + operation;
        if (promises.isCut || !promises.mayBeCut) {
            requireFullSize(disk, what);
        }
        Lsn end = WalRecovery.recover(disk, DIRECTORY, first.stateWithCommit(START));
        WalFixture expected = promises.isCut ? second : first;
        assertThat(end.isAtLeast(promises.flushed)).as(what).isTrue();
        if (promises.mayBeCut && !promises.isCut) {
            assertThat(end.isAtLeast(cut)).as(what).isTrue();
        }
        assertThat(expected.recordEnds().contains(end) || end.equals(START))
                .as("%s: %s", what, end)
                .isTrue();
        assertThat(first.readBack(disk, end)).as(what).isEqualTo(expected.slice(START, end));
        goOn(disk, expected, end, what, random);
    }

    private static void requireFullSize(FakeDisk disk, String what) throws IOException {
        for (String name : disk.list(DIRECTORY)) {
            if (!name.equals(SegmentFiles.PREALLOCATED_NAME)) {
                try (DurableFile file = disk.open(DIRECTORY.resolve(name), Disk.Mode.READ)) {
                    assertThat(file.size()).as("%s: %s", what, name).isEqualTo(SEGMENT);
                }
            }
        }
    }

    /** The next process: found once more, reported, cut where it ends, appended to; and another power loss. */
    private void goOn(FakeDisk disk, WalFixture expected, Lsn end, String what, SplittableRandom random)
            throws IOException {
        disk.crash(random);
        Lsn again = WalRecovery.recover(disk, DIRECTORY, first.stateWithCommit(START));
        assertThat(again).as(what).isEqualTo(end);
        SegmentedWal wal = new SegmentedWal(disk, DIRECTORY, SEGMENT);
        wal.truncate(end);
        disk.crash(random);
        assertThat(WalRecovery.recover(disk, DIRECTORY, first.stateWithCommit(START)))
                .as(what)
                .isEqualTo(end);
        wal = new SegmentedWal(disk, DIRECTORY, SEGMENT);
        wal.truncate(end);
        wal.write(end, expected.slice(end, expected.end()));
        wal.flush();
        disk.crash(random);
        assertThat(WalRecovery.recover(disk, DIRECTORY, first.stateWithCommit(START)))
                .as(what)
                .isEqualTo(expected.end());
        assertThat(first.readBack(disk, expected.end())).as(what).isEqualTo(expected.slice(START, expected.end()));
    }

    private int run(FakeDisk disk, Promises promises, SplittableRandom random) throws IOException {
        SegmentedWal wal = first.fresh(disk);
        promises.started = true;
        append(wal, disk, first, START, first.end(), promises, random);
        promises.mayBeCut = true;
        promises.flushed = Lsn.INVALID;
        wal.truncate(cut);
        promises.isCut = true;
        promises.flushed = cut;
        append(wal, disk, second, cut, second.end(), promises, random);
        wal.close();
        return (int) disk.operations();
    }

    private static void append(
            SegmentedWal wal,
            FakeDisk disk,
            WalFixture source,
            Lsn from,
            Lsn to,
            Promises promises,
            SplittableRandom random)
            throws IOException {
        SplittableRandom sizes = new SplittableRandom(7);
        for (Lsn at = from; at.isBefore(to); at = wal.writeLsn()) {
            ByteBuf piece = Unpooled.buffer();
            Lsn next = at.plus(1 + sizes.nextInt(120_000)).min(to);
            piece.writeBytes(source.slice(at, next));
            wal.write(at, piece);
            disk.writeBack(random);
            if (sizes.nextInt(3) > 0) {
                wal.flush();
                promises.flushed = source.boundaryAt(wal.writeLsn());
            }
        }
        wal.flush();
        promises.flushed = source.boundaryAt(wal.writeLsn());
    }
}
