package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.RecordBuilder.XID;
import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.pgpage.HeapTuple;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Heap records but UPDATE, in every dialect. */
class HeapRedoTest {
    /** HEAP_XMIN_COMMITTED, HEAP_XMAX_INVALID, and HEAP_COMBOCID. */
    private static final int INFOMASK = 0x0100 | 0x0800 | 0x0020;

    private static ByteBuf body(ByteBuf header, String body) {
        return header.writeBytes(body.getBytes(ISO_8859_1));
    }

    @ParameterizedTest
    @EnumSource
    void aNewTupleIsMadeOfItsPartsAndTheRecords(HeapDialect dialect) throws RedoException {
        HeapPage heap = new HeapPage(dialect.rules()).add(1, 0, "first");
        heap.page.setFlags(Page.PD_ALL_VISIBLE);
        ByteBuf data = body(dialect.tuple(3, INFOMASK, 8, 24), "~columns");
        assertThat(heap.apply(dialect.insert(0, 2, 0x01).block(0, 0x10005, data), 0))
                .isEqualTo(PageRedo.Outcome.CHANGED);
        assertThat(heap.xmin(2)).isEqualTo(XID);
        assertThat(heap.xmax(2)).isZero();
        assertThat(heap.ctid(2)).isEqualTo("(65541,2)");
        assertThat(heap.infomask2(2)).isEqualTo(3);
        assertThat(heap.cid(2)).isEqualTo(dialect.hasCommandIds() ? 8 : 0);
        assertThat(heap.infomask(2)).isEqualTo(dialect.hasCommandIds() ? INFOMASK : INFOMASK & ~0x0020);
        assertThat(heap.page.u8(heap.page.itemOffset(2) + HeapTuple.T_HOFF)).isEqualTo(24);
        assertThat(heap.body(2)).isEqualTo("~columns");
        assertThat(heap.page.flags()).isZero();
        assertThat(heap.body(1)).endsWith("first");
    }

    @ParameterizedTest
    @EnumSource
    void aNewPageStartsFromNothing(HeapDialect dialect) throws RedoException {
        HeapPage heap = new HeapPage(dialect.rules()).add(1, 0, "first");
        heap.page.setLsn(RecordBuilder.END.value() + 1); // arbitrary bytes, not a page that is ahead
        ByteBuf data = body(dialect.tuple(3, 0, 8, 24), "~new");
        heap.apply(dialect.insert(HeapDialect.INIT, 1, 0x20).initBlock(0, 5, data), 0);
        assertThat(heap.page.maxOffset()).isEqualTo(1);
        assertThat(heap.body(1)).isEqualTo("~new");
        assertThat(heap.page.flags()).isEqualTo(Page.PD_ALL_VISIBLE);
    }

    @ParameterizedTest
    @EnumSource
    void manyTuplesAreAlignedToTwoBytesFromTheDatasStart(HeapDialect dialect) throws RedoException {
        HeapPage heap = new HeapPage(dialect.rules()).add(1, 0, "a").add(1, 0, "b");
        heap.page.setItem(1, 0);
        ByteBuf data = part();
        dialect.multiTuple(data, 1, INFOMASK, 8, "~odd");
        dialect.multiTuple(data, 2, 0, dialect == HeapDialect.NEON_17 ? 8 : 9, "~even");
        heap.apply(dialect.multiInsert(0, 0x02, 8, 2, 1, 3).block(0, 7, data), 0);
        assertThat(heap.body(1)).isEqualTo("~odd");
        assertThat(heap.body(3)).isEqualTo("~even");
        assertThat(heap.ctid(3)).isEqualTo("(7,3)");
        assertThat(heap.xmin(3)).isEqualTo(XID);
        assertThat(heap.xmax(1)).isZero();
        assertThat(heap.infomask(1)).isEqualTo(dialect.hasCommandIds() ? INFOMASK : INFOMASK & ~0x0020);
        assertThat(heap.cid(1)).isEqualTo(dialect.hasCommandIds() ? 8 : 0);
        assertThat(heap.cid(3)).isEqualTo(dialect == HeapDialect.NEON_15 ? 9 : dialect.hasCommandIds() ? 8 : 0);
    }

