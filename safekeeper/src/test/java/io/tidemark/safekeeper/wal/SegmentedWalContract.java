package io.tidemark.safekeeper.wal;

import static io.tidemark.safekeeper.wal.WalFixture.DIRECTORY;
import static io.tidemark.safekeeper.wal.WalFixture.PG;
import static io.tidemark.safekeeper.wal.WalFixture.SEGMENT;
import static io.tidemark.safekeeper.wal.WalFixture.SYSTEM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What {@link SegmentedWal} does on any disk as long as power stays on. */
abstract class SegmentedWalContract {
    final WalFixture source = new WalFixture(Lsn.parse("0/1234560"), 1).fill(5 * SEGMENT / 2);

    abstract Disk disk();

    @Test
    void whatIsWrittenIsReadAcrossSegments() throws IOException {
        writeAll(source, 70_001);
        assertThat(source.readBack(disk(), source.end())).isEqualTo(source.slice(source.start, source.end()));
        assertThat(disk().list(DIRECTORY))
                .containsExactly(
                        "000000010000000000000012", "000000010000000000000013", "000000010000000000000014.partial");
    }

    @Test
    void oneWriteMaySpanSegmentsAndComeInPieces() throws IOException {
        SegmentedWal wal = source.fresh(disk());
        ByteBuf all = source.slice(source.start, source.end());
        int cut = 1_000_003;
        CompositeByteBuf pieces = Unpooled.compositeBuffer()
                .addComponent(true, all.retainedSlice(0, cut))
                .addComponent(true, all.retainedSlice(cut, all.readableBytes() - cut));
        wal.write(source.start, pieces);
        wal.flush();
        assertThat(pieces.readableBytes()).isEqualTo(all.readableBytes());
        assertThat(wal.writeLsn()).isEqualTo(source.end());
        wal.close();
        assertThat(source.readBack(disk(), source.end())).isEqualTo(all);
    }

    @Test
    void everySegmentHasFullSizeAndZerosBehindTheEnd() throws IOException {
        writeAll(source, 50_000);
        for (String name : disk().list(DIRECTORY)) {
            try (DurableFile file = disk().open(DIRECTORY.resolve(name), Disk.Mode.READ)) {
                assertThat(file.size()).isEqualTo(SEGMENT);
            }
        }
        assertThat(tailIsZero("000000010000000000000014.partial", source.end())).isTrue();
    }

    @Test
    void nothingIsWrittenBeforeATruncationOrAnywhereButAtTheEnd() throws IOException {
        source.fresh(disk()).close();
        SegmentedWal wal = new SegmentedWal(disk(), DIRECTORY, SEGMENT);
        ByteBuf some = source.slice(source.start, source.start.plus(8));
        assertThatThrownBy(() -> wal.write(source.start, some)).isInstanceOf(IllegalStateException.class);
        wal.truncate(source.start);
        assertThatThrownBy(() -> wal.write(source.start.plus(8), some)).isInstanceOf(IllegalStateException.class);
        wal.write(source.start, some);
        assertThatThrownBy(() -> wal.write(source.start, some)).isInstanceOf(IllegalStateException.class);
        wal.close();
    }

    @Test
    void truncationCutsTheTailAndDeletesLaterSegments() throws IOException {
        writeAll(source, 100_000);
        Lsn end = source.boundaryAt(source.start.plus(1000));
        SegmentedWal wal = new SegmentedWal(disk(), DIRECTORY, SEGMENT);
        wal.truncate(end);
        assertThat(disk().list(DIRECTORY)).containsExactly("000000010000000000000012.partial");
        assertThat(tailIsZero("000000010000000000000012.partial", end)).isTrue();
        WalFixture other = source.divergingAt(end, 2, 3 * SEGMENT / 2);
        wal.write(end, other.slice(end, other.end()));
        wal.flush();
        wal.close();
        assertThat(other.readBack(disk(), other.end())).isEqualTo(other.slice(other.start, other.end()));
    }

