package io.tidemark.safekeeper.wal;

import static io.tidemark.safekeeper.wal.WalFixture.DIRECTORY;
import static io.tidemark.safekeeper.wal.WalFixture.PG;
import static io.tidemark.safekeeper.wal.WalFixture.SEGMENT;
import static io.tidemark.safekeeper.wal.WalFixture.SYSTEM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WalReaderTest {
    private static final Lsn START = Lsn.parse("0/1234560");
    private final WalFixture source = new WalFixture(START, 1).fill(2 * SEGMENT);
    private final FakeDisk disk = new FakeDisk();

    @BeforeEach
    void write() throws IOException {
        SegmentedWal wal = source.fresh(disk);
        wal.write(START, source.slice(START, source.end()));
        wal.flush();
        wal.close();
    }

    @Test
    void neverReadsPastTheEndItIsTold() throws IOException {
        try (WalReader reader = reader()) {
            ByteBuf out = Unpooled.buffer();
            assertThat(reader.read(START, START, 100, out)).isZero();
            assertThat(reader.read(START.plus(8), START, 100, out)).isZero();
            assertThat(reader.read(START, START.plus(5), 100, out)).isEqualTo(5);
            assertThat(reader.read(START, source.end(), 100, out)).isEqualTo(100);
            assertThat(out.readableBytes()).isEqualTo(105);
        }
    }

    @Test
    void aReadEndsAtASegmentEnd() throws IOException {
        try (WalReader reader = reader()) {
            Lsn boundary = Lsn.parse("0/1300000");
            assertThat(reader.read(boundary.plus(-10), source.end(), 100, Unpooled.buffer()))
                    .isEqualTo(10);
        }
    }

    @Test
    void theBeginningOfTheFirstSegmentIsMadeUpAndBelowItThereIsNothing() throws IOException {
        ByteBuf inFile = Unpooled.buffer();
        assertThat(new SegmentReader(disk, DIRECTORY, SEGMENT).read(Lsn.parse("0/1200000"), 0x34560, inFile))
                .isEqualTo(0x34560);
        try (WalReader reader = reader()) {
            ByteBuf out = Unpooled.buffer();
            for (Lsn at = Lsn.parse("0/1200000"); at.isBefore(START); ) {
                at = at.plus(reader.read(at, source.end(), 777, out));
                assertThat(at.isAtMost(START)).isTrue();
            }
            assertThat(out).isEqualTo(inFile);
            assertThatThrownBy(() -> reader.read(Lsn.parse("0/11FFFFF"), source.end(), 1, out))
                    .isInstanceOf(MissingWalException.class)
                    .hasMessageContaining("the timeline starts at 0/1234560");
        }
    }

    @Test
    void walThatWasNeverHereIsAnErrorEvenInsideALocalSegment() throws IOException {
        Lsn local = source.boundaryAt(START.plus(50_000));
        WalLayout joinedLater = new WalLayout(SEGMENT, START, local, PG, SYSTEM);
        try (WalReader reader = new WalReader(disk, DIRECTORY, joinedLater)) {
            assertThatThrownBy(() -> reader.read(local.plus(-1), source.end(), 1, Unpooled.buffer()))
                    .isInstanceOf(MissingWalException.class)
                    .hasMessageContaining(local.toString());
            assertThat(reader.read(local, source.end(), 1, Unpooled.buffer())).isEqualTo(1);
        }
    }

    @Test
    void aRemovedOrShortSegmentIsAnErrorThatNamesIt() throws IOException {
        disk.delete(DIRECTORY.resolve("000000010000000000000013"));
        try (DurableFile file = disk.open(DIRECTORY.resolve("000000010000000000000012"), Disk.Mode.READ_WRITE)) {
            file.setSize(0x40000);
        }
        try (WalReader reader = reader()) {
            assertThatThrownBy(() -> reader.read(Lsn.parse("0/1300000"), source.end(), 1, Unpooled.buffer()))
                    .isInstanceOf(MissingWalException.class)
                    .hasMessageContaining("000000010000000000000013");
            assertThatThrownBy(() -> reader.read(Lsn.parse("0/123FFFF"), source.end(), 2, Unpooled.buffer()))
                    .isInstanceOf(CorruptWalException.class)
                    .hasMessageContaining("000000010000000000000012");
        }
    }

    @Test
    void aReaderFollowsASegmentThatIsRenamed() throws IOException {
        try (WalReader reader = reader()) {
            Lsn inLast = Lsn.parse("0/1400000");
            ByteBuf out = Unpooled.buffer();
            reader.read(inLast, source.end(), 10, out);
            disk.rename(
                    DIRECTORY.resolve("000000010000000000000014.partial"),
                    DIRECTORY.resolve("000000010000000000000014"));
            reader.read(inLast.plus(10), source.end(), 10, out);
            try (WalReader later = reader()) {
                later.read(inLast.plus(20), source.end(), 10, out);
            }
            assertThat(out).isEqualTo(source.slice(inLast, inLast.plus(30)));
        }
    }

    private WalReader reader() {
        return new WalReader(disk, DIRECTORY, source.layout());
    }
}
