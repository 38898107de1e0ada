package io.tidemark.pageserver.basedata;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.pageserver.basedata.ImportException.Reason;
import io.tidemark.pageserver.ingest.FakeTimelineHead;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.pgcontrol.CheckPoint;
import io.tidemark.pageserver.pgcontrol.ControlFiles;
import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import io.tidemark.wire.wal.LittleEndian;
import io.tidemark.wire.wal.WalFlavour;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryImportTest {
    private static final int MAJOR = 16;
    private static final RedoRules RULES = new RedoRules(MAJOR, WalFlavour.STOCK, false);
    private static final Lsn CHECKPOINT = Lsn.parse("0/1000028");

    @TempDir
    private Path dir;

    private final FakeTimelineHead head = new FakeTimelineHead(RULES);

    @BeforeEach
    void makeDirectory() throws IOException {
        for (String name :
                new String[] {"base/5", "global", "pg_xact", "pg_multixact/members", "pg_twophase", "pg_tblspc"}) {
            Files.createDirectories(dir.resolve(name));
        }
        write("PG_VERSION", "16\n".getBytes(US_ASCII));
        write("global/pg_control", ControlFiles.make(MAJOR, 1, CHECKPOINT, 0));
        write("base/5/PG_VERSION", new byte[0]);
        write("base/5/pg_filenode.map", new byte[] {1, 2, 3});
        write("base/5/16384", pages(3));
        write("pg_xact/0000", pages(2));
    }

    private void write(String name, byte[] bytes) throws IOException {
        Files.write(dir.resolve(name), bytes);
    }

    private static byte[] pages(int count) {
        byte[] bytes = new byte[count * 8192];
        for (int page = 0; page < count; page++) {
            Arrays.fill(bytes, page * 8192, (page + 1) * 8192, (byte) (page + 1));
        }
        return bytes;
    }

    private int size(RelTag tag) throws IOException {
        byte[] size = head.read(Keys.relationSize(tag));
        return size == null ? -1 : LittleEndian.i32(size, 0);
    }

    private void assertRefused(Reason reason, String sentence) {
        FakeTimelineHead fresh = new FakeTimelineHead(RULES);
        assertThatThrownBy(() -> DataDirectoryImport.run(dir, fresh))
                .isInstanceOfSatisfying(
                        ImportException.class, e -> assertThat(e.reason()).isEqualTo(reason))
                .hasMessageContaining(sentence);
    }

    @Test
    void everythingIsPutWhereTheCheckpointEnds() throws Exception {
        BaseData base = DataDirectoryImport.run(dir, head);
        assertThat(base.startLsn()).isEqualTo(Lsn.parse("0/10000A0"));
        assertThat(base.readableLsn()).isEqualTo(base.startLsn());
        assertThat(base.previousRecordLsn()).isEqualTo(CHECKPOINT);
        RelTag heap = new RelTag(1663, 5, 16_384, Fork.MAIN);
        assertThat(size(heap)).isEqualTo(3);
        assertThat(head.require(Keys.relationBlock(heap, 2))).containsOnly(3);
        assertThat(head.require(Keys.slruBlock(SlruKind.CLOG, 0, 1))).containsOnly(2);
        assertThat(head.require(Keys.relationMap(1663, 5))).containsExactly(1, 2, 3);
        assertThat(head.require(Keys.database(1663, 5))).isEmpty();
        assertThat(head.require(Keys.database(1664, 0))).isEmpty();
        assertThat(CheckPoint.current(head.require(Keys.CHECKPOINT), head.read(Keys.NEXT_XID))
                        .nextXid())
                .isEqualTo(ControlFiles.NEXT_XID);
    }

    @Test
    void onlyTheInitForkOfAnUnloggedRelationExists() throws Exception {
        write("base/5/20000", pages(2));
        write("base/5/20000_vm", pages(1));
        write("base/5/20000_init", pages(1));
        DataDirectoryImport.run(dir, head);
        RelTag unlogged = new RelTag(1663, 5, 20_000, Fork.MAIN);
        assertThat(size(unlogged)).isEqualTo(-1);
        assertThat(size(unlogged.withFork(Fork.VM))).isEqualTo(-1);
        assertThat(size(unlogged.withFork(Fork.INIT))).isEqualTo(1);
    }

    @Test
    void whatATruncationLeftBehindIsNotPartOfTheRelation() throws Exception {
        write("base/5/16384.1", pages(1));
        DataDirectoryImport.run(dir, head);
        assertThat(size(new RelTag(1663, 5, 16_384, Fork.MAIN))).isEqualTo(3);
    }

    @Test
    void preparedTransactionsAreKeptWithTheirEpochAndWithoutTheirCrc() throws Exception {
        byte[] state = {1, 2, 3, 4, 0, 0, 0, 0};
        CRC32C crc = new CRC32C();
        crc.update(state, 0, 4);
        LittleEndian.putI32(state, 4, (int) crc.getValue());
        write("pg_twophase/000000FF", state);
        DataDirectoryImport.run(dir, head);
        assertThat(head.read(Keys.twoPhaseFile(ControlFiles.NEXT_XID >>> 32 << 32 | 0xFF)))
                .containsExactly(1, 2, 3, 4);
        state[0] = 9;
        write("pg_twophase/000000FF", state);
        assertRefused(Reason.DAMAGED, "CRC");
    }

    @Test
    void otherDirectoriesAreRefused() throws Exception {
        write("PG_VERSION", "13\n".getBytes(US_ASCII));
        assertRefused(Reason.WRONG_VERSION, "belongs to PostgreSQL 13");
        Files.delete(dir.resolve("PG_VERSION"));
        assertRefused(Reason.NOT_A_DATA_DIRECTORY, "is not a PostgreSQL data directory");
    }

    @Test
    void aServerThatRunsOrCrashedIsRefused() throws Exception {
        write("global/pg_control", ControlFiles.make(MAJOR, 6, CHECKPOINT, 0));
        assertRefused(Reason.NOT_SHUT_DOWN, "was not shut down cleanly (its state is IN_PRODUCTION)");
        write("postmaster.pid", new byte[0]);
        assertRefused(Reason.NOT_SHUT_DOWN, "a server runs on");
    }

    @Test
    void aCopyOfARunningServerIsRefused() throws Exception {
        write("backup_label", new byte[0]);
        assertRefused(Reason.NOT_SHUT_DOWN, "is a copy of a running server");
    }

    @Test
    void userTablespacesAreRefused() throws Exception {
        Files.createDirectory(dir.resolve("pg_tblspc/16500"));
        assertRefused(Reason.USER_TABLESPACE, "16500");
    }

    @Test
    void aDamagedControlFileIsRefused() throws Exception {
        byte[] control = ControlFiles.make(MAJOR, 1, CHECKPOINT, 0);
        control[100]++;
        write("global/pg_control", control);
        assertRefused(Reason.DAMAGED, "CRC");
        write("global/pg_control", ControlFiles.make(17, 1, CHECKPOINT, 0));
        assertRefused(Reason.DAMAGED, "version");
    }

    @Test
    void theEndOfARecordIsBehindPageHeaders() {
        int segment = 16 << 20;
        assertThat(DataDirectoryImport.endOfRecord(Lsn.parse("0/1000028"), 114, segment))
                .isEqualTo(Lsn.parse("0/10000A0"));
        assertThat(DataDirectoryImport.endOfRecord(Lsn.parse("0/1001FC0"), 114, segment))
                .isEqualTo(Lsn.parse("0/1002050"));
        assertThat(DataDirectoryImport.endOfRecord(Lsn.parse("0/1001F88"), 120, segment))
                .isEqualTo(Lsn.parse("0/1002000"));
        assertThat(DataDirectoryImport.endOfRecord(Lsn.parse("0/1FFFFC0"), 114, segment))
                .isEqualTo(Lsn.parse("0/2000060"));
    }
}
