package io.tidemark.pageserver.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.pgcontrol.CheckPoint;
import io.tidemark.pageserver.pgpage.SlruPages;
import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import io.tidemark.wire.wal.LittleEndian;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WalIngestTest {
    private static final int MAJOR = 17;
    private static final Lsn BASE = Lsn.of(0x100_0000);
    private static final RelTag HEAP = new RelTag(1663, 5, 16_384, Fork.MAIN);

    private final FakeTimelineHead head = new FakeTimelineHead(new RedoRules(MAJOR, WalFlavour.STOCK, false));
    private WalIngest ingest;
    private long lsn = BASE.value();

    @BeforeEach
    void giveBaseData() throws IOException {
        CheckPoint checkPoint = CheckPoint.copyOf(new byte[CheckPoint.SIZE_BYTES], 0);
        checkPoint.setNextXid(0x1_0000_0000L + 700);
        checkPoint.setNextMulti(1);
        checkPoint.setNextMultiOffset(1);
        head.put(Keys.CHECKPOINT, BASE, new Value.Image(checkPoint.toBytes()));
        ingest = new WalIngest(head, new RedoRules(MAJOR, WalFlavour.STOCK, false));
    }

    private TestRecord record(int rmgrId, int info) {
        lsn += 0x100;
        return new TestRecord(MAJOR, rmgrId, info).at(lsn);
    }

    private void ingest(TestRecord record) throws Exception {
        ingest.ingest(record.build());
    }

    private CheckPoint checkPoint() throws IOException {
        return CheckPoint.current(head.require(Keys.CHECKPOINT), head.read(Keys.NEXT_XID));
    }

    private int size(RelTag tag) throws IOException {
        byte[] size = head.read(Keys.relationSize(tag));
        return size == null ? -1 : LittleEndian.i32(size, 0);
    }

    private int offset(int multi) throws IOException {
        return SlruPages.offset(
                head.require(Keys.slruPage(SlruKind.MULTIXACT_OFFSETS, SlruPages.offsetsPageOf(multi))), multi);
    }

    private void create(RelTag tag) throws Exception {
        ingest(record(ResourceManagers.STORAGE, 0x10)
                .main(
                        tag.tablespace(),
                        tag.database(),
                        tag.relation(),
                        tag.fork().number()));
    }

    @Test
    void anUnknownOpcodeStopsByName() {
        WalRecord unknown = record(ResourceManagers.BTREE, 0xF0).build();
        assertThatThrownBy(() -> ingest.ingest(unknown)).isInstanceOfSatisfying(IngestException.class, e -> {
            assertThat(e.reason()).isEqualTo(IngestException.Reason.UNKNOWN_RECORD);
            assertThat(e.recordLsn()).isEqualTo(unknown.start());
            assertThat(e.rmgrId()).isEqualTo(ResourceManagers.BTREE);
            assertThat(e.info()).isEqualTo(0xF0);
            assertThat(e).hasMessageContaining(unknown.start().toString()).hasMessageContaining("Btree");
        });
    }

    @Test
    void aResourceManagerOfAnExtensionStops() {
        WalRecord custom = record(134, 0x00).build();
        assertThatThrownBy(() -> ingest.ingest(custom)).hasMessageContaining("custom134");
    }

    @Test
    void whatIsKnownDependsOnTheVersion() {
        RecordTable old = new RecordTable(14, WalFlavour.STOCK);
        RecordTable present = new RecordTable(17, WalFlavour.STOCK);
        assertThat(old.actionOf(ResourceManagers.XLOG, 0xE0)).isNull();
        assertThat(present.actionOf(ResourceManagers.XLOG, 0xE0)).isEqualTo(RecordTable.Action.NONE);
        assertThat(old.actionOf(ResourceManagers.DATABASE, 0x10)).isEqualTo(RecordTable.Action.DROP_DATABASE);
        assertThat(present.actionOf(ResourceManagers.DATABASE, 0x10)).isEqualTo(RecordTable.Action.CREATE_DATABASE);
        assertThat(old.actionOf(ResourceManagers.DATABASE, 0x20)).isNull();
        assertThat(new RecordTable(16, WalFlavour.NEON).actionOf(134, 0x30)).isEqualTo(RecordTable.Action.HEAP);
        assertThat(new RecordTable(15, WalFlavour.NEON).actionOf(134, 0x30)).isNull();
    }

    @Test
    void everyOpcodeThatHasANameHasAnActionAndTheOtherWayRound() {
        for (int major = 14; major <= 18; major++) {
            RecordTable table = new RecordTable(major, WalFlavour.STOCK);
            for (int rmgr = 0; rmgr <= ResourceManagers.LAST_BUILTIN; rmgr++) {
                for (int info = 0; info < 0x100; info += 0x10) {
                    boolean named = ResourceManagers.opcodeOf(rmgr, info, major) != null;
                    boolean never = rmgr == ResourceManagers.GENERIC && info != 0
                            || rmgr == ResourceManagers.TRANSACTION && (info == 0x90 || info == 0xD0 || info == 0xE0);
                    assertThat(table.actionOf(rmgr, info) != null)
                            .as("%d %02X in %d", rmgr, info, major)
                            .isEqualTo(named && !never);
                }
            }
        }
    }

    @Test
    void aRestorePointIsWhereItsRecordEndsAndTheLaterOfOneNameCounts() throws Exception {
        ingest(record(ResourceManagers.XLOG, 0x70).mainBytes(restorePoint(1_000_000, "before")));
        ingest(record(ResourceManagers.XLOG, 0x70).mainBytes(restorePoint(2_000_000, "after")));
        ingest(record(ResourceManagers.XLOG, 0x70).mainBytes(restorePoint(3_000_000, "before")));
        List<String> points = new ArrayList<>();
        head.scan(KeyKind.RESTORE_POINT.range(), (key, value) -> {
            RestorePoint point = RestorePoint.read(value);
            assertThat(Keys.restorePoint(point.nameBytes())).isEqualTo(key);
            points.add(point.name() + " " + point.lsn() + " " + point.time());
        });
        assertThat(points)
                .containsExactlyInAnyOrder(
                        "before " + BASE.plus(0x300) + " 2000-01-01T00:00:03Z",
                        "after " + BASE.plus(0x200) + " 2000-01-01T00:00:02Z");
        WalRecord cut = record(ResourceManagers.XLOG, 0x70)
                .mainBytes(Arrays.copyOf(restorePoint(1, "cut"), 40))
                .build();
        assertThatThrownBy(() -> ingest.ingest(cut)).isInstanceOf(IngestException.class);
    }

    /** {@code xl_restore_point}. */
    private static byte[] restorePoint(long microseconds, String name) {
        byte[] main = new byte[72];
        LittleEndian.putI64(main, 0, microseconds);
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        System.arraycopy(bytes, 0, main, 8, bytes.length);
        return main;
    }

    @Test
    void aHintAboutANewBlockMakesItZeros() throws Exception {
        create(HEAP.withFork(Fork.FSM));
        ingest(record(ResourceManagers.XLOG, 0xA0).block(0, 1, HEAP.relation(), 2));
        assertThat(size(HEAP.withFork(Fork.FSM))).isEqualTo(3);
        for (int block = 0; block < 3; block++) {
            assertThat(head.require(Keys.relationBlock(HEAP.withFork(Fork.FSM), block)))
                    .isEqualTo(new byte[8192]);
        }
    }

    @Test
    void relationsInUserTablespacesAreRefused() {
        WalRecord elsewhere = record(ResourceManagers.HEAP, 0x50)
                .inTablespace(16_500)
                .block(0, 0, 16_384, 0)
                .build();
        assertThatThrownBy(() -> ingest.ingest(elsewhere))
                .isInstanceOfSatisfying(
                        IngestException.class,
                        e -> assertThat(e.reason()).isEqualTo(IngestException.Reason.UNSUPPORTED))
                .hasMessageContaining("tablespace 16500");
    }

    @Test
    void walThatDoesNotHaveEverythingIsRefused() {
        WalRecord minimal = record(ResourceManagers.XLOG, 0x60)
                .main(100, 8, 10, 0, 64, 0, 0)
                .build();
        assertThatThrownBy(() -> ingest.ingest(minimal))
                .isInstanceOfSatisfying(
                        IngestException.class,
                        e -> assertThat(e.reason()).isEqualTo(IngestException.Reason.UNSUPPORTED))
                .hasMessageContaining("minimal");
    }

    @Test
    void aRefusedRecordChangesNothing() throws Exception {
        create(HEAP);
        long before = head.count();
        WalRecord broken = record(ResourceManagers.MULTIXACT, 0x20)
                .xid(900)
                .main(7, 1, 1000)
                .build();
        assertThatThrownBy(() -> ingest.ingest(broken)).isInstanceOf(IngestException.class);
        assertThat(head.count()).isEqualTo(before);
    }

    @Test
    void creatingWhatExistsKeepsIt() throws Exception {
        create(HEAP);
        ingest(record(ResourceManagers.HEAP, 0x50).block(0, 0, HEAP.relation(), 4));
        create(HEAP);
        assertThat(size(HEAP)).isEqualTo(5);
    }

    @Test
    void blocksThatAreSkippedAreZeros() throws Exception {
        ingest(record(ResourceManagers.HEAP, 0x50).block(0, 0, HEAP.relation(), 3));
        assertThat(size(HEAP)).isEqualTo(4);
        assertThat(head.read(Keys.database(1663, 5))).isNotNull();
        assertThat(head.require(Keys.relationBlock(HEAP, 2))).containsOnly(0);
    }

    @Test
    void aHoleThatNobodyLeavesIsRefused() {
        WalRecord far = record(ResourceManagers.HEAP, 0x50)
                .block(0, 0, HEAP.relation(), BlockIngest.MAX_GAP_BLOCKS + 1)
                .build();
        assertThatThrownBy(() -> ingest.ingest(far)).isInstanceOf(IngestException.class);
        WalRecord invalid = record(ResourceManagers.HEAP, 0x50)
                .block(0, 0, HEAP.relation(), -1)
                .build();
        assertThatThrownBy(() -> new WalIngest(head, new RedoRules(MAJOR, WalFlavour.STOCK, false)).ingest(invalid))
                .isInstanceOf(IngestException.class);
    }

    @Test
    void aBlockThatComesBackAfterATruncationStartsAnew() throws Exception {
        byte[] page = new byte[8192];
        page[15] = 0x20;
        page[5000] = 7;
        ingest(record(ResourceManagers.XLOG, 0xB0).image(0, HEAP.relation(), 0, page, true));
        ingest(record(ResourceManagers.STORAGE, 0x20).main(0, 1663, 5, HEAP.relation(), 1));
        assertThat(size(HEAP)).isEqualTo(0);
        ingest(record(ResourceManagers.HEAP, 0x50).block(0, 0, HEAP.relation(), 1));
        assertThat(head.require(Keys.relationBlock(HEAP, 0))).containsOnly(0);
    }

    @Test
    void imagesBecomePagesWithTheRecordsLsn() throws Exception {
        byte[] page = new byte[8192];
        page[15] = 0x20;
        page[5000] = 7;
        ingest(record(ResourceManagers.XLOG, 0xB0).image(0, HEAP.relation(), 0, page, true));
        byte[] stored = head.require(Keys.relationBlock(HEAP, 0));
        assertThat(stored[5000]).isEqualTo((byte) 7);
        assertThat(LittleEndian.i32(stored, 4)).isEqualTo((int) lsn);
        assertThat(head.chainLength()).isEqualTo(1);
    }

    @Test
    void droppingRemovesAllForks() throws Exception {
        create(HEAP);
        create(HEAP.withFork(Fork.VM));
        ingest(record(ResourceManagers.TRANSACTION, 0xA0).xid(701).main(0, 0, 0x4, 1, 1663, 5, HEAP.relation()));
        assertThat(size(HEAP)).isEqualTo(-1);
        assertThat(size(HEAP.withFork(Fork.VM))).isEqualTo(-1);
        create(HEAP);
        assertThat(size(HEAP)).isEqualTo(0);
    }

    @Test
    void statusOfAllSubtransactionsIsSetPageByPage() throws Exception {
        int first = 32_760;
        int[] main = new int[4 + 20];
        main[2] = 0x2;
        main[3] = 20;
        for (int i = 0; i < 20; i++) {
            main[4 + i] = first + 1 + i;
        }
        ingest(record(ResourceManagers.TRANSACTION, 0x80).xid(first).main(main));
        byte[] page0 = head.require(Keys.slruPage(SlruKind.CLOG, 0));
        byte[] page1 = head.require(Keys.slruPage(SlruKind.CLOG, 1));
        assertThat(SlruPages.status(page0, first)).isEqualTo(SlruPages.COMMITTED);
        assertThat(SlruPages.status(page0, 32_767)).isEqualTo(SlruPages.COMMITTED);
        assertThat(SlruPages.status(page1, 32_768)).isEqualTo(SlruPages.COMMITTED);
        assertThat(SlruPages.status(page1, first + 20)).isEqualTo(SlruPages.COMMITTED);
        assertThat(SlruPages.status(page1, first + 21)).isEqualTo(0);
        assertThat(checkPoint().nextXid()).isEqualTo(0x1_0000_0000L + first + 21);
    }

    @Test
    void nextXidGoesOnBehindAWraparoundAndIgnoresNoXid() throws Exception {
        ingest(record(ResourceManagers.XLOG, 0x20).xid(0));
        assertThat(checkPoint().nextXid()).isEqualTo(0x1_0000_0000L + 700);
        ingest(record(ResourceManagers.XLOG, 0x20).xid(0x7FFF_FFF0));
        ingest(record(ResourceManagers.XLOG, 0x20).xid(0xFFFF_FFF0));
        ingest(record(ResourceManagers.XLOG, 0x20).xid(-1));
        assertThat(checkPoint().nextXid()).isEqualTo(0x2_0000_0003L);
        ingest(record(ResourceManagers.XLOG, 0x20).xid(0xFFFF_FF00));
        assertThat(checkPoint().nextXid()).isEqualTo(0x2_0000_0003L);
    }

    @Test
    void theCommitTimeNeverGoesBack() throws Exception {
        ingest(record(ResourceManagers.TRANSACTION, 0x00).xid(700).main(1000, 0));
        ingest(record(ResourceManagers.TRANSACTION, 0x00).xid(701).main(900, 0));
        assertThat(LittleEndian.i64(head.require(Keys.COMMIT_TIME), 0)).isEqualTo(1000);
        assertThat(LittleEndian.i64(head.require(Keys.COMMIT_TIME, Lsn.of(lsn - 0x100)), 0))
                .isEqualTo(1000);
    }

    @Test
    void aMultixactWritesWhereTheNextOneStarts() throws Exception {
        zeroOffsets(0);
        createMulti(1, 1, 3);
        assertThat(offset(1)).isEqualTo(1);
        assertThat(offset(2)).isEqualTo(4);
        assertThat(checkPoint().nextMulti()).isEqualTo(2);
        assertThat(checkPoint().nextMultiOffset()).isEqualTo(4);
    }

    // WAL of minor versions before 2026: the page of the next entry is made after the multixact that fills the one
    // before.
    @Test
    void aPageThatIsMadeLateDoesNotLoseItsFirstEntry() throws Exception {
        zeroOffsets(0);
        createMulti(2047, 500, 2);
        assertThat(offset(2048)).isEqualTo(502);
        zeroOffsets(1);
        assertThat(offset(2048)).isEqualTo(502);
        createMulti(2048, 502, 2);
        assertThat(offset(2048)).isEqualTo(502);
        assertThat(offset(2049)).isEqualTo(504);
    }

    // Newer ones make it before.
    @Test
    void aPageThatIsMadeEarlyIsZeros() throws Exception {
        zeroOffsets(0);
        createMulti(2046, 498, 2);
        zeroOffsets(1);
        assertThat(offset(2048)).isEqualTo(0);
        createMulti(2047, 500, 2);
        assertThat(offset(2048)).isEqualTo(502);
    }

    @Test
    void membersAreWrittenAcrossPagesAndAroundTheEnd() throws Exception {
        zeroOffsets(0);
        createMulti(1, 1635, 3);
        byte[] page0 = head.require(Keys.slruPage(SlruKind.MULTIXACT_MEMBERS, 0));
        byte[] page1 = head.require(Keys.slruPage(SlruKind.MULTIXACT_MEMBERS, 1));
        assertThat(LittleEndian.i32(page0, 408 * 20 + 4 + 3 * 4)).isEqualTo(800);
        assertThat(LittleEndian.i32(page1, 4)).isEqualTo(801);
        createMulti(2, -2, 4);
        byte[] last = head.require(Keys.slruPage(SlruKind.MULTIXACT_MEMBERS, 2_625_285));
        byte[] first = head.require(Keys.slruPage(SlruKind.MULTIXACT_MEMBERS, 0));
        assertThat(LittleEndian.i32(last, 5176)).isEqualTo(801);
        assertThat(LittleEndian.i32(first, 4)).isEqualTo(802);
    }

    private void zeroOffsets(int page) throws Exception {
        ingest(record(ResourceManagers.MULTIXACT, 0x00).main(page, 0));
    }

    private void createMulti(int multi, int offset, int members) throws Exception {
        int[] main = new int[3 + 2 * members];
        main[0] = multi;
        main[1] = offset;
        main[2] = members;
        for (int i = 0; i < members; i++) {
            main[3 + 2 * i] = 800 + i;
            main[4 + 2 * i] = 1;
        }
        ingest(record(ResourceManagers.MULTIXACT, 0x20).xid(750).main(main));
    }

    @Test
    void truncationDropsSegmentsThatLieBefore() throws Exception {
        for (int segment = 0; segment < 4; segment++) {
            for (int page = 0; page < 32; page++) {
                ingest(record(ResourceManagers.CLOG, 0x00).main(segment * 32 + page, 0));
            }
        }
        ingest(record(ResourceManagers.XLOG, 0x20).xid(4 * 1_048_576 - 10));
        ingest(record(ResourceManagers.CLOG, 0x10).main(70, 0, 70 * 32_768, 5));
        List<Integer> left = new ArrayList<>();
        head.scan(Keys.slruSegmentSizes(SlruKind.CLOG), (key, size) -> left.add(key.f4()));
        assertThat(left).containsExactly(2, 3);
        assertThat(checkPoint().oldestXid()).isEqualTo(70 * 32_768);
        assertThat(checkPoint().oldestXidDatabase()).isEqualTo(5);
    }

    @Test
    void aDatabaseIsCopiedAndDropped() throws Exception {
        byte[] page = new byte[8192];
        page[15] = 0x20;
        page[6000] = 9;
        ingest(record(ResourceManagers.XLOG, 0xB0).image(0, HEAP.relation(), 1, page, true));
        byte[] before = head.require(Keys.relationBlock(HEAP, 1));
        ingest(record(ResourceManagers.RELMAP, 0x00).main(5, 1663, 8, 11, 12));
        ingest(record(ResourceManagers.DATABASE, 0x00).main(77, 1663, 5, 1663));
        RelTag copy = new RelTag(1663, 77, HEAP.relation(), Fork.MAIN);
        assertThat(size(copy)).isEqualTo(2);
        assertThat(head.require(Keys.relationBlock(copy, 1))).isEqualTo(before);
        assertThat(head.require(Keys.relationMap(1663, 77))).containsExactly(11, 0, 0, 0, 12, 0, 0, 0);
        ingest(record(ResourceManagers.DATABASE, 0x20).main(77, 1, 1663));
        assertThat(size(copy)).isEqualTo(-1);
        assertThat(head.read(Keys.database(1663, 77))).isNull();
        assertThat(head.read(Keys.relationMap(1663, 77))).isNull();
        assertThat(size(HEAP)).isEqualTo(2);
        assertThat(size(HEAP)).isEqualTo(2);
    }

    @Test
    void originsAdvance() throws Exception {
        ingest(record(ResourceManagers.REPLICATION_ORIGIN, 0x00).main(0x55, 0, 3, 0));
        assertThat(LittleEndian.i64(head.require(Keys.replicationOrigin(3)), 0)).isEqualTo(0x55);
        ingest(record(ResourceManagers.REPLICATION_ORIGIN, 0x10).main(3));
        assertThat(head.read(Keys.replicationOrigin(3))).isNull();
    }

    @Test
    void recordsAreStoredWithoutWhatOtherBlocksNeed() throws Exception {
        ingest(record(ResourceManagers.BTREE, 0x00)
                .block(0, 0, HEAP.relation(), 0, new byte[500])
                .image(1, HEAP.relation(), 1, new byte[8192], false)
                .main(1));
        // Two records of two references each, one with 500 bytes of data; without the image of the second block.
        assertThat(head.bytes()).isLessThan(1_500);
    }

    @Test
    void recordsGoForward() throws Exception {
        ingest(record(ResourceManagers.XLOG, 0x20));
        long last = lsn;
        WalRecord earlier = record(ResourceManagers.XLOG, 0x20).at(last).build();
        assertThatThrownBy(() -> ingest.ingest(earlier)).isInstanceOf(IngestException.class);
    }

    @Test
    void anyMainDataIsIngestedOrRefused() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        RecordTable table = new RecordTable(MAJOR, WalFlavour.STOCK);
        for (int i = 0; i < 20_000; i++) {
            int rmgr = random.nextInt(ResourceManagers.LAST_BUILTIN + 1);
            int info = random.nextInt(16) << 4;
            if (table.actionOf(rmgr, info) == null) {
                continue;
            }
            byte[] main = new byte[random.nextInt(60)];
            random.nextBytes(main);
            if (random.nextBoolean()) {
                for (int at = 0; at < main.length; at++) {
                    main[at] = (byte) random.nextInt(3);
                }
            }
            WalRecord record =
                    record(rmgr, info).xid(random.nextInt()).mainBytes(main).build();
            Throwable thrown = catchThrowable(
                    () -> new WalIngest(head, new RedoRules(MAJOR, WalFlavour.STOCK, false)).ingest(record));
            if (thrown != null) {
                assertThat(thrown)
                        .as("seed %d, %d %02X", seed, rmgr, info)
                        .isInstanceOfAny(IngestException.class, IOException.class);
            }
        }
    }

    @Test
    void theHeadIsReadableAtEveryRecord() throws Exception {
        create(HEAP);
        Lsn created = Lsn.of(lsn);
        ingest(record(ResourceManagers.HEAP, 0x50).block(0, 0, HEAP.relation(), 9));
        Key key = Keys.relationSize(HEAP);
        assertThat(KeyKind.of(key)).isEqualTo(KeyKind.RELATION_SIZE);
        assertThat(head.require(key, created)).containsExactly(0, 0, 0, 0);
        assertThat(head.require(key, Lsn.of(lsn))).containsExactly(10, 0, 0, 0);
        assertThat(head.read(key, BASE)).isNull();
    }
}
