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

class BtreeSplitTest {
    private static final int OLD = 40;
    private static final int NEW = 41;
    private static final int NEXT = 42;

    /** Splits a leaf page; what goes right is not looked at here. */
    private static Page splitLeft(
            Page page, int opcode, int firstRight, int newItem, int postingOffset, ByteBuf... data)
            throws RedoException {
        ByteBuf left = part();
        for (ByteBuf tuple : data) {
            left.writeBytes(tuple);
        }
        ByteBuf main = part().writeIntLE(0).writeShortLE(firstRight).writeShortLE(newItem);
        RecordBuilder record = new RecordBuilder(ResourceManagers.BTREE, opcode)
                .main(main.writeShortLE(postingOffset))
                .block(0, OLD, left)
                .initBlock(1, NEW, leaf(99, 9));
        page.putU16(BtreePage.BTPO_CYCLEID, 77);
        apply(record, 0, page, WalFlavour.STOCK);
        assertThat(BtreePage.flags(page)).isEqualTo(BtreePage.BTP_LEAF | BtreePage.BTP_INCOMPLETE_SPLIT);
        assertThat(page.i32(BtreePage.BTPO_NEXT)).isEqualTo(NEW);
        assertThat(page.u16(BtreePage.BTPO_CYCLEID)).isZero();
        int expected = BtreePage.SPECIAL;
        for (int offnum = 1; offnum <= page.maxOffset(); offnum++) {
            expected -= page.itemLength(offnum);
            assertThat(page.itemOffset(offnum))
                    .as("tuples in order: %d", offnum)
                    .isEqualTo(expected);
        }
        assertThat(page.upper()).isEqualTo(expected);
        return page;
    }

    private static Page apply(RecordBuilder builder, int blockId, Page page, WalFlavour flavour) throws RedoException {
        WalRecord record = builder.build(16);
        new PageRedo(new RedoRules(16, flavour, false))
                .apply(record, BtreeTuples.reference(record, blockId), page.bytes());
        assertThat(page.lsn()).isEqualTo(RecordBuilder.END.value());
        return page;
    }

    private static Page rightmost() {
        int flags = BtreePage.BTP_LEAF | BtreePage.BTP_ROOT | BtreePage.BTP_HAS_GARBAGE | BtreePage.BTP_SPLIT_END;
        return BtreeTuples.page(BtreePage.P_NONE, flags, leaf(10, 1), leaf(20, 1), leaf(30, 1), leaf(40, 1));
    }

    @Test
    void theNewTupleGoesBetweenThoseThatStayLeft() throws Exception {
        Page page = splitLeft(rightmost(), BtreeRedo.SPLIT_L, 4, 2, 0, leaf(15, 5), leaf(40, 0));
        assertThat(BtreeTuples.of(page)).containsExactly("40:(7,0)", "10:(7,1)", "15:(7,5)", "20:(7,1)", "30:(7,1)");
    }

    @Test
    void theNewTupleGoesBehindThoseThatStayLeft() throws Exception {
        Page page = splitLeft(rightmost(), BtreeRedo.SPLIT_L, 3, 3, 0, leaf(25, 5), leaf(30, 0));
        assertThat(BtreeTuples.of(page)).containsExactly("30:(7,0)", "10:(7,1)", "20:(7,1)", "25:(7,5)");
    }

    @Test
    void theNewTupleGoesRight() throws Exception {
        Page page = splitLeft(rightmost(), BtreeRedo.SPLIT_R, 3, 4, 0, leaf(30, 0));
        assertThat(BtreeTuples.of(page)).containsExactly("30:(7,0)", "10:(7,1)", "20:(7,1)");
    }

    @Test
    void theOldHighKeyGoesRight() throws Exception {
        Page old = BtreeTuples.page(NEXT, BtreePage.BTP_LEAF, leaf(50, 0), leaf(10, 1), leaf(20, 1), leaf(30, 1));
        old.putI32(BtreePage.BTPO_PREV, 39);
        Page page = splitLeft(old, BtreeRedo.SPLIT_L, 3, 2, 0, leaf(5, 5), leaf(20, 0));
        assertThat(BtreeTuples.of(page)).containsExactly("20:(7,0)", "5:(7,5)", "10:(7,1)");
        assertThat(page.i32(BtreePage.BTPO_PREV)).isEqualTo(39);
    }

    private static Page withPosting() {
        return BtreeTuples.page(
                BtreePage.P_NONE, BtreePage.BTP_LEAF, leaf(5, 1), posting(10, 1, 4, 8), leaf(30, 1), leaf(40, 1));
    }

    @Test
    void aPostingListIsSplitAndBothPartsStayLeft() throws Exception {
        Page page = splitLeft(withPosting(), BtreeRedo.SPLIT_L, 4, 3, 1, leaf(10, 2), leaf(40, 0));
        assertThat(BtreeTuples.of(page))
                .containsExactly("40:(7,0)", "5:(7,1)", "10:(7,1)(7,2)(7,4)", "10:(7,8)", "30:(7,1)");
    }

