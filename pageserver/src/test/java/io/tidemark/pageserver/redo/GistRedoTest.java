package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.pgpage.GistPage;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import org.junit.jupiter.api.Test;

class GistRedoTest {
    private static final int PAGE_UPDATE = 0x00;
    private static final int DELETE = 0x10;
    private static final int PAGE_SPLIT = 0x30;
    private static final int PAGE_DELETE = 0x60;

    private final Page page = new Page(new byte[Page.SIZE_BYTES]);

    @Test
    void oneTupleForAnotherStaysWhereItIs() throws RedoException {
        leafWith(24, 24, 24);
        int before = page.itemOffset(2);
        ByteBuf data = tuple(part().writeShortLE(2), 24, 0x77);
        apply(update(1, 1).block(0, 4, data), 0);
        assertThat(page.itemOffset(2)).isEqualTo(before);
        assertThat(page.u8(before + 8)).isEqualTo(0x77);
        assertThat(page.u16(GistPage.FLAGS)).isEqualTo(GistPage.LEAF);
    }

    @Test
    void deletedTuplesAreRememberedOnALeafOnly() throws RedoException {
        for (int flags : new int[] {GistPage.LEAF, 0}) {
            leafWith(24, 24, 24);
            page.putU16(GistPage.FLAGS, flags);
            ByteBuf data = part().writeShortLE(1).writeShortLE(3);
            tuple(tuple(data, 16, 0x77), 32, 0x88);
            apply(update(2, 2).block(0, 4, data), 0);
            assertThat(page.maxOffset()).isEqualTo(3);
            assertThat(page.itemLength(2)).isEqualTo(16);
            assertThat(page.itemLength(3)).isEqualTo(32);
            assertThat(page.u16(GistPage.FLAGS)).isEqualTo(flags == 0 ? 0 : GistPage.LEAF | GistPage.TUPLES_DELETED);
        }
    }

    @Test
    void theLeftChildGetsTheRecordsEndAsNsn() throws RedoException {
        leafWith(24);
        GistPage.setFlags(page, GistPage.FOLLOW_RIGHT);
        apply(update(0, 1).block(0, 4, tuple(part(), 16, 1)).block(1, 5), 1);
        assertFollowRightCleared();
    }

    @Test
    void theLeftChildGetsItOnTopOfItsImageToo() throws RedoException {
        leafWith(24);
        GistPage.setFlags(page, GistPage.FOLLOW_RIGHT);
        byte[] image = page.bytes().clone();
        page.init(0);
        apply(update(0, 1).block(0, 4, tuple(part(), 16, 1)).image(1, 5, image, true), 1);
        assertFollowRightCleared();
        apply(split(true, 2).image(0, 5, image, true).initBlock(1, 6, tuples()).initBlock(2, 7, tuples()), 0);
        assertFollowRightCleared();
    }

    @Test
    void anImageOfAnyOtherBlockStaysAsItIs() throws RedoException {
        leafWith(24);
        GistPage.setFlags(page, GistPage.FOLLOW_RIGHT);
        byte[] image = page.bytes().clone();
        apply(update(0, 1).image(0, 4, image, true), 0);
        assertThat(page.u16(GistPage.FLAGS)).isEqualTo(GistPage.LEAF | GistPage.FOLLOW_RIGHT);
        assertThat(page.i64(GistPage.NSN)).isZero();
    }

    @Test
    void theOffsetsOfADeleteStartLaterFrom16On() throws RedoException {
        for (int pgMajor = 14; pgMajor <= 18; pgMajor++) {
            leafWith(16, 24, 32, 40);
            GistPage.setFlags(page, GistPage.HAS_GARBAGE);
            ByteBuf main = part().writeIntLE(700).writeShortLE(2).writeZero(pgMajor >= 16 ? 2 : 0);
            RecordBuilder builder = new RecordBuilder(ResourceManagers.GIST, DELETE)
                    .main(main.writeShortLE(1).writeShortLE(3))
                    .block(0, 4);
            apply(builder, 0, pgMajor);
            assertThat(page.maxOffset()).isEqualTo(2);
            assertThat(page.itemLength(1)).isEqualTo(24);
            assertThat(page.itemLength(2)).isEqualTo(40);
            assertThat(page.u16(GistPage.FLAGS)).isEqualTo(GistPage.LEAF | GistPage.TUPLES_DELETED);
        }
    }