    @Test
    void truncationAtASegmentStartLeavesWholeSegments() throws IOException {
        writeAll(source, 100_000);
        SegmentedWal wal = new SegmentedWal(disk(), DIRECTORY, SEGMENT);
        wal.truncate(Lsn.parse("0/1400000"));
        assertThat(disk().list(DIRECTORY)).containsExactly("000000010000000000000012", "000000010000000000000013");
        wal.truncate(Lsn.parse("0/1300000"));
        assertThat(disk().list(DIRECTORY)).containsExactly("000000010000000000000012");
        wal.close();
    }

    /** The padding behind an XLOG_SWITCH may never arrive; the next term starts in the next segment. */
    @Test
    void truncationMayMoveTheEndBeyondWhatWasReceived() throws IOException {
        WalFixture short_ = new WalFixture(source.start, 3);
        Lsn received = short_.record(100);
        Lsn next = short_.switchSegment();
        SegmentedWal wal = short_.fresh(disk());
        wal.write(short_.start, short_.slice(short_.start, received.plus(24)));
        wal.flush();
        wal.truncate(next);
        assertThat(disk().list(DIRECTORY)).containsExactly("000000010000000000000012");
        Lsn end = short_.record(50);
        wal.write(next, short_.slice(next, short_.end()));
        wal.flush();
        wal.close();
        assertThat(WalRecovery.recover(disk(), DIRECTORY, short_.stateWithCommit(received)))
                .isEqualTo(end);
        assertThat(WalRecovery.recover(disk(), DIRECTORY, short_.stateWithCommit(next)))
                .isEqualTo(end);
        assertThat(short_.readBack(disk(), end)).isEqualTo(short_.slice(short_.start, short_.end()));
    }

    /** A cut that power interrupted leaves any size; a whole record at the end of such a file still reaches to the segment's end. */
    @Test
    void recoveryGivesAShortSegmentThePaddingOfItsSwitchBack() throws IOException {
        WalFixture switched = new WalFixture(source.start, 3);
        Lsn received = switched.record(100);
        Lsn next = switched.switchSegment();
        SegmentedWal wal = switched.fresh(disk());
        wal.write(switched.start, switched.slice(switched.start, next));
        wal.close();
        Path segment = DIRECTORY.resolve("000000010000000000000012");
        try (DurableFile file = disk().open(segment, Disk.Mode.READ_WRITE)) {
            file.setSize(received.segmentOffset(SEGMENT) + 100L);
        }
        assertThat(WalRecovery.recover(disk(), DIRECTORY, switched.stateWithCommit(received)))
                .isEqualTo(next);
        assertThat(switched.readBack(disk(), next)).isEqualTo(switched.slice(switched.start, next));
    }

    @Test
    void recoveryFindsTheLastCompleteRecord() throws IOException {
        SegmentedWal wal = source.fresh(disk());
        Lsn torn = source.start.plus(1_500_001);
        wal.write(source.start, source.slice(source.start, torn));
        wal.close();
        for (Lsn commit :
                new Lsn[] {source.start, source.boundaryAt(source.start.plus(500_000)), source.boundaryAt(torn)}) {
            assertThat(WalRecovery.recover(disk(), DIRECTORY, source.stateWithCommit(commit)))
                    .isEqualTo(source.boundaryAt(torn));
        }
        assertThat(WalRecovery.recover(disk(), DIRECTORY, source.stateWithCommit(Lsn.INVALID)))
                .isEqualTo(Lsn.INVALID);
    }

