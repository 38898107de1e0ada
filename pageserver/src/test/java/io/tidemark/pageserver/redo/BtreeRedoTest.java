package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.BtreeTuples.leaf;
import static io.tidemark.pageserver.redo.BtreeTuples.posting;
import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.pgpage.BtreePage;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class BtreeRedoTest {
    private static final int LEAF = BtreePage.BTP_LEAF;

    private static RecordBuilder record(int opcode) {
        return new RecordBuilder(ResourceManagers.BTREE, opcode);
    }

    private static Page apply(RecordBuilder builder, int blockId, Page page) throws RedoException {
        return apply(builder, blockId, page, 17, WalFlavour.STOCK);
    }

    private static Page apply(RecordBuilder builder, int blockId, Page page, int pgMajor, WalFlavour flavour)
            throws RedoException {
        WalRecord record = builder.build(pgMajor);
        PageRedo redo = new PageRedo(new RedoRules(pgMajor, flavour, false));
        redo.apply(record, BtreeTuples.reference(record, blockId), page.bytes());
        assertThat(page.lsn()).isEqualTo(RecordBuilder.END.value());
        return page;
    }

    /** What a page made from nothing looks like before: anything. */
    private static Page garbage() {
        byte[] bytes = new byte[Page.SIZE_BYTES];
        Arrays.fill(bytes, (byte) 0x5A);
        return new Page(bytes);
    }

    @Test
    void aTupleIsInsertedAtItsNumber() throws Exception {
        Page page = BtreeTuples.page(0, LEAF, leaf(10, 1), leaf(30, 3));
        apply(record(BtreeRedo.INSERT_LEAF).main(part().writeShortLE(2)).block(0, 5, leaf(20, 2)), 0, page);
        assertThat(BtreeTuples.of(page)).containsExactly("10:(7,1)", "20:(7,2)", "30:(7,3)");
        assertThat(page.upper()).isEqualTo(BtreePage.SPECIAL - 3 * 16);
        assertThat(page.itemOffset(2)).isEqualTo(page.upper());
    }

    @Test
    void aRowInsideAPostingListPushesItsLastRowOut() throws Exception {
        Page page = BtreeTuples.page(0, LEAF, posting(10, 1, 4, 8), leaf(30, 3));
        int list = page.itemOffset(1);
        ByteBuf data = part().writeShortLE(2).writeBytes(leaf(10, 6));
        apply(record(BtreeRedo.INSERT_POST).main(part().writeShortLE(2)).block(0, 5, data), 0, page);
        assertThat(BtreeTuples.of(page)).containsExactly("10:(7,1)(7,4)(7,6)", "10:(7,8)", "30:(7,3)");
        assertThat(page.itemOffset(1)).isEqualTo(list);
    }

    @Test
    void aRowOutsideOfAPostingListIsRefused() {
        for (int postingOffset : new int[] {0, 3}) {
            Page page = BtreeTuples.page(0, LEAF, posting(10, 1, 4, 8));
            ByteBuf data = part().writeShortLE(postingOffset).writeBytes(leaf(10, 6));
            RecordBuilder record =
                    record(BtreeRedo.INSERT_POST).main(part().writeShortLE(2)).block(0, 5, data);
            assertThatThrownBy(() -> apply(record, 0, page))
                    .isInstanceOf(RedoException.class)
                    .hasMessageContaining("Btree INSERT_POST")
                    .hasMessageContaining("3 rows cannot be split at " + postingOffset);
        }
    }

    @Test
    void aPlainTupleIsNoPostingList() {
        Page page = BtreeTuples.page(0, LEAF, leaf(10, 1));
        ByteBuf data = part().writeShortLE(1).writeBytes(leaf(10, 6));
        RecordBuilder record =
                record(BtreeRedo.INSERT_POST).main(part().writeShortLE(2)).block(0, 5, data);
        assertThatThrownBy(() -> apply(record, 0, page)).hasMessageContaining("1 rows cannot be split");
    }

    @Test
    void insertingADownlinkFinishesTheChildsSplit() throws Exception {
        Page child = BtreeTuples.page(9, LEAF | BtreePage.BTP_INCOMPLETE_SPLIT, leaf(10, 1), leaf(5, 1));
        RecordBuilder record = record(BtreeRedo.INSERT_UPPER)
                .main(part().writeShortLE(2))
                .block(0, 5, leaf(20, 2))
                .block(1, 6);
        apply(record, 1, child);
        assertThat(BtreePage.flags(child)).isEqualTo(LEAF);
        assertThat(BtreeTuples.of(child)).containsExactly("10:(7,1)", "5:(7,1)");
    }

    private static RecordBuilder delete(int opcode, int[] deleted, int[] updated, int[][] rows) {
        ByteBuf main = opcode == BtreeRedo.DELETE ? part().writeIntLE(700) : part();
        main.writeShortLE(deleted.length).writeShortLE(updated.length);
        ByteBuf data = part();
        for (int offnum : deleted) {
            data.writeShortLE(offnum);
        }
        for (int offnum : updated) {
            data.writeShortLE(offnum);
        }
        for (int[] gone : rows) {
            data.writeShortLE(gone.length);
            for (int row : gone) {
                data.writeShortLE(row);
            }
        }
        return record(opcode).main(main).block(0, 5, data);
    }

    /** Five tuples whose physical order is not that of their numbers. */
    private static Page disordered() {
        Page page = BtreeTuples.page(0, LEAF | BtreePage.BTP_HAS_GARBAGE, leaf(10, 1), leaf(30, 3), leaf(50, 5));
        byte[] tuple = RecordBuilder.bytesOf(leaf(20, 2));
        page.addItem(tuple, 0, tuple.length, 2);
        tuple = RecordBuilder.bytesOf(leaf(40, 4));
        page.addItem(tuple, 0, tuple.length, 4);
        page.putU16(BtreePage.BTPO_CYCLEID, 77);
        return page;
    }

    @Test
    void twoTuplesAreDeletedOneByOne() throws Exception {
        Page page = apply(delete(BtreeRedo.DELETE, new int[] {1, 5}, new int[0], new int[0][]), 0, disordered());
        assertThat(BtreeTuples.of(page)).containsExactly("20:(7,2)", "30:(7,3)", "40:(7,4)");
        // 30 was there first and stays the highest on the page.
        assertThat(BtreeTuples.offsets(page)).containsExactly(8176 - 32, 8176 - 16, 8176 - 48);
        assertThat(BtreePage.flags(page)).isEqualTo(LEAF);
    }

    @Test
    void threeTuplesAreDeletedByLayingTheOthersOutAnew() throws Exception {
        Page page = apply(delete(BtreeRedo.DELETE, new int[] {1, 4, 5}, new int[0], new int[0][]), 0, disordered());
        assertThat(BtreeTuples.of(page)).containsExactly("20:(7,2)", "30:(7,3)");
        assertThat(BtreeTuples.offsets(page)).containsExactly(8176 - 16, 8176 - 32);
    }

    @Test
    void vacuumRemovesRowsFromPostingListsBeforeItDeletesTuples() throws Exception {
        Page page = BtreeTuples.page(
                0,
                LEAF | BtreePage.BTP_HAS_GARBAGE,
                leaf(5, 9),
                posting(10, 1, 2, 3, 4, 5),
                leaf(15, 9),
                posting(20, 1, 2, 3),
                posting(30, 1, 2));
        int[][] rows = {{0, 2, 4}, {0, 1}};
        apply(delete(BtreeRedo.VACUUM, new int[] {1, 3}, new int[] {2, 4}, rows), 0, page);
        assertThat(BtreeTuples.of(page)).containsExactly("10:(7,2)(7,4)", "20:(7,3)", "30:(7,1)(7,2)");
        // Sizes: header and key 16, two TIDs 12, aligned 32; a single row makes a plain tuple of 16.
        assertThat(BtreeTuples.lengths(page)).containsExactly(32, 16, 32);
        assertThat(BtreeTuples.offsets(page)).containsExactly(8176 - 32, 8176 - 48, 8176 - 80);
        assertThat(page.upper()).isEqualTo(8176 - 80);
        assertThat(BtreePage.flags(page)).isEqualTo(LEAF);
    }

    @Test
    void removingAllRowsOrRowsThatDoNotExistIsRefused() {
        int[][][] wrong = {{{0, 1, 2}}, {{3}}, {{1, 1}}, {{}}, {{2, 0}}};
        for (int[][] rows : wrong) {
            Page page = BtreeTuples.page(0, LEAF, posting(10, 1, 2, 3));
            assertThatThrownBy(() -> apply(delete(BtreeRedo.VACUUM, new int[0], new int[] {1}, rows), 0, page))
                    .as(Arrays.deepToString(rows))
                    .isInstanceOf(RedoException.class)
                    .hasMessageContaining("to remove from tuple 1");
        }
    }

    @Test
    void vacuumClearsTheCycleIdSince18() throws Exception {
        RecordBuilder vacuum = delete(BtreeRedo.VACUUM, new int[] {1}, new int[0], new int[0][]);
        assertThat(apply(vacuum, 0, disordered(), 17, WalFlavour.STOCK).u16(BtreePage.BTPO_CYCLEID))
                .isEqualTo(77);
        assertThat(apply(vacuum, 0, disordered(), 18, WalFlavour.STOCK).u16(BtreePage.BTPO_CYCLEID))
                .isZero();
        RecordBuilder delete = delete(BtreeRedo.DELETE, new int[] {1}, new int[0], new int[0][]);
        assertThat(apply(delete, 0, disordered(), 18, WalFlavour.STOCK).u16(BtreePage.BTPO_CYCLEID))
                .isEqualTo(77);
    }

    private static RecordBuilder dedup(int... intervals) {
        ByteBuf data = part();
        for (int value : intervals) {
            data.writeShortLE(value);
        }
        return record(BtreeRedo.DEDUP)
                .main(part().writeShortLE(intervals.length / 2))
                .block(0, 5, data);
    }

    @Test
    void deduplicationMergesRunsAndKeepsTheHighKey() throws Exception {
        Page page = BtreeTuples.page(
                9,
                LEAF | BtreePage.BTP_HAS_GARBAGE,
                leaf(99, 0),
                leaf(10, 1),
                leaf(20, 1),
                posting(20, 2, 3),
                leaf(20, 4),
                leaf(30, 1),
                leaf(40, 1),
                leaf(40, 2));
        page.putU16(BtreePage.BTPO_CYCLEID, 77);
        apply(dedup(3, 3, 7, 2), 0, page);
        assertThat(BtreeTuples.of(page))
                .containsExactly("99:(7,0)", "10:(7,1)", "20:(7,1)(7,2)(7,3)(7,4)", "30:(7,1)", "40:(7,1)(7,2)");
        assertThat(BtreeTuples.lengths(page)).containsExactly(16, 16, 40, 16, 32);
        assertThat(BtreeTuples.offsets(page)).containsExactly(8160, 8144, 8104, 8088, 8056);
        assertThat(BtreePage.flags(page)).isEqualTo(LEAF);
        assertThat(page.u16(BtreePage.BTPO_CYCLEID)).isEqualTo(77);
        assertThat(page.i32(BtreePage.BTPO_NEXT)).isEqualTo(9);
        assertThat(Arrays.copyOfRange(page.bytes(), page.lower(), page.upper())).containsOnly(0);
    }

    @Test
    void deduplicationOfTuplesThatAreNotThereIsRefused() {
        for (int[] intervals : new int[][] {{1, 2}, {2, 3}, {2, 1}, {2, 2, 3, 2}}) {
            Page page = BtreeTuples.page(9, LEAF, leaf(99, 0), leaf(10, 1), leaf(10, 2));
            assertThatThrownBy(() -> apply(dedup(intervals), 0, page))
                    .as(Arrays.toString(intervals))
                    .isInstanceOf(RedoException.class)
                    .hasMessageContaining("to merge");
        }
    }

    @Test
    void aHalfDeadLeafLosesItsDownlinkToTheRightSibling() throws Exception {
        ByteBuf main = part().writeShortLE(2).writeShortLE(0).writeIntLE(40).writeIntLE(39);
        main.writeIntLE(41).writeIntLE(-1);
        RecordBuilder record = record(BtreeRedo.MARK_PAGE_HALFDEAD)
                .main(main)
                .initBlock(0, 40, part())
                .block(1, 3);
        Page parent = BtreeTuples.page(0, 0, leaf(1, 39, 0), leaf(2, 40, 0), leaf(3, 41, 0));
        apply(record, 1, parent);
        assertThat(BtreeTuples.of(parent)).containsExactly("1:(39,0)", "2:(41,0)");

        Page dead = apply(record, 0, garbage());
        assertThat(BtreePage.flags(dead)).isEqualTo(BtreePage.BTP_HALF_DEAD | LEAF);
        assertThat(dead.i32(BtreePage.BTPO_PREV)).isEqualTo(39);
        assertThat(dead.i32(BtreePage.BTPO_NEXT)).isEqualTo(41);
        assertThat(dead.itemOffset(1)).isEqualTo(8168);
        assertThat(Arrays.copyOfRange(dead.bytes(), 8168, 8176)).containsExactly(0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 8, 0x20);
    }

    private static ByteBuf meta() {
        ByteBuf meta =
                part().writeIntLE(4).writeIntLE(3).writeIntLE(1).writeIntLE(2).writeIntLE(0);
        return meta.writeIntLE(6).writeByte(1).writeZero(3);
    }

    @Test
    void anUnlinkedPageIsEmptyAndItsSiblingsMeet() throws Exception {
        ByteBuf main = part().writeIntLE(39).writeIntLE(41).writeIntLE(1).writeIntLE(0);
        main.writeLongLE(0x1_0000_02DFL).writeIntLE(60).writeIntLE(61).writeIntLE(62);
        RecordBuilder record = record(BtreeRedo.UNLINK_PAGE_META)
                .main(main)
                .initBlock(0, 40, part())
                .block(1, 39)
                .block(2, 41)
                .initBlock(3, 55, part())
                .initBlock(4, 0, meta());
        Page target = apply(record, 0, garbage());
        assertThat(BtreePage.flags(target)).isEqualTo(BtreePage.BTP_DELETED | BtreePage.BTP_HAS_FULLXID);
        assertThat(target.i64(BtreePage.SAFEXID)).isEqualTo(0x1_0000_02DFL);
        assertThat(target.lower()).isEqualTo(32);
        assertThat(target.upper()).isEqualTo(8176);
        assertThat(target.i32(BtreePage.BTPO_LEVEL)).isEqualTo(1);

        Page left = apply(record, 1, BtreeTuples.page(40, 0, leaf(1, 1)));
        assertThat(left.i32(BtreePage.BTPO_NEXT)).isEqualTo(41);
        Page right = apply(record, 2, BtreeTuples.page(0, 0, leaf(1, 1)));
        assertThat(right.i32(BtreePage.BTPO_PREV)).isEqualTo(39);

        Page leaf = apply(record, 3, garbage());
        assertThat(BtreePage.flags(leaf)).isEqualTo(BtreePage.BTP_HALF_DEAD | LEAF);
        assertThat(leaf.i32(BtreePage.BTPO_PREV)).isEqualTo(60);
        assertThat(leaf.i32(BtreePage.BTPO_NEXT)).isEqualTo(61);
        assertThat(Arrays.copyOfRange(leaf.bytes(), 8168, 8174)).containsExactly(0, 0, 62, 0, 0, 0);

        Page meta = apply(record, 4, garbage());
        assertThat(BtreePage.flags(meta)).isEqualTo(BtreePage.BTP_META);
        assertThat(meta.i32(BtreePage.BTM_MAGIC)).isEqualTo(0x053162);
        assertThat(meta.i32(BtreePage.BTM_ROOT)).isEqualTo(3);
        assertThat(meta.i32(BtreePage.BTM_LAST_CLEANUP_NUM_DELPAGES)).isEqualTo(6);
        assertThat(Double.longBitsToDouble(meta.i64(56))).isEqualTo(-1.0);
        assertThat(meta.u8(BtreePage.BTM_ALLEQUALIMAGE)).isEqualTo(1);
        assertThat(meta.lower()).isEqualTo(72);
    }

    @Test
    void aNewRootHasTheTuplesOfTheRecordInOrder() throws Exception {
        ByteBuf tuples = part().writeBytes(leaf(20, 41, 0)).writeBytes(leaf(10, 40, 0));
        RecordBuilder record = record(BtreeRedo.NEWROOT)
                .main(part().writeIntLE(50).writeIntLE(1))
                .initBlock(0, 50, tuples)
                .block(1, 40)
                .initBlock(2, 0, meta());
        Page root = apply(record, 0, garbage());
        assertThat(BtreeTuples.of(root)).containsExactly("10:(40,0)", "20:(41,0)");
        assertThat(BtreePage.flags(root)).isEqualTo(BtreePage.BTP_ROOT);
        assertThat(BtreeTuples.offsets(root)).containsExactly(8160, 8144);
    }

    @Test
    void anUnknownOpcodeIsRefusedByName() {
        Page page = BtreeTuples.page(0, LEAF, leaf(1, 1));
        assertThatThrownBy(() -> apply(record(0xF0).block(0, 5), 0, page))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining("redo of Btree F0 at 0/1000028 on block 5")
                .hasMessageContaining("no redo for opcode F0, block reference 0");
    }

    @Test
    void aPageThatIsNotABtreePageIsRefused() {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        RecordBuilder record = record(BtreeRedo.INSERT_UPPER)
                .main(part().writeShortLE(1))
                .block(0, 5, leaf(1, 1))
                .block(1, 6);
        assertThatThrownBy(() -> apply(record, 1, page)).hasMessageContaining("not a B-tree page");
    }
}
