package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.pgpage.GinPage;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class GinRedoTest {
    private static final int META_SIZE_BYTES = 56;

    private final PageRedo redo = new PageRedo(new RedoRules(18, WalFlavour.STOCK, false));
    private final Page page = new Page(new byte[Page.SIZE_BYTES]);

    @Test
    void makesAPostingTreeFromItsSegments() throws RedoException {
        byte[] segment = {0, 0, 0, 0, 1, 0, 1, 0, 1, 0};
        Arrays.fill(page.bytes(), (byte) 0xAA);
        apply(new RecordBuilder(ResourceManagers.GIN, 0x10)
                .main(part().writeIntLE(segment.length).writeBytes(segment))
                .initBlock(0, 7, part()));
        assertThat(page.lower()).isEqualTo(32 + segment.length);
        assertThat(Arrays.copyOfRange(page.bytes(), 24, 32 + segment.length))
                .startsWith(new byte[8])
                .endsWith(segment);
        assertThat(page.i32(GinPage.RIGHTLINK)).isEqualTo(-1);
        assertThat(page.u16(GinPage.FLAGS)).isEqualTo(0x83);
        assertThat(page.lsn()).isEqualTo(RecordBuilder.END.value());
    }

    @Test
    void anEntryInsertedAboveALeafTurnsTheOldDownlinkToTheRightHalf() throws RedoException {
        GinPage.init(page, 0);
        addTuple(page, 1, 0x00010002, 0, 16, 0x11);
        addTuple(page, 2, 0x00010003, 0, 16, 0x22);
        ByteBuf data = part().writeShortLE(2).writeByte(0).writeByte(0);
        writeTuple(data, 0x00010003, 0, 12, 0x33);
        apply(insert(0).block(0, 5, data).block(1, 6), 0);
        assertThat(page.maxOffset()).isEqualTo(3);
        assertThat(tupleAt(page, 2)).isEqualTo(tuple(0x00010003, 0, 12, 0x33));
        assertThat(tupleAt(page, 3)).isEqualTo(tuple(0x00020005, 0, 16, 0x22));
    }

    @Test
    void anEntryInALeafIsReplaced() throws RedoException {
        GinPage.init(page, GinPage.LEAF);
        addTuple(page, 1, 1, 1, 16, 0x11);
        addTuple(page, 2, 1, 1, 16, 0x22);
        ByteBuf data = part().writeShortLE(1).writeByte(1).writeByte(0);
        writeTuple(data, 9, 3, 24, 0x33);
        WalRecord record = new RecordBuilder(ResourceManagers.GIN, 0x20)
                .main(part().writeShortLE(0x02))
                .block(0, 5, data)
                .build(18);
        redo.apply(record, record.blocks().getFirst(), page.bytes());
        assertThat(page.maxOffset()).isEqualTo(2);
        assertThat(tupleAt(page, 1)).isEqualTo(tuple(9, 3, 24, 0x33));
        assertThat(tupleAt(page, 2)).isEqualTo(tuple(1, 1, 16, 0x22));
        assertThat(page.itemOffset(2)).isGreaterThan(page.itemOffset(1));
    }

    @Test
    void thePostingItemOfASplitChildTurnsToTheRightHalf() throws RedoException {
        GinPage.init(page, GinPage.DATA);
        postingItems(100, 200);
        ByteBuf data = part().writeShortLE(2);
        writePostingItem(data, 0x00010003, 150);
        apply(insert(0x01).block(0, 5, data).block(1, 6), 0);
        ByteBuf expected = part();
        writePostingItem(expected, 100, 100);
        writePostingItem(expected, 0x00010003, 150);
        writePostingItem(expected, 0x00020005, 200);
        assertThat(page.u16(GinPage.MAXOFF)).isEqualTo(3);
        assertThat(Arrays.copyOfRange(page.bytes(), 32, page.lower())).isEqualTo(RecordBuilder.bytesOf(expected));
    }

    @Test
    void completingASplitClearsTheChildsFlagOnly() throws RedoException {
        for (int info : new int[] {0x20, 0x30}) {
            GinPage.init(page, GinPage.DATA | GinPage.INCOMPLETE_SPLIT);
            page.setLsn(0);
            int child = info == 0x20 ? 1 : 3;
            RecordBuilder builder = new RecordBuilder(ResourceManagers.GIN, info)
                    .main(info == 0x20 ? children(0x01) : part().writeZero(28))
                    .block(child, 6);
            apply(builder, 0);
            assertThat(page.u16(GinPage.FLAGS)).isEqualTo(GinPage.DATA);
            assertThat(page.lsn()).isEqualTo(RecordBuilder.END.value());
        }
    }

    @Test
    void aSplitWithoutImagesIsRefused() {
        GinPage.init(page, GinPage.LEAF);
        assertThatThrownBy(() -> apply(new RecordBuilder(ResourceManagers.GIN, 0x30)
                        .main(part().writeZero(28))
                        .block(0, 6)))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining("no image")
                .hasMessageContaining("SPLIT");
    }

    @Test
    void deletesAPostingTreePage() throws RedoException {
        RecordBuilder builder = new RecordBuilder(ResourceManagers.GIN, 0x50)
                .main(part().writeShortLE(2).writeShortLE(0).writeIntLE(77).writeIntLE(735))
                .block(0, 10)
                .block(1, 11)
                .block(2, 12);
        GinPage.init(page, GinPage.DATA | GinPage.LEAF | GinPage.COMPRESSED);
        apply(builder, 0);
        assertThat(page.u16(GinPage.FLAGS)).isEqualTo(0x87);
        assertThat(page.i32(Page.PD_PRUNE_XID)).isEqualTo(735);
        GinPage.init(page, GinPage.DATA);
        postingItems(100, 200, 300);
        apply(builder, 1);
        ByteBuf expected = part();
        writePostingItem(expected, 100, 100);
        writePostingItem(expected, 300, 300);
        assertThat(page.u16(GinPage.MAXOFF)).isEqualTo(2);
        assertThat(Arrays.copyOfRange(page.bytes(), 32, page.lower())).isEqualTo(RecordBuilder.bytesOf(expected));
        GinPage.init(page, GinPage.DATA | GinPage.LEAF | GinPage.COMPRESSED);
        apply(builder, 2);
        assertThat(page.i32(GinPage.RIGHTLINK)).isEqualTo(77);
    }

    @Test
    void aPendingListGrowsByAPageAndByTuples() throws RedoException {
        ByteBuf tuples = part();
        writeTuple(tuples, 1, 1, 12, 0x11);
        writeTuple(tuples, 1, 2, 20, 0x22);
        apply(new RecordBuilder(ResourceManagers.GIN, 0x70)
                .main(part().writeIntLE(-1).writeIntLE(2))
                .initBlock(0, 3, tuples));
        assertThat(page.u16(GinPage.FLAGS)).isEqualTo(GinPage.LIST | GinPage.LIST_FULLROW);
        assertThat(page.u16(GinPage.MAXOFF)).isEqualTo(1);
        assertThat(tupleAt(page, 1)).isEqualTo(tuple(1, 1, 12, 0x11));
        assertThat(tupleAt(page, 2)).isEqualTo(tuple(1, 2, 20, 0x22));

        ByteBuf more = part();
        writeTuple(more, 2, 1, 28, 0x33);
        RecordBuilder append = new RecordBuilder(ResourceManagers.GIN, 0x60)
                .main(updateMeta(-1, -1, 1))
                .initBlock(0, 0, part())
                .block(1, 3, more);
        page.setLsn(0);
        apply(append, 1);
        assertThat(page.u16(GinPage.MAXOFF)).isEqualTo(2);
        assertThat(tupleAt(page, 3)).isEqualTo(tuple(2, 1, 28, 0x33));

        page.setLsn(0);
        apply(
                new RecordBuilder(ResourceManagers.GIN, 0x60)
                        .main(updateMeta(3, 9, 0))
                        .initBlock(0, 0, part())
                        .block(1, 3),
                1);
        assertThat(page.i32(GinPage.RIGHTLINK)).isEqualTo(9);
        apply(append, 0);
        assertMeta();
    }

    @Test
    void pagesTakenOffThePendingListAreEmpty() throws RedoException {
        RecordBuilder builder = new RecordBuilder(ResourceManagers.GIN, 0x80)
                .main(meta(part()).writeIntLE(1).writeIntLE(0))
                .initBlock(0, 0, part())
                .initBlock(1, 3, part());
        apply(builder, 0);
        assertMeta();
        apply(builder, 1);
        assertThat(page.u16(GinPage.FLAGS)).isEqualTo(GinPage.DELETED);
        assertThat(page.maxOffset()).isZero();
    }

    @Test
    void refusesPagesOfAnotherKind() {
        page.init(16);
        assertThatThrownBy(() -> apply(insert(0x01).block(1, 6)))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining("not a GIN page");
    }

    private void assertMeta() {
        assertThat(page.u16(GinPage.FLAGS)).isEqualTo(GinPage.META);
        assertThat(page.lower()).isEqualTo(24 + META_SIZE_BYTES);
        assertThat(Arrays.copyOfRange(page.bytes(), 24, 24 + META_SIZE_BYTES))
                .isEqualTo(RecordBuilder.bytesOf(meta(part())));
    }

    private static ByteBuf meta(ByteBuf into) {
        for (int i = 0; i < META_SIZE_BYTES; i++) {
            into.writeByte(i + 1);
        }
        return into;
    }

    private static ByteBuf updateMeta(int prevTail, int newRightlink, int tuples) {
        return meta(part().writeZero(16))
                .writeIntLE(prevTail)
                .writeIntLE(newRightlink)
                .writeIntLE(tuples)
                .writeIntLE(0);
    }

    private static RecordBuilder insert(int flags) {
        return new RecordBuilder(ResourceManagers.GIN, 0x20).main(children(flags));
    }

    /** The children are the blocks 0x00010003 and 0x00020005. */
    private static ByteBuf children(int flags) {
        return part().writeShortLE(flags)
                .writeShortLE(1)
                .writeShortLE(3)
                .writeShortLE(2)
                .writeShortLE(5);
    }

    private void apply(RecordBuilder builder) throws RedoException {
        apply(builder, 0);
    }

    private void apply(RecordBuilder builder, int index) throws RedoException {
        WalRecord record = builder.build(18);
        redo.apply(record, record.blocks().get(index), page.bytes());
    }

    private void postingItems(int... keys) {
        ByteBuf items = part();
        for (int key : keys) {
            writePostingItem(items, key, key);
        }
        page.put(32, RecordBuilder.bytesOf(items), 0, items.readableBytes());
        page.putU16(GinPage.MAXOFF, keys.length);
        page.setLower(32 + 10 * keys.length);
    }

    private static void writePostingItem(ByteBuf into, int child, int keyBlock) {
        into.writeShortLE(child >>> 16)
                .writeShortLE(child)
                .writeShortLE(keyBlock >>> 16)
                .writeShortLE(keyBlock)
                .writeShortLE(1);
    }

    private static byte[] tuple(int block, int offnum, int size, int fill) {
        ByteBuf bytes = part();
        writeTuple(bytes, block, offnum, size, fill);
        return RecordBuilder.bytesOf(bytes);
    }

    private static void writeTuple(ByteBuf into, int block, int offnum, int size, int fill) {
        into.writeShortLE(block >>> 16).writeShortLE(block).writeShortLE(offnum).writeShortLE(size | 0x4000);
        for (int i = 8; i < size; i++) {
            into.writeByte(fill);
        }
    }

    private static void addTuple(Page page, int number, int block, int offnum, int size, int fill) {
        page.addItem(tuple(block, offnum, size, fill), 0, size, number);
    }

    private static byte[] tupleAt(Page page, int number) {
        int at = page.requireNormal(number);
        return Arrays.copyOfRange(page.bytes(), at, at + page.itemLength(number));
    }
}