    @ParameterizedTest
    @EnumSource
    void manyTuplesOnANewPageAreNumberedFromOne(HeapDialect dialect) throws RedoException {
        HeapPage heap = new HeapPage(dialect.rules()).add(1, 0, "gone");
        ByteBuf data = part();
        dialect.multiTuple(data, 1, 0, 8, "~a");
        dialect.multiTuple(data, 1, 0, 8, "~b");
        heap.apply(dialect.multiInsert(HeapDialect.INIT, 0x20, 8, 2).initBlock(0, 7, data), 0);
        assertThat(heap.page.maxOffset()).isEqualTo(2);
        assertThat(heap.body(2)).isEqualTo("~b");
        assertThat(heap.page.flags()).isEqualTo(Page.PD_ALL_VISIBLE);
    }

    @ParameterizedTest
    @EnumSource
    void tuplesAndDataMustEndTogether(HeapDialect dialect) {
        ByteBuf data = dialect.multiTuple(part(), 1, 0, 8, "~a");
        HeapPage heap = new HeapPage(dialect.rules());
        refused(heap, dialect.multiInsert(HeapDialect.INIT, 0, 8, 2).initBlock(0, 7, data), "ends inside tuple 2");
        data.writeZero(2);
        refused(heap, dialect.multiInsert(HeapDialect.INIT, 0, 8, 1).initBlock(0, 7, data), "2 bytes more");
        refused(heap, dialect.multiInsert(0, 0, 8, 2, 1).block(0, 7, data), "main data has");
    }

