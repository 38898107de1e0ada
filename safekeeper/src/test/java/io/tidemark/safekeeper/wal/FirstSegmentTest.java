package io.tidemark.safekeeper.wal;

import static io.tidemark.safekeeper.wal.WalFixture.DIRECTORY;
import static io.tidemark.safekeeper.wal.WalFixture.SEGMENT;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.durable.RealDisk;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.wal.WalPageHeader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FirstSegmentTest {
    private static final Path WALDUMP = Path.of("/usr/lib/postgresql/15/bin/pg_waldump");

    @TempDir
    Path directory;

    @Test
    void headersCountDownToTheStart() throws Exception {
        Lsn start = Lsn.parse("0/1234560");
        FirstSegment first = new FirstSegment(start, WalFixture.PG, WalFixture.SYSTEM, SEGMENT);
        ByteBuf bytes = Unpooled.buffer();
        first.copy(0, first.lengthBytes(), bytes);
        assertThat(bytes.readableBytes()).isEqualTo(0x34560);
        int covered = 0;
        for (int page = 0x34000; page >= 0; page -= 8192) {
            WalPageHeader header = WalPageHeader.decode(bytes.nioBuffer(), page);
            header.check(Lsn.parse("0/1200000").plus(page), WalPageHeader.magicOf(15), SEGMENT);
            covered += Math.min(8192, 0x34560 - page) - header.sizeBytes();
            assertThat(header.remainingLength()).isEqualTo(covered);
            assertThat(header.isContrecord()).isTrue();
        }
    }

    @Test
    void anUnknownVersionHasNoHeaders() {
        FirstSegment first = new FirstSegment(Lsn.parse("0/1234560"), PgVersion.UNKNOWN, SystemId.UNKNOWN, SEGMENT);
        ByteBuf bytes = Unpooled.buffer();
        first.copy(100, 50_000, bytes);
        assertThat(bytes).isEqualTo(Unpooled.buffer().writeZero(50_000));
    }

    /** At a page boundary, behind a short header, inside a page, in the first page, right behind the long header. */
    @ParameterizedTest
    @ValueSource(strings = {"0/1234000", "0/1234018", "0/1234560", "0/1200100", "0/1200028", "0/1200000"})
    void pgWaldumpFindsTheFirstRecordFromTheBeginningOfTheSegment(String start) throws Exception {
        assumeTrue(Files.isExecutable(WALDUMP), "no PostgreSQL 15 here to compare with");
        WalFixture source = new WalFixture(Lsn.parse(start), 1);
        for (int i = 0; i < 20; i++) {
            source.record(i * 100);
        }
        SegmentedWal wal = source.fresh(new RealDisk(directory));
        wal.write(source.start, source.slice(source.start, source.end()));
        wal.close();
        Path segment = directory.resolve(DIRECTORY).resolve("000000010000000000000012");
        Files.move(directory.resolve(DIRECTORY).resolve("000000010000000000000012.partial"), segment);
        Process dump = new ProcessBuilder(
                        WALDUMP.toString(),
                        "--bkp-details",
                        "-p",
                        directory.resolve(DIRECTORY).toString(),
                        "000000010000000000000012")
                .redirectErrorStream(true)
                .start();
        String out = new String(dump.getInputStream().readAllBytes(), UTF_8);
        dump.waitFor();
        Lsn firstRecord = source.start.pageOffset() > 0
                ? source.start
                : source.start.plus(WalPageHeader.sizeAt(source.start, SEGMENT));
        assertThat(out.lines().filter(line -> line.contains("lsn: "))).as(out).hasSize(20);
        assertThat(out.lines()
                        .filter(line -> line.contains("lsn: "))
                        .findFirst()
                        .orElseThrow())
                .contains("lsn: %X/%08X,".formatted(firstRecord.value() >>> 32, firstRecord.value() & 0xffff_ffffL));
    }
}