    @Test
    void aPostingListIsSplitAndTheNewTupleIsTheLastOneLeft() throws Exception {
        Page page = splitLeft(withPosting(), BtreeRedo.SPLIT_L, 3, 3, 2, leaf(10, 6), leaf(30, 0));
        assertThat(BtreeTuples.of(page)).containsExactly("30:(7,0)", "5:(7,1)", "10:(7,1)(7,4)(7,6)", "10:(7,8)");
    }

    @Test
    void aPostingListIsSplitAndTheNewTupleGoesRight() throws Exception {
        Page page = splitLeft(withPosting(), BtreeRedo.SPLIT_R, 3, 3, 2, leaf(10, 6), leaf(10, 8));
        assertThat(BtreeTuples.of(page)).containsExactly("10:(7,8)", "5:(7,1)", "10:(7,1)(7,4)(7,6)");
    }

    @Test
    void aSplitThatDoesNotFitThePageIsRefused() {
        assertThatThrownBy(() -> splitLeft(rightmost(), BtreeRedo.SPLIT_R, 6, 6, 0, leaf(30, 0)))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining("a split before tuple 6");
        assertThatThrownBy(() -> splitLeft(rightmost(), BtreeRedo.SPLIT_L, 3, 4, 0, leaf(25, 5), leaf(30, 0)))
                .hasMessageContaining("with a new tuple 4");
        assertThatThrownBy(() -> splitLeft(rightmost(), BtreeRedo.SPLIT_R, 3, 4, 0, leaf(25, 5), leaf(30, 0)))
                .hasMessageContaining("16 bytes more");
    }

    private static RecordBuilder splitWithImage(boolean apply) {
        Page image = BtreeTuples.page(NEW, BtreePage.BTP_LEAF, leaf(10, 1));
        image.putU16(BtreePage.BTPO_CYCLEID, 0x1234);
        ByteBuf right =
                part().writeBytes(leaf(40, 1)).writeBytes(posting(30, 1, 2)).writeBytes(leaf(50, 0));
        return new RecordBuilder(ResourceManagers.BTREE, BtreeRedo.SPLIT_R)
                .main(part().writeIntLE(0).writeShortLE(3).writeShortLE(4).writeShortLE(0))
                .image(0, OLD, image.bytes(), apply)
                .initBlock(1, NEW, right)
                .block(2, NEXT);
    }

    @Test
    void theRightHalfComesFromTheRecordAlone() throws Exception {
        byte[] garbage = new byte[Page.SIZE_BYTES];
        Arrays.fill(garbage, (byte) 0x5A);
        Page page = apply(splitWithImage(true), 1, new Page(garbage), WalFlavour.STOCK);
        assertThat(BtreeTuples.of(page)).containsExactly("50:(7,0)", "30:(7,1)(7,2)", "40:(7,1)");
        assertThat(BtreeTuples.lengths(page)).containsExactly(16, 32, 16);
        assertThat(BtreeTuples.offsets(page)).containsExactly(8160, 8128, 8112);
        assertThat(page.i32(BtreePage.BTPO_PREV)).isEqualTo(OLD);
        assertThat(page.i32(BtreePage.BTPO_NEXT)).isEqualTo(NEXT);
        assertThat(BtreePage.flags(page)).isEqualTo(BtreePage.BTP_LEAF);
        assertThat(page.u16(BtreePage.BTPO_CYCLEID)).isZero();
        assertThat(Arrays.copyOfRange(page.bytes(), page.lower(), page.upper())).containsOnly(0);
    }

    @Test
    void inNeonsWalTheRightHalfTakesTheCycleIdOfTheLeftImage() throws Exception {
        for (boolean apply : new boolean[] {true, false}) {
            Page page = apply(splitWithImage(apply), 1, new Page(new byte[Page.SIZE_BYTES]), WalFlavour.NEON);
            assertThat(page.u16(BtreePage.BTPO_CYCLEID)).isEqualTo(0x1234);
        }
    }

    @Test
    void theOldRightSiblingPointsToTheNewPage() throws Exception {
        Page sibling = BtreeTuples.page(0, BtreePage.BTP_LEAF, leaf(60, 1));
        sibling.putI32(BtreePage.BTPO_PREV, OLD);
        apply(splitWithImage(true), 2, sibling, WalFlavour.STOCK);
        assertThat(sibling.i32(BtreePage.BTPO_PREV)).isEqualTo(NEW);
        assertThat(BtreeTuples.of(sibling)).containsExactly("60:(7,1)");
    }

    @Test
    void tuplesThatDoNotAddUpAreRefused() {
        ByteBuf tooLong = part().writeBytes(leaf(40, 1)).writeBytes(leaf(30, 1).writerIndex(12));
        ByteBuf empty = part().writeZero(8);
        for (ByteBuf tuples : new ByteBuf[] {tooLong, empty}) {
            RecordBuilder record = new RecordBuilder(ResourceManagers.BTREE, BtreeRedo.SPLIT_R)
                    .main(part().writeIntLE(0).writeShortLE(3).writeShortLE(4).writeShortLE(0))
                    .block(0, OLD, leaf(10, 1))
                    .initBlock(1, NEW, tuples);
            assertThatThrownBy(() -> apply(record, 1, new Page(new byte[Page.SIZE_BYTES]), WalFlavour.STOCK))
                    .isInstanceOf(RedoException.class)
                    .hasMessageContaining("an index tuple of");
        }
    }
}
