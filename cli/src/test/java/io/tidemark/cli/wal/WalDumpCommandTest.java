package io.tidemark.cli.wal;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.wal.WalSegmentName;
import io.tidemark.wire.wal.WalStreamWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class WalDumpCommandTest {
    private static final int SEGMENT = 1 << 20;
    private static final Lsn START = Lsn.of(3L * SEGMENT);

    @TempDir
    Path dir;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Lsn end = Lsn.INVALID;

    /** Two and a half segments; the last one partial. Record n has xid n and 1000 + n bytes of data. */
    @BeforeEach
    void writeSegments() throws IOException {
        WalStreamWriter writer = new WalStreamWriter(17, SystemId.of(9), SEGMENT, START, Lsn.INVALID);
        for (int i = 0; i < 2500; i++) {
            writer.append(10, 0x00, i, new byte[1000 + i % 7]);
        }
        end = writer.append(1, 0x80, 2500, new byte[8]);
        ByteBuf wal = writer.drain();
        for (int i = 0; i < 3; i++) {
            byte[] segment = new byte[SEGMENT];
            wal.readBytes(segment, 0, Math.min(SEGMENT, wal.readableBytes()));
            WalSegmentName name = WalSegmentName.holding(START.plus((long) i * SEGMENT), SEGMENT);
            Files.write(dir.resolve(i < 2 ? name.fileName() : name.asPartial().fileName()), segment);
        }
        wal.release();
        Files.writeString(dir.resolve("00000002.history"), "not WAL");
    }

    private int dump(String... args) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        String[] all = new String[args.length + 1];
        all[0] = "dump";
        System.arraycopy(args, 0, all, 1, args.length);
        return new CommandLine(new WalCommand())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err, true))
                .execute(all);
    }

    private List<String> lines() {
        return out.toString().lines().toList();
    }

    @Test
    void aDirectoryIsPrintedFromStartToEnd() {
        assertThat(dump(dir.toString())).isZero();
        assertThat(lines()).hasSize(2501);
        assertThat(lines().get(0))
                .isEqualTo("rmgr: Heap        len (rec/tot):   1029/  1029, tx:          0, lsn: 0/00300028,"
                        + " prev 0/00000000, desc: INSERT");
        assertThat(lines().get(2500)).contains("rmgr: Transaction", "tx:       2500", "desc: COMMIT");
        assertThat(err.toString()).contains("end of WAL at " + end);
    }

    @Test
    void aRangeIsHalfOpen() {
        dump(dir.toString(), "--json");
        JsonNode tenth = json(lines().get(9));
        String start = tenth.get("start_lsn").asString();
        String last = tenth.get("end_lsn").asString();
        assertThat(dump(dir.toString(), "--start", start, "--end", last)).isZero();
        assertThat(lines()).singleElement().asString().contains("tx:          9,");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void aSingleSegmentStartsAtItsFirstRecord() {
        Path second =
                dir.resolve(WalSegmentName.holding(START.plus(SEGMENT), SEGMENT).fileName());
        assertThat(dump(second.toString())).isZero();
        assertThat(lines()).hasSizeBetween(900, 1100);
        assertThat(lines().get(0)).contains("lsn: 0/0040");
        assertThat(dump(dir.resolve(WalSegmentName.holding(START.plus(2 * SEGMENT), SEGMENT)
                                .asPartial()
                                .fileName())
                        .toString()))
                .isZero();
        assertThat(lines().get(lines().size() - 1)).contains("desc: COMMIT");
    }

    @Test
    void jsonHasEveryField() {
        assertThat(dump(dir.toString(), "--json")).isZero();
        JsonNode record = json(lines().get(2500));
        assertThat(record.get("resource_manager").asString()).isEqualTo("Transaction");
        assertThat(record.get("record_type").asString()).isEqualTo("COMMIT");
        assertThat(record.get("xid").asInt()).isEqualTo(2500);
        assertThat(record.get("end_lsn").asString()).isEqualTo(end.toString());
        assertThat(record.get("record_length").asInt()).isEqualTo(34);
        assertThat(record.get("blocks").isEmpty()).isTrue();
    }

    private static JsonNode json(String line) {
        return JsonMapper.shared().readTree(line);
    }

    @Test
    void statisticsCountEveryRecord() {
        assertThat(dump(dir.toString(), "--stats")).isZero();
        assertThat(lines().get(0)).isEqualTo("WAL statistics between 0/300028 and " + end + ":");
        assertThat(lines()).anyMatch(line -> line.matches("Heap +2500 \\( 99.96\\).*"));
        assertThat(lines()).anyMatch(line -> line.matches("Total +2501 .*\\[100%]"));
        assertThat(dump(dir.toString(), "--stats=record", "--json")).isZero();
        JsonNode rows = json(out.toString()).get("rows");
        assertThat(rows.get(0).get("type").asString()).isEqualTo("Transaction/COMMIT");
        assertThat(rows.get(1).get("count").asInt()).isEqualTo(2500);
    }

    @Test
    void damageIsOneErrorWithItsPosition() throws IOException {
        flip(1, 500_000);
        assertThat(dump(dir.toString(), "--quiet")).isEqualTo(1);
        assertThat(err.toString().lines()).singleElement().asString().matches(".*invalid WAL at 0/47.*CRC.*");
    }

    @Test
    void zerosBeforeMoreWalAreAHole() throws IOException {
        Path first = dir.resolve(WalSegmentName.holding(START, SEGMENT).fileName());
        byte[] bytes = Files.readAllBytes(first);
        Arrays.fill(bytes, 8192 * 5, bytes.length, (byte) 0);
        Files.write(first, bytes);
        assertThat(dump(dir.toString(), "--quiet")).isEqualTo(1);
        assertThat(err.toString()).contains("0/30A000", "zeros");
    }

    @Test
    void whatCannotBeReadIsAnError() throws IOException {
        assertThat(dump(dir.resolve("absent").toString())).isEqualTo(1);
        assertThat(err.toString()).contains("no such file");
        assertThat(dump(dir.toString(), "--end", "0/A000000")).isEqualTo(1);
        assertThat(err.toString()).contains("WAL ends at " + end);
        assertThat(dump(dir.toString(), "--start", "0/A000000")).isEqualTo(1);
        assertThat(dump(dir.toString(), "--pg", "16")).isEqualTo(1);
        assertThat(err.toString()).contains("D116", "D113");
        Path empty = Files.createDirectory(dir.resolve("empty"));
        assertThat(dump(empty.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("no WAL segment");
    }

    @Test
    void aWrongCommandLineIsRefused() {
        assertThat(dump()).isEqualTo(2);
        assertThat(dump(dir.toString(), "--start", "nonsense")).isEqualTo(2);
        assertThat(dump(dir.toString(), "--start", "0/2", "--end", "0/1")).isEqualTo(2);
        assertThat(dump(dir.toString(), "--pg", "13")).isEqualTo(2);
        assertThat(dump(dir.toString(), "--stats=nonsense")).isEqualTo(2);
        String id = "0123456789abcdef0123456789abcdef";
        assertThat(dump(dir.toString(), "--safekeeper", "127.0.0.1:1")).isEqualTo(2);
        assertThat(dump("--safekeeper", "127.0.0.1:1", "--tenant-id", id)).isEqualTo(2);
        assertThat(dump("--safekeeper", "a:1,b:1", "--tenant-id", id, "--timeline-id", id))
                .isEqualTo(2);
        assertThat(dump("--safekeeper", "127.0.0.1:x", "--tenant-id", id, "--timeline-id", id))
                .isEqualTo(2);
        assertThat(dump("--safekeeper", "127.0.0.1:1", "--tenant-id", "x", "--timeline-id", id))
                .isEqualTo(2);
    }

    private void flip(int segment, int offset) throws IOException {
        Path file = dir.resolve(WalSegmentName.holding(START.plus((long) segment * SEGMENT), SEGMENT)
                .fileName());
        byte[] bytes = Files.readAllBytes(file);
        bytes[offset] ^= 1;
        Files.write(file, bytes);
    }
}
