package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.SpgistPage;
import io.tidemark.pageserver.pgpage.SpgistTuple;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SpgistRedoTest {
    private static final int ADD_LEAF = 0x10;
    private static final int MOVE_LEAFS = 0x20;
    private static final int ADD_NODE = 0x30;
    private static final int SPLIT_TUPLE = 0x40;
    private static final int PICKSPLIT = 0x50;
    private static final int VACUUM_LEAF = 0x60;
    private static final int VACUUM_ROOT = 0x70;
    private static final int VACUUM_REDIRECT = 0x80;

    private static final int XID = 735;

    /** Wide enough to tell its halves apart. */
    private static final int BLOCK = 0x00010002;

    private final Page page = new Page(new byte[Page.SIZE_BYTES]);

    @Test
    void aLeafJoinsItsChainBehindTheHead() throws RedoException {
        leafPage(leaf(1, 2), leaf(2, 0));
        page.putU16(page.requireNormal(1) + 4, 0x8002);
        RecordBuilder builder = addLeaf(false, 3, 1, leaf(3, 2)).block(0, BLOCK).block(1, 8);
        apply(builder, 0);
        assertThat(tupleAt(3)).isEqualTo(leaf(3, 2));
        assertThat(page.u16(page.requireNormal(1) + 4)).isEqualTo(0x8003);
        innerPage(inner(3, 0, 9, 9));
        apply(builder, 1);
        assertThat(tupleAt(1)).isEqualTo(innerWithLink(inner(3, 0, 9, 9), 16, BLOCK, 3));
    }

    @Test
    void aLeafTakesThePlaceOfAPlaceholderOrOfADeadTuple() throws RedoException {
        leafPage(leaf(1, 0), dead(SpgistTuple.PLACEHOLDER), leaf(3, 0));
        page.putU16(SpgistPage.N_PLACEHOLDER, 1);
        apply(addLeaf(false, 2, 0, leaf(5, 0)).block(0, BLOCK), 0);
        assertThat(tupleAt(2)).isEqualTo(leaf(5, 0));
        assertThat(page.u16(SpgistPage.N_PLACEHOLDER)).isZero();
        leafPage(leaf(1, 0), dead(SpgistTuple.DEAD));
        apply(addLeaf(false, 2, 2, leaf(6, 0)).block(0, BLOCK), 0);
        assertThat(tupleAt(2)).isEqualTo(leaf(6, 0));
        leafPage(leaf(1, 0), leaf(2, 0));
        assertThatThrownBy(() -> apply(addLeaf(false, 2, 0, leaf(5, 0)).block(0, BLOCK), 0))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining("of state 0");
    }

    @Test
    void aNewLeafPageIsMade() throws RedoException {
        Arrays.fill(page.bytes(), (byte) 0xAA);
        apply(addLeaf(true, 1, 0, leaf(5, 0)).initBlock(0, BLOCK, part()), 0);
        assertThat(tupleAt(1)).isEqualTo(leaf(5, 0));
        assertThat(page.u16(SpgistPage.FLAGS)).isEqualTo(SpgistPage.LEAF | SpgistPage.NULLS);
        assertThat(page.u16(SpgistPage.SPGIST_PAGE_ID)).isEqualTo(0xFF82);
        page.setLsn(0);
        assertThatThrownBy(() -> apply(addLeaf(true, 1, 0, leaf(5, 0)).block(0, BLOCK), 0))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining("disagree");
        assertThatThrownBy(() -> apply(addLeaf(false, 1, 0, leaf(5, 0)).initBlock(0, BLOCK, part()), 0))
                .hasMessageContaining("disagree");
    }

    @Test
    void aChainThatMovesLeavesARedirectInItsFirstPlaceOnly() throws RedoException {
        ByteBuf main = part().writeShortLE(3)
                .writeBoolean(false)
                .writeBoolean(false)
                .writeBoolean(false)
                .writeByte(0);
        main.writeShortLE(1).writeShortLE(2).writeShortLE(0);
        state(main, false).writeShortLE(4).writeShortLE(1).writeShortLE(3);
        main.writeShortLE(1).writeShortLE(2).writeShortLE(3).writeShortLE(4);
        main.writeBytes(leaf(11, 0))
                .writeBytes(leaf(12, 1))
                .writeBytes(leaf(13, 2))
                .writeBytes(leaf(14, 3));
        RecordBuilder builder = new RecordBuilder(ResourceManagers.SPGIST, MOVE_LEAFS)
                .main(main)
                .block(0, 5)
                .block(1, BLOCK)
                .block(2, 8);
        leafPage(leaf(1, 0), leaf(2, 0), leaf(3, 0), leaf(4, 0));
        apply(builder, 0);
        assertThat(tupleAt(1)).isEqualTo(dead(SpgistTuple.PLACEHOLDER));
        assertThat(tupleAt(2)).isEqualTo(leaf(2, 0));
        assertThat(tupleAt(3)).isEqualTo(dead(SpgistTuple.PLACEHOLDER));
        assertThat(tupleAt(4)).isEqualTo(redirect(BLOCK, 4));
        assertCounters(1, 2);
        leafPage(dead(SpgistTuple.PLACEHOLDER));
        page.putU16(SpgistPage.N_PLACEHOLDER, 1);
        apply(builder, 1);
        assertThat(tupleAt(1)).isEqualTo(leaf(11, 0));
        assertThat(tupleAt(4)).isEqualTo(leaf(14, 3));
        assertCounters(0, 0);
        innerPage(inner(3, 0, 9, 9));
        apply(builder, 2);
        assertThat(tupleAt(1)).isEqualTo(innerWithLink(inner(3, 0, 9, 9), 32, BLOCK, 4));
    }

    @Test
    void anInnerTupleThatMovesLeavesARedirectOrInABuildAPlaceholder() throws RedoException {
        for (boolean build : new boolean[] {false, true}) {
            RecordBuilder builder = addNode(0, build).block(0, 5).initBlock(1, BLOCK, part());
            innerPage(inner(2, 8, 7), inner(1, 0, 9), inner(1, 0, 6));
            apply(builder, 0);
            assertThat(tupleAt(1)).isEqualTo(innerWithLink(inner(2, 8, 7), 16, BLOCK, 1));
            assertThat(tupleAt(2)).isEqualTo(build ? dead(SpgistTuple.PLACEHOLDER) : redirect(BLOCK, 1));
            assertThat(tupleAt(3)).isEqualTo(inner(1, 0, 6));
            assertCounters(build ? 0 : 1, build ? 1 : 0);
            apply(builder, 1);
            assertThat(tupleAt(1)).isEqualTo(inner(2, 0, 4));
            assertThat(page.u16(SpgistPage.FLAGS)).isZero();
        }
    }

    @Test
    void theParentOfAnInnerTupleThatMovesMayBeOnAnyOfThePages() throws RedoException {
        innerPage(inner(2, 0, 9));
        apply(addNode(2, false).block(0, 5).initBlock(1, BLOCK, part()).block(2, 8), 2);
        assertThat(tupleAt(1)).isEqualTo(innerWithLink(inner(2, 0, 9), 8, BLOCK, 1));
        innerPage(dead(SpgistTuple.PLACEHOLDER));
        assertThatThrownBy(() ->
                        apply(addNode(1, false).block(0, 5).block(1, BLOCK).block(2, 8), 2))
                .hasMessageContaining("no redo");
    }

    @Test
    void anInnerTupleThatGrowsInPlaceIsReplaced() throws RedoException {
        innerPage(inner(1, 0, 9), inner(1, 0, 8), inner(1, 0, 7));
        apply(addNode(-1, false).block(0, 5), 0);
        assertThat(tupleAt(1)).isEqualTo(inner(1, 0, 9));
        assertThat(tupleAt(2)).isEqualTo(inner(2, 0, 4));
        assertThat(tupleAt(3)).isEqualTo(inner(1, 0, 7));
    }

    @Test
    void aSplitTuplePutsThePostfixWhereItBelongs() throws RedoException {
        innerPage(inner(3, 8, 9), inner(1, 0, 8));
        apply(splitTuple(3, true).block(0, 5), 0);
        assertThat(tupleAt(1)).isEqualTo(inner(1, 0, 3));
        assertThat(tupleAt(3)).isEqualTo(inner(3, 0, 9));
        RecordBuilder two = splitTuple(1, false).block(0, 5).initBlock(1, 6, part());
        innerPage(inner(3, 8, 9), inner(1, 0, 8));
        apply(two, 0);
        assertThat(page.maxOffset()).isEqualTo(2);
        assertThat(tupleAt(1)).isEqualTo(inner(1, 0, 3));
        apply(two, 1);
        assertThat(page.maxOffset()).isEqualTo(1);
        assertThat(tupleAt(1)).isEqualTo(inner(3, 0, 9));
    }

    @Test
    void aPicksplitDividesTheLeavesAmongTwoPages() throws RedoException {
        RecordBuilder builder = picksplit(false)
                .block(0, 5)
                .initBlock(1, 6, part())
                .block(2, BLOCK)
                .block(3, 8);
        leafPage(leaf(1, 2), leaf(2, 0), leaf(3, 0));
        apply(builder, 0);
        assertThat(tupleAt(1)).isEqualTo(leaf(21, 0));
        assertThat(tupleAt(2)).isEqualTo(redirect(BLOCK, 2));
        assertThat(tupleAt(3)).isEqualTo(leaf(3, 0));
        assertCounters(1, 0);
        apply(builder, 1);
        assertThat(page.maxOffset()).isEqualTo(1);
        assertThat(tupleAt(1)).isEqualTo(leaf(22, 0));
        assertThat(page.u16(SpgistPage.FLAGS)).isEqualTo(SpgistPage.LEAF);
        innerPage(inner(1, 0, 9));
        apply(builder, 2);
        assertThat(page.maxOffset()).isEqualTo(2);
        assertThat(tupleAt(2)).isEqualTo(inner(2, 16, 4));
        innerPage(inner(1, 0, 9));
        apply(builder, 3);
        assertThat(tupleAt(1)).isEqualTo(innerWithLink(inner(1, 0, 9), 8, BLOCK, 2));
        innerPage(inner(1, 0, 9));
        apply(picksplit(true).block(2, BLOCK), 0);
        assertThat(tupleAt(1)).isEqualTo(innerWithLink(inner(1, 0, 9), 8, BLOCK, 2));
        assertThat(tupleAt(2)).isEqualTo(inner(2, 16, 4));
    }

    @Test
    void vacuumOfALeafPageKillsMovesAndChains() throws RedoException {
        leafPage(leaf(1, 2), leaf(2, 3), leaf(3, 0), leaf(4, 0), leaf(5, 6), leaf(6, 0));
        ByteBuf main = part().writeShortLE(1).writeShortLE(1).writeShortLE(1).writeShortLE(1);
        state(main, false).writeShortLE(4).writeShortLE(2).writeShortLE(6).writeShortLE(5);
        apply(
                new RecordBuilder(ResourceManagers.SPGIST, VACUUM_LEAF)
                        .main(main.writeShortLE(1).writeShortLE(3))
                        .block(0, 5),
                0);
        assertThat(tupleAt(1)).isEqualTo(leaf(1, 3));
        assertThat(tupleAt(2)).isEqualTo(dead(SpgistTuple.PLACEHOLDER));
        assertThat(tupleAt(3)).isEqualTo(leaf(3, 0));
        assertThat(tupleAt(4)).isEqualTo(dead(SpgistTuple.DEAD));
        assertThat(tupleAt(5)).isEqualTo(leaf(6, 0));
        assertThat(tupleAt(6)).isEqualTo(dead(SpgistTuple.PLACEHOLDER));
        assertCounters(0, 2);
    }

    @Test
    void vacuumOfTheRootDeletes() throws RedoException {
        leafPage(leaf(1, 0), leaf(2, 0), leaf(3, 0), leaf(4, 0));
        ByteBuf main = state(part().writeShortLE(3).writeShortLE(0), false);
        main.writeShortLE(1).writeShortLE(2).writeShortLE(4);
        apply(new RecordBuilder(ResourceManagers.SPGIST, VACUUM_ROOT).main(main).block(0, 5), 0);
        assertThat(page.maxOffset()).isEqualTo(1);
        assertThat(tupleAt(1)).isEqualTo(leaf(3, 0));
    }

    @Test
    void redirectsBecomePlaceholdersAndThoseAtTheEndGo() throws RedoException {
        for (int pgMajor = 14; pgMajor <= 18; pgMajor++) {
            leafPage(leaf(1, 0), redirect(7, 8), redirect(7, 9), leaf(4, 0), redirect(7, 9), dead(3), dead(3));
            page.putU16(SpgistPage.N_REDIRECTION, 3);
            page.putU16(SpgistPage.N_PLACEHOLDER, 2);
            ByteBuf main =
                    part().writeShortLE(2).writeShortLE(5).writeIntLE(700).writeZero(pgMajor >= 16 ? 2 : 0);
            RecordBuilder builder = new RecordBuilder(ResourceManagers.SPGIST, VACUUM_REDIRECT)
                    .main(main.writeShortLE(2).writeShortLE(5))
                    .block(0, 5);
            apply(builder, 0, pgMajor);
            assertThat(page.maxOffset()).isEqualTo(4);
            byte[] placeholder = dead(SpgistTuple.PLACEHOLDER);
            placeholder[12] = (byte) XID;
            placeholder[13] = (byte) (XID >> 8);
            assertThat(tupleAt(2)).as("its xid stays").isEqualTo(placeholder);
            assertThat(tupleAt(3)).isEqualTo(redirect(7, 9));
            assertCounters(1, 1);
        }
    }

    @Test
    void refusesPagesAndTuplesThatDoNotFit() {
        page.init(8);
        assertThatThrownBy(() -> apply(addLeaf(false, 1, 0, leaf(5, 0)).block(0, BLOCK), 0))
                .hasMessageContaining("not an SP-GiST page");
        innerPage(inner(1, 0, 9));
        assertThatThrownBy(() ->
                        apply(addLeaf(false, 1, 0, leaf(5, 0)).block(0, 5).block(1, 8), 1))
                .hasMessageContaining("no node 1");
        assertThatThrownBy(() -> apply(
                        addLeaf(false, 1, 0, Arrays.copyOf(leaf(5, 0), 23)).block(0, 5), 0))
                .isInstanceOf(RedoException.class);
    }

    private void assertCounters(int redirections, int placeholders) {
        assertThat(page.u16(SpgistPage.N_REDIRECTION)).isEqualTo(redirections);
        assertThat(page.u16(SpgistPage.N_PLACEHOLDER)).isEqualTo(placeholders);
    }

    /** The parent's tuple is 1, its node 1; a new page stores nulls. */
    private static RecordBuilder addLeaf(boolean newPage, int leaf, int headLeaf, byte[] tuple) {
        return new RecordBuilder(ResourceManagers.SPGIST, ADD_LEAF)
                .main(part().writeBoolean(newPage)
                        .writeBoolean(newPage)
                        .writeShortLE(leaf)
                        .writeShortLE(headLeaf)
                        .writeShortLE(1)
                        .writeShortLE(1)
                        .writeBytes(tuple));
    }

    /** Of tuple 2, to number 1 elsewhere; the parent's tuple is 1, its node 0. */
    private static RecordBuilder addNode(int parentBlock, boolean build) {
        ByteBuf main = part().writeShortLE(2).writeShortLE(1).writeBoolean(true).writeByte(parentBlock);
        main.writeShortLE(1).writeShortLE(0).writeShortLE(0);
        return new RecordBuilder(ResourceManagers.SPGIST, ADD_NODE)
                .main(state(main, build).writeBytes(inner(2, 0, 4)));
    }

    private static RecordBuilder splitTuple(int postfix, boolean same) {
        ByteBuf main =
                part().writeShortLE(1).writeShortLE(postfix).writeBoolean(!same).writeBoolean(same);
        return new RecordBuilder(ResourceManagers.SPGIST, SPLIT_TUPLE)
                .main(main.writeBytes(inner(1, 0, 3)).writeBytes(inner(3, 0, 9)));
    }

    /** Of the chain 2, 1; the inner tuple becomes number 2, its parent is number 1. */
    private static RecordBuilder picksplit(boolean innerIsParent) {
        ByteBuf main = part().writeBoolean(false).writeByte(0).writeShortLE(2).writeShortLE(2);
        main.writeBoolean(false)
                .writeBoolean(true)
                .writeShortLE(2)
                .writeBoolean(false)
                .writeBoolean(false);
        main.writeBoolean(innerIsParent)
                .writeByte(0)
                .writeShortLE(1)
                .writeShortLE(0)
                .writeShortLE(0);
        state(main, false).writeShortLE(2).writeShortLE(1).writeShortLE(1).writeShortLE(1);
        main.writeByte(0)
                .writeByte(1)
                .writeBytes(inner(2, 16, 4))
                .writeBytes(leaf(21, 0))
                .writeBytes(leaf(22, 0));
        return new RecordBuilder(ResourceManagers.SPGIST, PICKSPLIT).main(main);
    }

    private static ByteBuf state(ByteBuf into, boolean build) {
        return into.writeIntLE(XID).writeBoolean(build).writeZero(3);
    }

    private static byte[] leaf(int value, int next) {
        ByteBuf tuple = part().writeIntLE(24 << 2).writeShortLE(next);
        return RecordBuilder.bytesOf(
                tuple.writeIntLE(0).writeShortLE(value).writeZero(4).writeLongLE(value));
    }

    /** With nodes of 8, 16, 8, 16 ... bytes, each leading to the block {@code to}. */
    private static byte[] inner(int nodes, int prefixSize, int... to) {
        ByteBuf tail = part().writeZero(prefixSize);
        for (int i = 0; i < nodes; i++) {
            int size = i % 2 == 0 ? 8 : 16;
            int block = to[i % to.length];
            tail.writeShortLE(block >>> 16).writeShortLE(block).writeShortLE(1).writeShortLE(size);
            tail.writeZero(size - 8);
        }
        return RecordBuilder.bytesOf(part().writeIntLE(nodes << 3 | prefixSize << 16)
                .writeShortLE(8 + tail.readableBytes())
                .writeShortLE(0)
                .writeBytes(tail));
    }

    private static byte[] innerWithLink(byte[] inner, int nodeAt, int block, int offnum) {
        ByteBuf link = part().writeShortLE(block >>> 16).writeShortLE(block).writeShortLE(offnum);
        byte[] changed = inner.clone();
        System.arraycopy(RecordBuilder.bytesOf(link), 0, changed, nodeAt, 6);
        return changed;
    }

    private static byte[] dead(int state) {
        return RecordBuilder.bytesOf(part().writeIntLE(state | 16 << 2)
                .writeShortLE(0)
                .writeIntLE(-1)
                .writeShortLE(0)
                .writeIntLE(0));
    }

    private static byte[] redirect(int block, int offnum) {
        return RecordBuilder.bytesOf(part().writeIntLE(SpgistTuple.REDIRECT | 16 << 2)
                .writeShortLE(0)
                .writeShortLE(block >>> 16)
                .writeShortLE(block)
                .writeShortLE(offnum)
                .writeIntLE(XID));
    }

    private void leafPage(byte[]... tuples) {
        pageWith(SpgistPage.LEAF, tuples);
    }

    private void innerPage(byte[]... tuples) {
        pageWith(0, tuples);
    }

    private void pageWith(int flags, byte[]... tuples) {
        SpgistPage.init(page, flags);
        for (byte[] tuple : tuples) {
            page.addItem(tuple, 0, tuple.length, page.maxOffset() + 1);
        }
    }

    private byte[] tupleAt(int number) {
        int at = page.requireNormal(number);
        return Arrays.copyOfRange(page.bytes(), at, at + page.itemLength(number));
    }

    private void apply(RecordBuilder builder, int index) throws RedoException {
        apply(builder, index, 18);
    }

    private void apply(RecordBuilder builder, int index, int pgMajor) throws RedoException {
        WalRecord record = builder.build(pgMajor);
        new PageRedo(new RedoRules(pgMajor, WalFlavour.STOCK, false))
                .apply(record, record.blocks().get(index), page.bytes());
    }
}
