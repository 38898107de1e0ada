package io.tidemark.wire.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.wal.InvalidWalException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class WalRecordScannerTest {
    private static final int SEGMENT = 1 << 20;
    private static final SystemId SYSTEM = SystemId.of(0x0123456789ABCDEFL);

    /** A stream and the end of each of its records. */
    private static final class Wal {
        final Lsn start;
        final byte[] bytes;
        final List<Lsn> ends;

        Wal(Lsn start, byte[] bytes, List<Lsn> ends) {
            this.start = start;
            this.bytes = bytes;
            this.ends = ends;
        }

        Lsn lastEnd() {
            return ends.get(ends.size() - 1);
        }
    }

    private static WalStreamWriter writer(Lsn start) {
        return new WalStreamWriter(17, SYSTEM, SEGMENT, start, Lsn.INVALID);
    }

    private static WalRecordScanner scanner(Lsn start) {
        return WalRecordScanner.startingAt(start, 17, SEGMENT);
    }

    private static byte[] take(WalStreamWriter writer) {
        ByteBuf buffer = writer.drain();
        byte[] bytes = new byte[buffer.readableBytes()];
        buffer.readBytes(bytes).release();
        return bytes;
    }

    private static byte[] random(Random random, int size) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Records of many sizes over some pages, a segment boundary, and a segment switch. */
    private static Wal varied(long seed) {
        Random random = new Random(seed);
        Lsn start = Lsn.of(3L * SEGMENT - 2 * 8192 - 4096);
        WalStreamWriter writer = writer(start);
        List<Lsn> ends = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            int size = random.nextInt(10) == 0 ? random.nextInt(3 * 8192) : random.nextInt(200);
            ends.add(writer.append(random.nextInt(1, 20), random.nextInt(16) << 4, i, random(random, size)));
        }
        return new Wal(start, take(writer), ends);
    }

    private static void feed(WalRecordScanner scanner, byte[] bytes, int from, int to) throws InvalidWalException {
        scanner.feed(Unpooled.wrappedBuffer(bytes, from, to - from));
    }

    @Test
    void everyRecordEndIsSeenByteByByte() throws Exception {
        Wal wal = varied(1);
        WalRecordScanner scanner = scanner(wal.start);
        List<Lsn> seen = new ArrayList<>();
        for (int i = 0; i < wal.bytes.length; i++) {
            Lsn before = scanner.lastRecordEnd();
            feed(scanner, wal.bytes, i, i + 1);
            if (!scanner.lastRecordEnd().equals(before)) {
                seen.add(scanner.lastRecordEnd());
            }
            assertThat(scanner.position()).isEqualTo(wal.start.plus(i + 1));
        }
        assertThat(seen).isEqualTo(wal.ends);
    }

    @Test
    void aCutAtAnyByteChangesNothing() throws Exception {
        Wal wal = varied(2);
        WalRecordScanner whole = scanner(wal.start);
        feed(whole, wal.bytes, 0, wal.bytes.length);
        assertThat(whole.lastRecordEnd()).isEqualTo(wal.lastEnd());
        WalRecordScanner first = scanner(wal.start);
        for (int cut = 0; cut < wal.bytes.length; cut++) {
            WalRecordScanner second = first.copy();
            feed(second, wal.bytes, cut, wal.bytes.length);
            assertThat(second.lastRecordEnd()).as("cut at %d", cut).isEqualTo(wal.lastEnd());
            assertThat(second.position()).isEqualTo(whole.position());
            feed(first, wal.bytes, cut, cut + 1);
        }
    }

    @Test
    void theStateIsThatOfTheBytesWhereverTheyWereCut() throws Exception {
        Wal wal = varied(5);
        WalRecordScanner byBytes = scanner(wal.start);
        for (int cut = 0; cut < wal.bytes.length; cut++) {
            WalRecordScanner atOnce = scanner(wal.start);
            feed(atOnce, wal.bytes, 0, cut);
            assertThat(byBytes.isInStateOf(atOnce)).as("cut at %d", cut).isTrue();
            WalRecordScanner next = atOnce.copy();
            feed(next, wal.bytes, cut, cut + 1);
            assertThat(next.isInStateOf(atOnce)).as("cut at %d", cut).isFalse();
            byBytes = next;
        }
    }

    @Test
    void anotherByteInAnUnfinishedRecordIsAnotherState() throws Exception {
        Lsn start = Lsn.of(2L * SEGMENT);
        WalStreamWriter writer = writer(start);
        writer.append(10, 0, 1, new byte[10_000]);
        byte[] good = take(writer);
        // In xl_xid, in the body, behind a page header; and 20 bytes of a page header that is not complete.
        for (int at : new int[] {45, 100, 8192 + 30, 8192 + 19}) {
            byte[] bad = good.clone();
            bad[at] ^= 0x40;
            WalRecordScanner right = scanner(start);
            WalRecordScanner wrong = scanner(start);
            feed(right, good, 0, at + 1);
            feed(wrong, bad, 0, at + 1);
            assertThat(wrong.isInStateOf(right)).as("byte %d", at).isFalse();
            assertThat(right.isInStateOf(wrong)).as("byte %d", at).isFalse();
        }
    }

    @Test
    void directAndCompositeBuffersAreReadInPlace() throws Exception {
        Wal wal = varied(3);
        ByteBuf direct = Unpooled.directBuffer().writeBytes(wal.bytes);
        ByteBuf composite = Unpooled.wrappedBuffer(
                direct.retainedSlice(0, 5000), direct.retainedSlice(5000, wal.bytes.length - 5000));
        for (ByteBuf buffer : List.of(direct, composite)) {
            WalRecordScanner scanner = scanner(wal.start);
            scanner.feed(buffer);
            assertThat(scanner.lastRecordEnd()).isEqualTo(wal.lastEnd());
            assertThat(buffer.readableBytes()).isEqualTo(wal.bytes.length);
        }
        composite.release();
        direct.release();
    }

    @Test
    void scanMayStartAtEveryRecordEnd() throws Exception {
        Wal wal = varied(4);
        for (Lsn end : wal.ends) {
            WalRecordScanner scanner = scanner(end);
            assertThat(scanner.lastRecordEnd()).isEqualTo(end);
            feed(scanner, wal.bytes, (int) end.minus(wal.start), wal.bytes.length);
            assertThat(scanner.lastRecordEnd()).isEqualTo(wal.lastEnd());
        }
    }

    @Test
    void segmentSwitchEndsAtTheNextSegmentBeforeItsPaddingHasCome() throws Exception {
        Lsn start = Lsn.of(5L * SEGMENT + 10 * 8192 + 24);
        WalStreamWriter writer = writer(start);
        Lsn before = writer.append(10, 0x10, 7, new byte[100]);
        Lsn next = writer.switchSegment();
        assertThat(next).isEqualTo(Lsn.of(6L * SEGMENT));
        Lsn after = writer.append(10, 0x10, 7, new byte[100]);
        byte[] bytes = take(writer);
        WalRecordScanner scanner = scanner(start);
        int switchEnd = (int) before.minus(start) + 24;
        feed(scanner, bytes, 0, switchEnd - 1);
        assertThat(scanner.lastRecordEnd()).isEqualTo(before);
        feed(scanner, bytes, switchEnd - 1, switchEnd);
        assertThat(scanner.lastRecordEnd()).isEqualTo(next);
        assertThat(scanner.position()).isEqualTo(start.plus(switchEnd));
        feed(scanner, bytes, switchEnd, bytes.length);
        assertThat(scanner.lastRecordEnd()).isEqualTo(after);
        // A proposer that comes after the switch starts at the next segment and never sends the padding.
        WalRecordScanner resumed = scanner(next);
        feed(resumed, bytes, (int) next.minus(start), bytes.length);
        assertThat(resumed.lastRecordEnd()).isEqualTo(after);
    }

    @Test
    void onlyTheExactSwitchRecordSkipsTheSegment() throws Exception {
        Lsn start = Lsn.of(5L * SEGMENT + 40);
        for (int[] rmgrAndInfo : new int[][] {{0, 0x41}, {0, 0x50}, {1, 0x40}}) {
            WalStreamWriter writer = writer(start);
            Lsn end = writer.append(rmgrAndInfo[0], rmgrAndInfo[1], 0, new byte[0]);
            byte[] bytes = take(writer);
            WalRecordScanner scanner = scanner(start);
            feed(scanner, bytes, 0, bytes.length);
            assertThat(scanner.lastRecordEnd()).isEqualTo(end).isEqualTo(start.plus(24));
        }
    }

    /** A record is cut by a crash at a page end; the next page says so and starts with another record. */
    private static Wal overwritten(Lsn start, boolean atSegmentStart) {
        WalStreamWriter writer = writer(start);
        Lsn first = writer.append(10, 0, 1, new byte[500]);
        writer.append(10, 0, 1, new byte[9000]);
        byte[] torn = take(writer);
        int kept = 8192 - start.pageOffset();
        Lsn page = start.plus(kept);
        WalStreamWriter again = new WalStreamWriter(17, SYSTEM, SEGMENT, page, start);
        Lsn overwrite = again.append(0, 0xD0, 0, new byte[16]);
        Lsn last = again.append(10, 0, 1, new byte[50]);
        byte[] tail = take(again);
        tail[2] |= WalPageHeader.FIRST_IS_OVERWRITE_CONTRECORD;
        assertThat((tail[2] & WalPageHeader.LONG_HEADER) != 0).isEqualTo(atSegmentStart);
        byte[] bytes = new byte[kept + tail.length];
        System.arraycopy(torn, 0, bytes, 0, kept);
        System.arraycopy(tail, 0, bytes, kept, tail.length);
        return new Wal(start, bytes, List.of(first, overwrite, last));
    }

    @Test
    void anAbandonedRecordIsDroppedAtAnOverwriteContrecordPage() throws Exception {
        List<Wal> cases = List.of(
                overwritten(Lsn.of(7L * SEGMENT + 8192 * 3 + 24), false),
                overwritten(Lsn.of(8L * SEGMENT - 8192 + 24), true));
        for (Wal wal : cases) {
            for (int cut = 0; cut <= wal.bytes.length; cut++) {
                WalRecordScanner scanner = scanner(wal.start);
                feed(scanner, wal.bytes, 0, cut);
                feed(scanner, wal.bytes, cut, wal.bytes.length);
                assertThat(scanner.lastRecordEnd()).isEqualTo(wal.lastEnd());
            }
            int page = wal.bytes.length - (int) (wal.lastEnd().value() & 8191);
            wal.bytes[page + 2] &= ~WalPageHeader.FIRST_IS_OVERWRITE_CONTRECORD;
            WalRecordScanner scanner = scanner(wal.start);
            assertThat(reasonOf(scanner, wal.bytes)).isEqualTo(Reason.CONTINUATION);
            assertThat(scanner.lastRecordEnd()).isEqualTo(wal.ends.get(0));
        }
    }

    private static Reason reasonOf(WalRecordScanner scanner, byte[] bytes) {
        InvalidWalException e =
                catchThrowableOfType(InvalidWalException.class, () -> feed(scanner, bytes, 0, bytes.length));
        assertThat(e).isNotNull();
        return e.reason();
    }

    @Test
    void zerosAfterTheLastRecordEndTheScanAndKeepItsResult() throws Exception {
        Wal wal = varied(5);
        byte[] withZeros = java.util.Arrays.copyOf(wal.bytes, wal.bytes.length + 1000);
        WalRecordScanner scanner = scanner(wal.start);
        assertThat(reasonOf(scanner, withZeros)).isEqualTo(Reason.NO_RECORD);
        assertThat(scanner.lastRecordEnd()).isEqualTo(wal.lastEnd());
        assertThatThrownBy(() -> feed(scanner, wal.bytes, 0, 1)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void everyKindOfDamageHasItsReason() throws Exception {
        Lsn start = Lsn.of(2L * SEGMENT);
        WalStreamWriter writer = writer(start);
        writer.append(10, 0, 1, new byte[100]);
        writer.append(10, 0, 1, new byte[9000]);
        byte[] good = take(writer);
        assertThat(damaged(start, good, 0, 0x01)).isEqualTo(Reason.PAGE_HEADER);
        assertThat(damaged(start, good, 2, 0x02)).isEqualTo(Reason.PAGE_HEADER);
        assertThat(damaged(start, good, 3, 0x01)).isEqualTo(Reason.PAGE_HEADER);
        assertThat(damaged(start, good, 9, 0x01)).isEqualTo(Reason.PAGE_HEADER);
        assertThat(damaged(start, good, 34, 0x01)).isEqualTo(Reason.PAGE_HEADER);
        assertThat(damaged(start, good, 37, 0x01)).isEqualTo(Reason.PAGE_HEADER);
        assertThat(damaged(start, good, 2, 0x01)).isEqualTo(Reason.CONTINUATION);
        assertThat(damaged(start, good, 16, 0x01)).isEqualTo(Reason.CONTINUATION);
        assertThat(damaged(start, good, 8192 + 16, 0x01)).isEqualTo(Reason.CONTINUATION);
        assertThat(damaged(start, good, 43, 0x80)).isEqualTo(Reason.RECORD_LENGTH);
        assertThat(damaged(start, good, 53, 0x80)).isEqualTo(Reason.PREV_LINK);
        assertThat(damaged(start, good, 44, 0x80)).isEqualTo(Reason.RECORD_CRC);
        assertThat(damaged(start, good, 60, 0x80)).isEqualTo(Reason.RECORD_CRC);
        assertThat(damaged(start, good, 70, 0x80)).isEqualTo(Reason.RECORD_CRC);
        assertThat(damaged(start, good, 9000, 0x80)).isEqualTo(Reason.RECORD_CRC);
    }

    private static Reason damaged(Lsn start, byte[] good, int at, int xor) {
        byte[] bytes = good.clone();
        bytes[at] ^= (byte) xor;
        return reasonOf(scanner(start), bytes);
    }

    @Test
    void lengthsAtTheLimits() {
        Lsn start = Lsn.of(2L * SEGMENT + 40);
        assertThat(lengthIsRefused(start, 23)).isTrue();
        assertThat(lengthIsRefused(start, 24)).isFalse();
        assertThat(lengthIsRefused(start, 1020 << 20)).isFalse();
        assertThat(lengthIsRefused(start, (1020 << 20) + 1)).isTrue();
        assertThat(lengthIsRefused(start, -1)).isTrue();
    }

    private static boolean lengthIsRefused(Lsn start, int length) {
        WalRecordScanner scanner = scanner(start);
        try {
            scanner.feed(Unpooled.buffer().writeIntLE(length));
            return false;
        } catch (InvalidWalException e) {
            assertThat(e.reason()).isEqualTo(Reason.RECORD_LENGTH);
            return true;
        }
    }

    @Test
    void aScanCannotStartInsideAPageHeaderOrUnaligned() {
        for (long start : new long[] {2L * SEGMENT + 24, 2L * SEGMENT + 8192 + 16, 2L * SEGMENT + 100}) {
            assertThat(reasonOf(scanner(Lsn.of(start)), new byte[100])).isEqualTo(Reason.NOT_A_RECORD_BOUNDARY);
        }
    }

    @Test
    void anyKnownVersionIsAcceptedOnRequestButNotAMixture() throws Exception {
        Lsn start = Lsn.of(2L * SEGMENT);
        for (int major = 14; major <= 18; major++) {
            WalStreamWriter writer = new WalStreamWriter(major, SYSTEM, SEGMENT, start, Lsn.INVALID);
            Lsn end = writer.append(10, 0, 1, new byte[9000]);
            byte[] bytes = take(writer);
            WalRecordScanner any = WalRecordScanner.startingAt(start, 0, SEGMENT);
            feed(any, bytes, 0, bytes.length);
            assertThat(any.lastRecordEnd()).isEqualTo(end);
            if (major != 17) {
                assertThat(reasonOf(scanner(start), bytes)).isEqualTo(Reason.PAGE_HEADER);
            }
            bytes[8192] = (byte) (major == 18 ? 0x0D : 0x18);
            assertThat(reasonOf(WalRecordScanner.startingAt(start, 0, SEGMENT), bytes))
                    .isEqualTo(Reason.PAGE_HEADER);
        }
    }

    @Test
    void arbitraryBytesGiveAResultOrATypedError() {
        for (int seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            Wal wal = varied(random.nextInt(20));
            byte[] bytes = wal.bytes.clone();
            for (int i = random.nextInt(1, 5); i > 0; i--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            WalRecordScanner scanner = scanner(wal.start);
            try {
                feed(scanner, bytes, 0, bytes.length);
                assertThat(scanner.lastRecordEnd()).as("seed %d", seed).isEqualTo(wal.lastEnd());
            } catch (InvalidWalException e) {
                assertThat(wal.ends.contains(scanner.lastRecordEnd())
                                || scanner.lastRecordEnd().equals(wal.start))
                        .as("seed %d", seed)
                        .isTrue();
            }
        }
    }
}