    @Test
    void recoveryRefusesWalThatEndsBeforeCommitLsn() throws IOException {
        writeAll(source, 100_000);
        Lsn lost = source.recordEnds().getLast();
        SegmentedWal wal = new SegmentedWal(disk(), DIRECTORY, SEGMENT);
        Lsn kept = source.recordEnds().get(source.recordEnds().size() - 2);
        wal.truncate(kept);
        wal.close();
        assertThatThrownBy(() -> WalRecovery.recover(disk(), DIRECTORY, source.stateWithCommit(lost)))
                .isInstanceOf(LostWalException.class)
                .hasMessageContaining(WalFixture.TTID.toString())
                .hasMessageContaining("commit_lsn " + lost)
                .hasMessageContaining("pull the timeline");
        assertThat(WalRecovery.recover(disk(), DIRECTORY, source.stateWithCommit(kept)))
                .isEqualTo(kept);
        disk().delete(DIRECTORY.resolve("000000010000000000000014.partial"));
        assertThatThrownBy(() -> WalRecovery.recover(disk(), DIRECTORY, source.stateWithCommit(kept)))
                .isInstanceOf(LostWalException.class);
    }

    @Test
    void recoveryRefusesACommitLsnInsideARecord() throws IOException {
        writeAll(source, 100_000);
        Lsn boundary = source.boundaryAt(source.start.plus(500_000));
        assertThatThrownBy(() -> WalRecovery.recover(disk(), DIRECTORY, source.stateWithCommit(boundary.plus(8))))
                .isInstanceOf(LostWalException.class)
                .hasMessageContaining("the last record ends at " + boundary);
    }

    @Test
    void whenASegmentHasBothNamesThePartialOneIsRight() throws IOException {
        writeAll(source, 100_000);
        Lsn end = source.boundaryAt(Lsn.parse("0/1340000"));
        try (DurableFile stale = disk().open(DIRECTORY.resolve("000000010000000000000014"), Disk.Mode.CREATE_NEW)) {
            stale.setSize(SEGMENT);
        }
        assertThat(WalRecovery.recover(disk(), DIRECTORY, source.stateWithCommit(end)))
                .isEqualTo(source.recordEnds().getLast());
        SegmentedWal wal = new SegmentedWal(disk(), DIRECTORY, SEGMENT);
        wal.truncate(source.recordEnds().getLast());
        wal.close();
        assertThat(disk().list(DIRECTORY)).doesNotContain("000000010000000000000014");
    }

    @Test
    void aLeftOverPreallocationIsMadeAnew() throws IOException {
        SegmentedWal wal = source.fresh(disk());
        try (DurableFile stale = disk().open(DIRECTORY.resolve(SegmentFiles.PREALLOCATED_NAME), Disk.Mode.CREATE_NEW)) {
            stale.write(source.slice(source.start, source.start.plus(500_000)).nioBuffer(), 400_000);
        }
        Lsn next = Lsn.parse("0/1300000");
        wal.write(source.start, source.slice(source.start, next.plus(1000)));
        wal.flush();
        wal.close();
        assertThat(tailIsZero("000000010000000000000013.partial", next.plus(1000)))
                .isTrue();
    }

    @Test
    void theFirstSegmentMayBeMadeAgainUntilSomethingIsWritten() throws IOException {
        SegmentedWal wal = source.fresh(disk());
        wal.initFirstSegment(source.start, PG, SYSTEM);
        wal.truncate(source.start);
        wal.write(source.start, source.slice(source.start, source.end()));
        wal.flush();
        wal.close();
        assertThat(source.readBack(disk(), source.end())).isEqualTo(source.slice(source.start, source.end()));
    }

    void writeAll(WalFixture from, int chunkBytes) throws IOException {
        SegmentedWal wal = from.fresh(disk());
        for (Lsn at = from.start; at.isBefore(from.end()); ) {
            Lsn next = at.plus(chunkBytes).min(from.end());
            wal.write(at, from.slice(at, next));
            wal.flush();
            at = next;
        }
        wal.close();
    }

    private boolean tailIsZero(String name, Lsn end) throws IOException {
        int offset = end.segmentOffset(SEGMENT);
        ByteBuffer tail = ByteBuffer.allocate(SEGMENT - offset);
        try (DurableFile file = disk().open(DIRECTORY.resolve(name), Disk.Mode.READ)) {
            while (tail.hasRemaining()) {
                assertThat(file.read(tail, offset + tail.position())).isPositive();
            }
        }
        return tail.flip().mismatch(ByteBuffer.allocate(SEGMENT - offset)) < 0;
    }
}