    @ParameterizedTest
    @EnumSource
    void aDeletedTupleHasTheXidOfItsDeletion(HeapDialect dialect) throws RedoException {
        HeapPage heap = new HeapPage(dialect.rules()).add(0x6003, INFOMASK | 0xC4D0, "x");
        heap.page.setFlags(Page.PD_ALL_VISIBLE);
        int combo = dialect.hasCommandIds() ? 0x20 : 0;
        heap.apply(dialect.delete(600, 1, 0x10 | combo, 0x01, 12).block(0, 4), 0);
        assertThat(heap.xmax(1)).isEqualTo(600);
        assertThat(heap.xmin(1)).isEqualTo(500);
        assertThat(heap.ctid(1)).isEqualTo("(4,1)");
        assertThat(heap.infomask2(1)).isEqualTo(0x2003);
        assertThat(heap.infomask(1)).isEqualTo(0x0100 | combo);
        assertThat(heap.cid(1)).isEqualTo(dialect.hasCommandIds() ? 12 : 0);
        assertThat(heap.page.i32(Page.PD_PRUNE_XID)).isEqualTo(XID);
        assertThat(heap.page.flags()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void everyInfobitHasItsPlace(HeapDialect dialect) throws RedoException {
        int[] infobits = {0x01, 0x02, 0x04, 0x08, 0x10};
        int[] infomasks = {0x1000, 0x0080, 0x0040, 0x0010, 0};
        for (int i = 0; i < infobits.length; i++) {
            HeapPage heap = new HeapPage(dialect.rules()).add(3, 0, "x");
            heap.apply(dialect.delete(600, 1, infobits[i], 0, 0).block(0, 4), 0);
            assertThat(heap.infomask(1)).isEqualTo(infomasks[i]);
            assertThat(heap.infomask2(1)).isEqualTo(infobits[i] == 0x10 ? 0x2003 : 3);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aSpeculativeTupleThatLostWasNeverThere(HeapDialect dialect) throws RedoException {
        HeapPage heap = new HeapPage(dialect.rules()).add(3, 0, "x");
        heap.apply(dialect.delete(600, 1, 0, 0x08, 0).block(0, 4), 0);
        assertThat(heap.xmin(1)).isZero();
        assertThat(heap.xmax(1)).isEqualTo(501);
    }

    @ParameterizedTest
    @EnumSource
    void aTupleThatWentToAnotherPartitionSaysSo(HeapDialect dialect) throws RedoException {
        HeapPage heap = new HeapPage(dialect.rules()).add(3, 0, "x");
        heap.apply(dialect.delete(600, 1, 0, 0x10, 0).block(0, 4), 0);
        assertThat(heap.ctid(1)).isEqualTo("(-1,65533)");
    }

    @ParameterizedTest
    @EnumSource
    void aLockAloneEndsTheTuplesChain(HeapDialect dialect) throws RedoException {
        HeapPage heap = new HeapPage(dialect.rules()).add(0x6003, INFOMASK, "x");
        heap.page.setFlags(Page.PD_ALL_VISIBLE);
        heap.apply(dialect.lock(600, 1, 0x02 | 0x04, 0x01, 13).block(0, 4), 0);
        assertThat(heap.xmax(1)).isEqualTo(600);
        assertThat(heap.ctid(1)).isEqualTo("(4,1)");
        assertThat(heap.infomask2(1)).isEqualTo(3);
        assertThat(heap.infomask(1)).isEqualTo(0x0100 | 0x00C0);
        assertThat(heap.cid(1)).isEqualTo(dialect.hasCommandIds() ? 13 : 0);
        // Locking does not end a page's visibility, only its being frozen.
        assertThat(heap.page.flags()).isEqualTo(Page.PD_ALL_VISIBLE);
        assertThat(heap.page.i32(Page.PD_PRUNE_XID)).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void aLockOnTopOfAnUpdateKeepsTheTuplesChain(HeapDialect dialect) throws RedoException {
        HeapPage heap = new HeapPage(dialect.rules()).add(0x4003, INFOMASK, "x");
        heap.apply(dialect.lock(9, 1, 0x01 | 0x08 | 0x10, 0, 13).block(0, 4), 0);
        assertThat(heap.ctid(1)).isEqualTo("(99,98)");
        assertThat(heap.infomask2(1)).isEqualTo(0x6003);
        assertThat(heap.infomask(1)).isEqualTo(0x0100 | 0x1010);
    }

    @Test
    void aSpeculativeTupleThatWonGetsItsOwnTid() throws RedoException {
        HeapPage heap = new HeapPage(HeapDialect.STOCK.rules()).add(3, 0, "x");
        RecordBuilder confirm = new RecordBuilder(ResourceManagers.HEAP, HeapRedo.CONFIRM);
        heap.apply(confirm.main(part().writeShortLE(1)).block(0, 4), 0);
        assertThat(heap.ctid(1)).isEqualTo("(4,1)");
        assertThat(heap.cid(1)).isEqualTo(HeapPage.CID);
    }

    @Test
    void columnsAreOverwrittenInPlace() throws RedoException {
        for (int pgMajor = 17; pgMajor <= 18; pgMajor++) {
            HeapPage heap = new HeapPage(new RedoRules(pgMajor, WalFlavour.STOCK, false)).add(3, 0, "old");
            ByteBuf main = part().writeShortLE(1);
            if (pgMajor == 18) {
                main.writeShortLE(0)
                        .writeIntLE(5)
                        .writeIntLE(1663)
                        .writeIntLE(0)
                        .writeIntLE(1)
                        .writeZero(16);
            }
            ByteBuf data = body(part(), "new");
            heap.apply(
                    new RecordBuilder(ResourceManagers.HEAP, HeapRedo.INPLACE)
                            .main(main)
                            .block(0, 4, data),
                    0);
            assertThat(heap.body(1)).isEqualTo("\u00EEnew");
            heap.page.setLsn(0);
            RecordBuilder longer =
                    new RecordBuilder(ResourceManagers.HEAP, HeapRedo.INPLACE).main(part().writeShortLE(1));
            refused(heap, longer.block(0, 4, body(part(), "newer")), "has 3 bytes of columns, the record has 5");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aTupleThatIsNotThereIsRefused(HeapDialect dialect) {
        HeapPage heap = new HeapPage(dialect.rules()).add(3, 0, "x");
        refused(heap, dialect.delete(600, 2, 0, 0, 0).block(0, 4), "no line pointer 2");
        refused(heap, dialect.lock(600, 0, 0, 0, 0).block(0, 4), "no line pointer 0");
        heap.page.setItem(1, 0, Page.LP_DEAD, 0);
        refused(heap, dialect.delete(600, 1, 0, 0, 0).block(0, 4), "not a normal one");
    }

    @ParameterizedTest
    @EnumSource
    void aShortRecordIsRefused(HeapDialect dialect) {
        HeapPage heap = new HeapPage(dialect.rules()).add(3, 0, "x");
        refused(heap, dialect.insert(0, 2, 0).block(0, 4, part().writeInt(1)), "block data has 4 bytes");
        refused(heap, dialect.insert(0, 2, 0).main(part().writeShortLE(2)).block(0, 4), "main data has 2 bytes");
        refused(
                heap,
                dialect.delete(1, 1, 0, 0, 0)
                        .main(part().writeLong(0).writerIndex(7))
                        .block(0, 4),
                "main data");
    }

    @Test
    void opcodeAndReferenceMustAgreeOnANewPage() {
        HeapDialect stock = HeapDialect.STOCK;
        HeapPage heap = new HeapPage(stock.rules());
        ByteBuf data = body(stock.tuple(1, 0, 0, 24), "~x");
        refused(heap, stock.insert(HeapDialect.INIT, 1, 0).block(0, 4, data), "disagree");
        refused(heap, stock.insert(0, 1, 0).initBlock(0, 4, data), "disagree");
    }

    @Test
    void whatIsUnknownIsRefusedByName() {
        HeapPage heap = new HeapPage(HeapDialect.STOCK.rules());
        RecordBuilder truncate = new RecordBuilder(ResourceManagers.HEAP, 0x30).main(part().writeLong(0));
        refused(heap, truncate.block(0, 4), "no redo for opcode 30, block reference 0");
        refused(
                heap,
                HeapDialect.STOCK.delete(1, 1, 0, 0, 0).block(1, 4),
                "no redo for opcode 10, block reference 1",
                1);
    }

    @Test
    void neonsManagerIsNobodyElses() {
        for (RedoRules rules :
                new RedoRules[] {new RedoRules(17, WalFlavour.STOCK, false), new RedoRules(15, WalFlavour.NEON, false)
                }) {
            HeapPage heap = new HeapPage(rules).add(3, 0, "x");
            refused(heap, HeapDialect.NEON_17.delete(1, 1, 0, 0, 0).block(0, 4), "does not change pages");
        }
    }

    @Test
    void neonsManagerHasNoRedoForFiles() {
        HeapPage heap = new HeapPage(HeapDialect.NEON_17.rules());
        refused(heap, new RecordBuilder(134, 0x60).main(part().writeLong(0)).block(0, 4), "no redo for opcode 60");
    }

    @Test
    void from16OnNeonLeavesTheHeapsOwnRecordsAsTheyAre() throws RedoException {
        HeapPage heap = new HeapPage(HeapDialect.NEON_17.rules()).add(3, 0, "x");
        heap.apply(HeapDialect.STOCK.delete(600, 1, 0, 0, 0).block(0, 4), 0);
        assertThat(heap.cid(1)).isZero();
    }

    private static void refused(HeapPage heap, RecordBuilder record, String why) {
        refused(heap, record, why, 0);
    }

    private static void refused(HeapPage heap, RecordBuilder record, String why, int blockId) {
        assertThatThrownBy(() -> heap.apply(record, blockId))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining(why);
    }
}