    @Test
    void aSplitLinksItsPages() throws RedoException {
        RecordBuilder builder = split(true, 3)
                .block(0, 5)
                .initBlock(1, 6, tuples(16, 24))
                .initBlock(2, 9, tuples(32))
                .initBlock(3, 8, tuples());
        apply(builder, 1);
        assertThat(page.maxOffset()).isEqualTo(2);
        assertSplitPage(9, GistPage.LEAF | GistPage.FOLLOW_RIGHT);
        apply(builder, 2);
        assertSplitPage(8, GistPage.LEAF | GistPage.FOLLOW_RIGHT);
        apply(builder, 3);
        assertSplitPage(77, GistPage.LEAF);
        apply(split(false, 2).initBlock(1, 6, tuples()).initBlock(2, 7, tuples()), 0);
        assertSplitPage(7, GistPage.LEAF);
    }

    @Test
    void theRootKeepsNoLinkWhenItSplits() throws RedoException {
        RecordBuilder builder = split(true, 3)
                .initBlock(1, 0, tuples(16))
                .initBlock(2, 9, tuples(32))
                .initBlock(3, 8, tuples(24));
        apply(builder, 0);
        assertSplitPage(-1, 0);
        apply(builder, 1);
        assertSplitPage(8, GistPage.LEAF);
        apply(builder, 2);
        assertSplitPage(77, GistPage.LEAF);
    }

    @Test
    void deletesALeafAndItsDownlink() throws RedoException {
        RecordBuilder builder = new RecordBuilder(ResourceManagers.GIST, PAGE_DELETE)
                .main(part().writeLongLE(0x1_0000_0301L).writeShortLE(2))
                .block(0, 4)
                .block(1, 5);
        leafWith();
        apply(builder, 0);
        assertThat(page.u16(GistPage.FLAGS)).isEqualTo(GistPage.LEAF | GistPage.DELETED);
        assertThat(page.lower()).isEqualTo(32);
        assertThat(page.i64(24)).isEqualTo(0x1_0000_0301L);
        leafWith(16, 24, 32);
        apply(builder, 1);
        assertThat(page.maxOffset()).isEqualTo(2);
        assertThat(page.itemLength(2)).isEqualTo(32);
    }

    @Test
    void refusesPagesOfAnotherKindAndCountsThatAreWrong() {
        page.init(16);
        assertThatThrownBy(() -> apply(update(0, 0).block(1, 5), 0)).hasMessageContaining("not a GiST page");
        leafWith(16);
        assertThatThrownBy(() -> apply(update(0, 2).block(0, 5, tuple(part(), 16, 1)), 0))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining("announces 2 tuples and has 1");
    }

    private void assertFollowRightCleared() {
        assertThat(page.u16(GistPage.FLAGS)).isEqualTo(GistPage.LEAF);
        assertThat(page.i32(GistPage.NSN)).isZero();
        assertThat(page.i32(GistPage.NSN + 4)).isEqualTo((int) RecordBuilder.END.value());
        assertThat(page.lsn()).isEqualTo(RecordBuilder.END.value());
    }

    private void assertSplitPage(int rightlink, int flags) {
        assertThat(page.i32(GistPage.RIGHTLINK)).isEqualTo(rightlink);
        assertThat(page.u16(GistPage.FLAGS)).isEqualTo(flags);
        assertThat(page.i32(GistPage.NSN)).isEqualTo(0x12);
        assertThat(page.i32(GistPage.NSN + 4)).isEqualTo(0x3456);
        assertThat(page.u16(GistPage.GIST_PAGE_ID)).isEqualTo(0xFF81);
    }

    private static RecordBuilder update(int toDelete, int toInsert) {
        return new RecordBuilder(ResourceManagers.GIST, PAGE_UPDATE)
                .main(part().writeShortLE(toDelete).writeShortLE(toInsert));
    }

    /** Of a leaf, whose right link was 77. */
    private static RecordBuilder split(boolean markFollowRight, int pages) {
        return new RecordBuilder(ResourceManagers.GIST, PAGE_SPLIT)
                .main(part().writeIntLE(77)
                        .writeIntLE(0)
                        .writeLongLE(0x12_0000_3456L)
                        .writeBoolean(true)
                        .writeByte(0)
                        .writeShortLE(pages)
                        .writeBoolean(markFollowRight)
                        .writeZero(3));
    }

    private static ByteBuf tuples(int... sizes) {
        ByteBuf data = part().writeIntLE(sizes.length);
        for (int size : sizes) {
            tuple(data, size, size);
        }
        return data;
    }

    private static ByteBuf tuple(ByteBuf into, int size, int fill) {
        into.writeZero(6).writeShortLE(size | 0x2000);
        for (int i = 8; i < size; i++) {
            into.writeByte(fill);
        }
        return into;
    }

    private void leafWith(int... sizes) {
        GistPage.init(page, GistPage.LEAF);
        for (int size : sizes) {
            page.addItem(RecordBuilder.bytesOf(tuple(part(), size, size)), 0, size, page.maxOffset() + 1);
        }
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
