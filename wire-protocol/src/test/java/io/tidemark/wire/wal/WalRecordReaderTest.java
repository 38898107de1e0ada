package io.tidemark.wire.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.wal.InvalidWalException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class WalRecordReaderTest {
    private static final int SEGMENT = 1 << 20;
    private static final SystemId SYSTEM = SystemId.of(42);

    /** WAL in memory that gives at most {@code atMost} bytes per read. */
    private static WalSource memory(Lsn start, byte[] bytes, int atMost) {
        return (at, into, offset, length) -> {
            long from = at.minus(start);
            if (from < 0 || from >= bytes.length) {
                return 0;
            }
            int n = Math.min(Math.min(length, atMost), bytes.length - (int) from);
            System.arraycopy(bytes, (int) from, into, offset, n);
            return n;
        };
    }

    private static WalStreamWriter writer(Lsn start, Lsn prev) {
        return new WalStreamWriter(16, SYSTEM, SEGMENT, start, prev);
    }

    private static byte[] take(WalStreamWriter writer) {
        ByteBuf buffer = writer.drain();
        byte[] bytes = new byte[buffer.readableBytes()];
        buffer.readBytes(bytes).release();
        return bytes;
    }

    private static List<WalRecord> readAll(WalRecordReader reader) throws Exception {
        List<WalRecord> records = new ArrayList<>();
        for (WalRecord record = reader.next(); record != null; record = reader.next()) {
            records.add(
                    new WalDecoder(16).decode(record.toBytes(), 0, record.totalLength(), record.start(), record.end()));
        }
        return records;
    }

    @Test
    void recordsOverPagesAndSegmentsAreRead() throws Exception {
        Lsn start = Lsn.of(3L * SEGMENT);
        for (int atMost : new int[] {1, 13, 8192, 1 << 22}) {
            WalStreamWriter writer = writer(start, Lsn.INVALID);
            Random random = new Random(5);
            List<byte[]> written = new ArrayList<>();
            List<Lsn> ends = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                byte[] data = new byte[i == 150 ? 1_500_000 : random.nextInt(20) == 0 ? random.nextInt(30_000) : i];
                random.nextBytes(data);
                written.add(data);
                ends.add(writer.append(10, 0x20, i, data));
                if (i == 100) {
                    written.add(new byte[0]);
                    ends.add(writer.switchSegment());
                }
            }
            WalRecordReader reader = new WalRecordReader(memory(start, take(writer), atMost), 0, SEGMENT, start);
            List<WalRecord> read = readAll(reader);
            assertThat(read).hasSize(written.size());
            Lsn prev = Lsn.INVALID;
            for (int i = 0; i < read.size(); i++) {
                assertThat(read.get(i).mainData()).isEqualTo(written.get(i));
                assertThat(read.get(i).end()).isEqualTo(ends.get(i));
                assertThat(read.get(i).prev()).isEqualTo(prev);
                prev = read.get(i).start();
            }
            assertThat(reader.pgMajor()).isEqualTo(16);
            assertThat(reader.position()).isEqualTo(writer.position());
        }
    }

    @Test
    void moreWalMayArriveLater() throws Exception {
        Lsn start = Lsn.of(3L * SEGMENT);
        WalStreamWriter writer = writer(start, Lsn.INVALID);
        writer.append(10, 0, 1, new byte[100]);
        writer.append(10, 0, 2, new byte[20_000]);
        byte[] bytes = take(writer);
        int[] known = {0};
        WalSource source = (at, into, offset, length) -> {
            int from = (int) at.minus(start);
            int n = Math.min(length, known[0] - from);
            System.arraycopy(bytes, from, into, offset, Math.max(n, 0));
            return Math.max(n, 0);
        };
        WalRecordReader reader = new WalRecordReader(source, 16, SEGMENT, start);
        List<Integer> seenAt = new ArrayList<>();
        for (; known[0] <= bytes.length; known[0]++) {
            if (reader.next() != null) {
                seenAt.add(known[0]);
            }
        }
        assertThat(seenAt).containsExactly(40 + 126, 168 + 24 + 5 + 20_000 + 2 * 24);
    }

    @Test
    void theRecordBeforeMustBeTheOneNamed() throws Exception {
        Lsn start = Lsn.of(3L * SEGMENT);
        WalStreamWriter writer = writer(start, Lsn.of(3L * SEGMENT - 64));
        Lsn middle = writer.append(10, 0, 1, new byte[100]);
        byte[] first = take(writer);
        WalStreamWriter other = writer(middle, Lsn.of(3L * SEGMENT - 64));
        other.append(10, 0, 1, new byte[100]);
        byte[] second = take(other);
        byte[] bytes = new byte[first.length + second.length];
        System.arraycopy(first, 0, bytes, 0, first.length);
        System.arraycopy(second, 0, bytes, first.length, second.length);
        WalRecordReader reader = new WalRecordReader(memory(start, bytes, 1000), 16, SEGMENT, start);
        assertThat(reader.next()).isNotNull();
        InvalidWalException e = catchThrowableOfType(InvalidWalException.class, reader::next);
        assertThat(e.reason()).isEqualTo(Reason.PREV_LINK);
        assertThat(e.lsn()).isEqualTo(middle);
        assertThat(reader.position()).isEqualTo(middle);
    }

    @Test
    void anAbandonedRecordIsPassedOver() throws Exception {
        Lsn start = Lsn.of(3L * SEGMENT);
        WalStreamWriter writer = writer(start, Lsn.INVALID);
        writer.append(10, 0, 1, new byte[100]);
        writer.append(10, 0, 2, new byte[20_000]);
        byte[] bytes = take(writer);
        Lsn page = start.plus(2 * 8192);
        WalStreamWriter again = writer(page, start.plus(40));
        again.append(0, 0xD0, 0, new byte[16]);
        again.append(10, 0, 3, new byte[10]);
        byte[] tail = take(again);
        tail[2] |= WalPageHeader.FIRST_IS_OVERWRITE_CONTRECORD;
        byte[] all = java.util.Arrays.copyOf(bytes, 2 * 8192 + tail.length);
        System.arraycopy(tail, 0, all, 2 * 8192, tail.length);
        List<WalRecord> read = readAll(new WalRecordReader(memory(start, all, 5000), 0, SEGMENT, start));
        assertThat(read).extracting(WalRecord::info).containsExactly(0, 0xD0, 0);
        assertThat(read.get(1).start()).isEqualTo(page.plus(24));
    }

    @Test
    void theFirstRecordIsFoundInsideALongOne() throws Exception {
        Lsn start = Lsn.of(3L * SEGMENT);
        WalStreamWriter writer = writer(start, Lsn.INVALID);
        Lsn second = writer.append(10, 0, 1, new byte[20_000]);
        writer.append(10, 0, 2, new byte[20]);
        byte[] bytes = take(writer);
        WalSource source = memory(start, bytes, 1 << 20);
        assertThat(WalRecordReader.findRecordBoundary(source, SEGMENT, start)).contains(start);
        assertThat(WalRecordReader.findRecordBoundary(source, SEGMENT, start.plus(8192 + 100)))
                .contains(second);
        assertThat(WalRecordReader.findRecordBoundary(source, SEGMENT, start.plus(1 << 20)))
                .isEmpty();
    }

    @Test
    void aRecordThatEndsWithItsPageLeavesThePageBoundary() throws Exception {
        Lsn start = Lsn.of(3L * SEGMENT);
        WalStreamWriter writer = writer(start, Lsn.INVALID);
        int rest = 8192 - 24;
        Lsn end = writer.append(10, 0, 1, new byte[8192 - 40 - 24 - 5 + rest]);
        assertThat(end).isEqualTo(start.plus(2 * 8192));
        writer.append(10, 0, 2, new byte[20]);
        WalSource source = memory(start, take(writer), 1 << 20);
        assertThat(WalRecordReader.findRecordBoundary(source, SEGMENT, start.plus(8192)))
                .contains(end);
        assertThat(readAll(new WalRecordReader(source, 0, SEGMENT, start))).hasSize(2);
    }

    @Test
    void zerosAndRecycledSegmentsAreAnEndOfWal() throws Exception {
        Lsn start = Lsn.of(3L * SEGMENT);
        WalStreamWriter writer = writer(start, Lsn.INVALID);
        writer.append(10, 0, 1, new byte[8192 - 40 - 24 - 5]);
        byte[] good = java.util.Arrays.copyOf(take(writer), 3 * 8192);
        WalRecordReader zeros = new WalRecordReader(memory(start, good, 9999), 0, SEGMENT, start);
        zeros.next();
        assertThat(catchThrowableOfType(InvalidWalException.class, zeros::next).reason())
                .isEqualTo(Reason.NO_RECORD);
        WalStreamWriter old = writer(Lsn.of(2L * SEGMENT + 8192), Lsn.INVALID);
        old.append(10, 0, 1, new byte[100]);
        byte[] stale = take(old);
        System.arraycopy(stale, 0, good, 8192, stale.length);
        WalRecordReader recycled = new WalRecordReader(memory(start, good, 9999), 0, SEGMENT, start);
        recycled.next();
        InvalidWalException e = catchThrowableOfType(InvalidWalException.class, recycled::next);
        assertThat(e.reason()).isEqualTo(Reason.STALE_PAGE);
        assertThat(e.reason().isEndOfWal()).isTrue();
    }

    /** As a stream is: bytes come in pieces of any size, and each is given once. */
    @Test
    void aStreamIsNeverAskedToGoBack() throws Exception {
        Lsn start = Lsn.of(3L * SEGMENT);
        for (int seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            WalStreamWriter writer = writer(start, Lsn.INVALID);
            int count = 0;
            while (writer.position().minus(start) < 3_500_000) {
                byte[] data = new byte[random.nextInt(10) == 0 ? random.nextInt(100_000) : random.nextInt(3_000)];
                random.nextBytes(data);
                writer.append(10, 0x20, count++, data);
            }
            byte[] wal = take(writer);
            long[] given = {0};
            int[] arrived = {0};
            WalSource stream = (at, into, offset, length) -> {
                assertThat(at.minus(start)).as("asked to go back").isGreaterThanOrEqualTo(given[0]);
                int from = (int) at.minus(start);
                int n = Math.max(0, Math.min(length, arrived[0] - from));
                System.arraycopy(wal, from, into, offset, n);
                given[0] = (long) from + n;
                return n;
            };
            WalRecordReader reader = new WalRecordReader(stream, 16, SEGMENT, start);
            int read = 0;
            while (arrived[0] < wal.length) {
                arrived[0] = Math.min(wal.length, arrived[0] + 1 + random.nextInt(random.nextBoolean() ? 40 : 60_000));
                for (WalRecord record = reader.next(); record != null; record = reader.next()) {
                    assertThat(record.xid()).as("seed %s", seed).isEqualTo(read++);
                }
            }
            assertThat(read).as("seed %s", seed).isEqualTo(count);
        }
    }
}
