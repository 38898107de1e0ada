package io.tidemark.pageserver.basebackup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.pageserver.pgcontrol.CheckPoint;
import io.tidemark.pageserver.timeline.TimelineMetadata;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalPageHeader;
import io.tidemark.wire.wal.WalRecord;
import io.tidemark.wire.wal.WalRecordReader;
import io.tidemark.wire.wal.WalSegmentName;
import io.tidemark.wire.wal.WalSource;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StartOfWalTest {
    private static final TenantTimelineId ID =
            new TenantTimelineId(TenantId.parse("1".repeat(32)), TimelineId.parse("2".repeat(32)));
    private static final int PAGE = 8192;
    private static final int SEGMENT = 1 << 20;
    private static final int RECORD = 114;
    private static final Lsn PREV = Lsn.of(0x3_0000_1000L);

    private static TimelineMetadata metadata(int major, int segmentSize) {
        Lsn start = Lsn.of(0x100_0028);
        return new TimelineMetadata(
                ID,
                major,
                new SystemId(77),
                WalFlavour.STOCK,
                false,
                false,
                segmentSize,
                start,
                start,
                Optional.empty());
    }

    private static CheckPoint checkPoint() {
        CheckPoint checkPoint = CheckPoint.copyOf(new byte[CheckPoint.SIZE_BYTES], 0);
        checkPoint.setNextXid(0x7_0000_0345L);
        checkPoint.setTli(1);
        return checkPoint;
    }

    /** The files as a server would find them. */
    private static final class Files implements WalSource {
        private final Map<Lsn, byte[]> pages = new HashMap<>();

        Files(StartOfWal wal) {
            for (WalSegmentName segment : wal.segments()) {
                for (Lsn page = segment.startLsn(); page.isBefore(segment.endLsn()); page = page.plus(PAGE)) {
                    byte[] bytes = new byte[PAGE];
                    wal.page(page, bytes);
                    pages.put(page, bytes);
                }
            }
        }

        @Override
        public int read(Lsn at, byte[] into, int offset, int length) {
            byte[] page = pages.get(at.plus(-at.pageOffset()));
            int n = page == null ? 0 : Math.min(length, PAGE - at.pageOffset());
            if (page != null) {
                System.arraycopy(page, at.pageOffset(), into, offset, n);
            }
            return n;
        }

        WalPageHeader header(Lsn page) {
            return WalPageHeader.decode(ByteBuffer.wrap(pages.get(page)), 0);
        }
    }

    private static void check(int major, int segmentSize, Lsn lsn) throws Exception {
        StartOfWal wal = StartOfWal.withCheckPoint(metadata(major, segmentSize), lsn, PREV, checkPoint());
        Files files = new Files(wal);
        Lsn page = lsn.plus(-lsn.pageOffset());
        Lsn segment = lsn.plus(-lsn.segmentOffset(segmentSize));
        WalPageHeader header = files.header(page);
        header.check(page, WalPageHeader.magicOf(major), segmentSize);
        files.header(segment).check(segment, WalPageHeader.magicOf(major), segmentSize);
        if (lsn.pageOffset() == 0) {
            assertThat(header.isContrecord()).isFalse();
            assertThat(wal.recordLsn()).isEqualTo(lsn.plus(header.sizeBytes()));
        } else {
            // Whoever skips what seems to be the rest of a record comes out at the LSN.
            assertThat(header.isContrecord()).isTrue();
            assertThat(page.plus(header.sizeBytes())
                            .plus(header.remainingLength())
                            .alignRecord())
                    .isEqualTo(lsn);
            assertThat(wal.recordLsn()).isEqualTo(lsn);
        }
        WalRecord record = new WalRecordReader(files, major, segmentSize, lsn).next();
        assertThat(record).as("at %s", lsn).isNotNull();
        assertThat(record.start()).isEqualTo(wal.recordLsn());
        assertThat(record.end()).isEqualTo(wal.endLsn());
        assertThat(record.prev()).isEqualTo(PREV);
        assertThat(record.rmgrId()).isZero();
        assertThat(record.info()).isZero();
        assertThat(record.totalLength()).isEqualTo(RECORD);
        CheckPoint read = CheckPoint.copyOf(record.mainData(), 0);
        assertThat(read.redo()).isEqualTo(wal.recordLsn());
        assertThat(read.nextXid()).isEqualTo(0x7_0000_0345L);
        boolean overBoundary = lsn.segmentOffset(segmentSize) > segmentSize - RECORD;
        assertThat(wal.segments()).hasSize(overBoundary ? 2 : 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void theRecordIsFoundWhereverItIs(int major) throws Exception {
        Lsn segment = Lsn.of(0x3_0010_0000L);
        for (int page : new int[] {0, 1, 63, SEGMENT / PAGE - 1}) {
            int header = page == 0 ? WalPageHeader.LONG_SIZE_BYTES : WalPageHeader.SHORT_SIZE_BYTES;
            Lsn start = segment.plus((long) page * PAGE);
            check(major, SEGMENT, start);
            for (int offset = header + 8; offset < header + 40; offset += 8) {
                check(major, SEGMENT, start.plus(offset));
            }
            for (int offset = PAGE - 200; offset < PAGE; offset += 8) {
                check(major, SEGMENT, start.plus(offset));
            }
        }
        check(major, 16 << 20, Lsn.of(0x5_01FF_FFF8L));
        check(major, 64 << 20, Lsn.of(0x5_03FF_FFC0L));
    }

    @Test
    void theSameLsnGivesTheSameBytes() {
        Lsn lsn = Lsn.of(0x3_0010_0FF8L);
        byte[] one = new byte[PAGE];
        byte[] other = new byte[PAGE];
        StartOfWal.withCheckPoint(metadata(16, SEGMENT), lsn, PREV, checkPoint())
                .page(Lsn.of(0x3_0010_0000L), one);
        StartOfWal.withCheckPoint(metadata(16, SEGMENT), lsn, PREV, checkPoint())
                .page(Lsn.of(0x3_0010_0000L), other);
        assertThat(one).isEqualTo(other);
    }

    @Test
    void withoutARecordThereAreHeadersOnly() {
        Lsn segment = Lsn.of(0x3_0010_0000L);
        StartOfWal inside = StartOfWal.empty(metadata(17, SEGMENT), segment.plus(3 * PAGE + 1000));
        Files files = new Files(inside);
        assertThat(files.header(segment).isContrecord()).isFalse();
        assertThat(files.header(segment.plus(3 * PAGE)).remainingLength()).isEqualTo(1000 - 24);
        assertThat(files.header(segment.plus(PAGE)).magic()).isZero();
        assertThat(files.header(segment.plus(4 * PAGE)).magic()).isZero();
        assertThat(inside.recordLsn()).isEqualTo(segment.plus(3 * PAGE + 1000));

        StartOfWal first = StartOfWal.empty(metadata(17, SEGMENT), segment.plus(96));
        assertThat(new Files(first).header(segment).remainingLength()).isEqualTo(96 - 40);
        StartOfWal boundary = StartOfWal.empty(metadata(17, SEGMENT), segment.plus(PAGE));
        assertThat(new Files(boundary).header(segment.plus(PAGE)).info()).isZero();
        assertThat(boundary.recordLsn()).isEqualTo(segment.plus(PAGE + 24));
        assertThat(StartOfWal.empty(metadata(17, SEGMENT), segment).recordLsn()).isEqualTo(segment.plus(40));
    }

    @Test
    void noRecordEndsInsideOfAHeader() {
        for (int offset : new int[] {8, 32}) {
            assertThatThrownBy(() -> StartOfWal.empty(metadata(17, SEGMENT), Lsn.of(0x3_0010_0000L + offset)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("header");
        }
    }
}
