package io.tidemark.safekeeper.wal;

import static io.tidemark.safekeeper.wal.WalFixture.DIRECTORY;
import static io.tidemark.safekeeper.wal.WalFixture.SEGMENT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class VerifyingWalReaderTest {
    private static final Lsn START = Lsn.parse("0/1234560");
    private static final int CHUNK = 128 << 10;

    private final WalFixture source = new WalFixture(START, 1).fill(2 * SEGMENT);
    private final FakeDisk disk = new FakeDisk();

    private VerifyingWalReader readerAt(Lsn start) {
        return new VerifyingWalReader(new WalReader(disk, DIRECTORY, source.layout()), start);
    }

    private void write() throws IOException {
        SegmentedWal wal = source.fresh(disk);
        wal.write(START, source.slice(START, source.end()));
        wal.flush();
        wal.close();
    }

    private static ByteBuf readAll(VerifyingWalReader reader, Lsn end, int max) throws IOException {
        ByteBuf out = Unpooled.buffer();
        while (reader.read(end, max, out) > 0) {
            assertThat(reader.position().isAtMost(end)).isTrue();
        }
        return out;
    }

    @Test
    void soundWalIsReadWholeFromAnyPosition() throws IOException {
        write();
        SplittableRandom random = new SplittableRandom(3);
        for (int round = 0; round < 30; round++) {
            Lsn from = switch (round) {
                case 0 -> START;
                case 1 -> Lsn.parse("0/1300000");
                case 2 -> Lsn.parse("0/1302000");
                case 3 -> source.end();
                default -> START.plus(random.nextInt(2 * SEGMENT));
            };
            int max = round % 2 == 0 ? CHUNK : 8192 + random.nextInt(10_000);
            try (VerifyingWalReader reader = readerAt(from)) {
                assertThat(readAll(reader, source.end(), max))
                        .as("from %s", from)
                        .isEqualTo(source.slice(from, source.end()));
            }
        }
    }

    @Test
    void theMadeUpBeginningIsServedToo() throws IOException {
        write();
        Lsn segmentStart = Lsn.parse("0/1200000");
        try (VerifyingWalReader reader = readerAt(segmentStart)) {
            ByteBuf all = readAll(reader, source.end(), CHUNK);
            assertThat(all.readableBytes()).isEqualTo((int) source.end().minus(segmentStart));
            assertThat(all.slice(0x34560, all.readableBytes() - 0x34560)).isEqualTo(source.slice(START, source.end()));
        }
    }

    @Test
    void aPieceNeverEndsInsideAPageUnlessWalEndsThere() throws IOException {
        write();
        try (VerifyingWalReader reader = readerAt(START)) {
            while (reader.read(source.end(), 20_000, Unpooled.buffer()) > 0) {
                assertThat(reader.position().pageOffset() == 0
                                || reader.position().equals(source.end()))
                        .as("piece ends at %s", reader.position())
                        .isTrue();
            }
        }
    }

    @Test
    void followsAnEndThatMoves() throws IOException {
        write();
        ByteBuf out = Unpooled.buffer();
        try (VerifyingWalReader reader = readerAt(START)) {
            for (Lsn end : source.recordEnds()) {
                while (reader.read(end, CHUNK, out) > 0) {
                    assertThat(reader.position().isAtMost(end)).isTrue();
                }
                assertThat(reader.position()).isEqualTo(end);
            }
        }
        assertThat(out).isEqualTo(source.slice(START, source.end()));
    }

    @Test
    void aFlippedByteIsNeverServed() throws IOException {
        write();
        SplittableRandom random = new SplittableRandom(5);
        int refused = 0;
        for (int round = 0; round < 80; round++) {
            Lsn flipped = START.plus(random.nextInt(2 * SEGMENT));
            Lsn from = START.plus(random.nextInt((int) flipped.minus(START) + 1));
            flip(flipped);
            ByteBuf out = Unpooled.buffer();
            try (VerifyingWalReader reader = readerAt(from)) {
                while (reader.read(source.end(), CHUNK, out) > 0) {
                    assertThat(reader.position().isAtMost(source.end())).isTrue();
                }
                // Only the padding behind a record is not covered by a CRC.
                assertThat(isPadding(flipped))
                        .as("%s flipped, read from %s", flipped, from)
                        .isTrue();
            } catch (CorruptWalException e) {
                refused++;
                assertThat(e).hasMessageContaining("0000000100000000000000");
                assertThat(out)
                        .as("%s flipped, read from %s: %s", flipped, from, e)
                        .isEqualTo(source.slice(from, from.plus(out.readableBytes())));
                assertThat(from.plus(out.readableBytes()).isAtMost(flipped)).isTrue();
            }
            flip(flipped);
        }
        assertThat(refused).isGreaterThan(60);
    }

    private void flip(Lsn position) throws IOException {
        String name = "%024X".formatted(position.segmentNumber(SEGMENT)).replaceFirst("^0{8}", "00000001");
        String file = disk.list(DIRECTORY).contains(name) ? name : name + ".partial";
        disk.flipByte(DIRECTORY.resolve(file), position.segmentOffset(SEGMENT));
    }

    private boolean isPadding(Lsn position) {
        return source.recordEnds().stream().anyMatch(end -> end.isAfter(position) && end.minus(position) < 8)
                || position.pageOffset() < 40;
    }

    @Test
    void aRecordLongerThanAnyPieceIsCheckedBeforeItsFirstByteLeaves() throws IOException {
        WalFixture huge = new WalFixture(START, 2);
        huge.record(100);
        Lsn before = huge.recordEnds().getLast();
        huge.record(SEGMENT * 3 / 2);
        huge.record(100);
        SegmentedWal wal = huge.fresh(disk);
        wal.write(START, huge.slice(START, huge.end()));
        wal.flush();
        try (VerifyingWalReader reader = readerAt(START)) {
            assertThat(readAll(reader, huge.end(), 8192)).isEqualTo(huge.slice(START, huge.end()));
        }
        flip(START.plus(SEGMENT));
        try (VerifyingWalReader reader = readerAt(START)) {
            assertThat(reader.read(huge.end(), CHUNK, Unpooled.buffer())).isPositive();
            assertThat(reader.position().isAtMost(before)).isTrue();
            assertThatThrownBy(() -> readAll(reader, huge.end(), CHUNK)).isInstanceOf(CorruptWalException.class);
        }
        try (VerifyingWalReader inside = readerAt(START.plus(SEGMENT / 2))) {
            assertThatThrownBy(() -> readAll(inside, huge.end(), CHUNK)).isInstanceOf(CorruptWalException.class);
        }
    }

    @Test
    void paddingBehindASwitchIsServedAndReadFrom() throws IOException {
        WalFixture switched = new WalFixture(START, 2);
        switched.fill(50_000);
        Lsn next = switched.switchSegment();
        Lsn end = switched.record(500);
        SegmentedWal wal = switched.fresh(disk);
        wal.write(START, switched.slice(START, switched.end()));
        wal.flush();
        for (Lsn from : new Lsn[] {START, next.plus(-100), next.plus(-9000), next.plus(-8192), next, next.plus(100)}) {
            try (VerifyingWalReader reader = readerAt(from)) {
                assertThat(readAll(reader, end, CHUNK)).as("from %s", from).isEqualTo(switched.slice(from, end));
            }
        }
    }
}
