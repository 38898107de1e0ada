package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.pgpage.BrinPage;
import io.tidemark.pageserver.pgpage.ItemPointer;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class BrinRedoTest {
    private static RecordBuilder record(int info) {
        return new RecordBuilder(ResourceManagers.BRIN, info);
    }

    private static Page apply(RecordBuilder builder, int blockId, Page page) throws RedoException {
        WalRecord record = builder.build(15);
        new PageRedo(new RedoRules(15, WalFlavour.STOCK, false))
                .apply(record, BtreeTuples.reference(record, blockId), page.bytes());
        assertThat(page.lsn()).isEqualTo(RecordBuilder.END.value());
        return page;
    }

    /** A summary of {@code length} bytes, each the letter. */
    private static ByteBuf summary(char letter, int length) {
        ByteBuf tuple = part();
        for (int i = 0; i < length; i++) {
            tuple.writeByte(letter);
        }
        return tuple;
    }

    private static Page regular(ByteBuf... summaries) {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        BrinPage.init(page, BrinPage.BRIN_PAGETYPE_REGULAR);
        for (ByteBuf summary : summaries) {
            byte[] bytes = RecordBuilder.bytesOf(summary);
            page.addItem(bytes, 0, bytes.length, 0);
        }
        return page;
    }

    private static Page revmap() {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        BrinPage.init(page, BrinPage.BRIN_PAGETYPE_REVMAP);
        return page;
    }

    /** Every line pointer: its tuple's first letter and length, or a dash. */
    private static String describe(Page page) {
        StringBuilder text = new StringBuilder();
        for (int offnum = 1; offnum <= page.maxOffset(); offnum++) {
            if (page.itemFlags(offnum) == Page.LP_UNUSED) {
                assertThat(page.item(offnum)).isZero();
                text.append("- ");
            } else {
                int length = page.itemLength(offnum);
                byte[] tuple =
                        Arrays.copyOfRange(page.bytes(), page.itemOffset(offnum), page.itemOffset(offnum) + length);
                assertThat(tuple).containsOnly(tuple[0]);
                text.append((char) tuple[0]).append(length).append(' ');
            }
        }
        return text.toString().strip();
    }

    private static RecordBuilder insert(int flag, int heapBlock, int offnum) {
        ByteBuf main = part().writeIntLE(heapBlock).writeIntLE(4).writeShortLE(offnum);
        return record(BrinRedo.INSERT | flag)
                .main(main)
                .block(0, 0x10002, summary('n', 20))
                .block(1, 1);
    }

    @Test
    void anIndexStartsWithItsMetaPage() throws Exception {
        RecordBuilder record = record(BrinRedo.CREATE_INDEX | BrinRedo.INIT_PAGE)
                .main(part().writeIntLE(128).writeShortLE(1))
                .initBlock(0, 0, part());
        Page page = apply(record, 0, new Page(new byte[Page.SIZE_BYTES]));
        assertThat(page.i32(BrinPage.BRIN_MAGIC)).isEqualTo(0xA8109CFA);
        assertThat(page.i32(BrinPage.BRIN_VERSION)).isEqualTo(1);
        assertThat(page.i32(BrinPage.PAGES_PER_RANGE)).isEqualTo(128);
        assertThat(page.lower()).isEqualTo(40);
        assertThat(page.u16(8190)).isEqualTo(0xF091);
    }

    @Test
    void aSummaryTakesTheUnusedNumberItIsGiven() throws Exception {
        Page page = regular(summary('a', 20), summary('b', 20), summary('c', 20));
        page.setItem(2, 0);
        assertThat(describe(apply(insert(0, 9, 2), 0, page))).isEqualTo("a20 n20 c20");
    }

    @Test
    void aNumberInUseIsRefused() {
        assertThatThrownBy(() -> apply(insert(0, 9, 1), 0, regular(summary('a', 20))))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining("BRIN INSERT")
                .hasMessageContaining("line pointer 1 is in use");
    }

    @Test
    void theFirstSummaryOfAPageInitialisesIt() throws Exception {
        ByteBuf main = part().writeIntLE(9).writeIntLE(4).writeShortLE(1);
        RecordBuilder record =
                record(BrinRedo.INSERT | BrinRedo.INIT_PAGE).main(main).initBlock(0, 2, summary('n', 20));
        Page page = apply(record, 0, new Page(new byte[Page.SIZE_BYTES]));
        assertThat(describe(page)).isEqualTo("n20");
        assertThat(page.u16(8190)).isEqualTo(0xF093);
    }

    @Test
    void theRevmapLeadsToTheSummary() throws Exception {
        // Range 3 of a later revmap page, since the block numbers go beyond one page and beyond 31 bits.
        for (int heapBlock : new int[] {13, 13 + 4 * 1360, (int) (13 + 4 * 1360 * 400_000L)}) {
            Page page = apply(insert(0, heapBlock, 5), 1, revmap());
            int entry = 24 + 6 * 3;
            assertThat(ItemPointer.block(page.bytes(), entry)).isEqualTo(0x10002);
            assertThat(ItemPointer.offnum(page.bytes(), entry)).isEqualTo(5);
            assertThat(Arrays.copyOfRange(page.bytes(), entry + 6, BrinPage.SPECIAL))
                    .containsOnly(0);
        }
    }

    @Test
    void anUpdateLeavesTheOldPagesOtherSummariesTheirNumbers() throws Exception {
        for (int oldOffnum = 1; oldOffnum <= 3; oldOffnum++) {
            ByteBuf main =
                    part().writeShortLE(oldOffnum).writeShortLE(0).writeIntLE(9).writeIntLE(4);
            RecordBuilder record = record(BrinRedo.UPDATE)
                    .main(main.writeShortLE(1))
                    .block(0, 7, summary('n', 20))
                    .block(1, 1)
                    .block(2, 2);
            Page old = apply(record, 2, regular(summary('a', 20), summary('b', 12), summary('c', 20)));
            assertThat(describe(old))
                    .isEqualTo(
                            switch (oldOffnum) {
                                case 1 -> "- b12 c20";
                                case 2 -> "a20 - c20";
                                default -> "a20 b12";
                            });
            assertThat(old.upper()).isEqualTo(BrinPage.SPECIAL - (oldOffnum == 2 ? 48 : 40));
            assertThat(describe(apply(record, 0, regular()))).isEqualTo("n20");
            assertThat(ItemPointer.block(apply(record, 1, revmap()).bytes(), 24 + 6 * 2))
                    .isEqualTo(7);
        }
    }

    @Test
    void aSummaryGrowsAndShrinksWhereItIs() throws Exception {
        for (int length : new int[] {4, 20, 24, 60}) {
            RecordBuilder record = record(BrinRedo.SAMEPAGE_UPDATE)
                    .main(part().writeShortLE(2))
                    .block(0, 7, summary('n', length));
            Page page = regular(summary('a', 20), summary('b', 20), summary('c', 20));
            page.setItem(1, 0);
            assertThat(describe(apply(record, 0, page))).isEqualTo("- n" + length + " c20");
            assertThat(page.upper()).isEqualTo(BrinPage.SPECIAL - 48 - Page.align8(length));
        }
    }

    @Test
    void theRevmapGrows() throws Exception {
        RecordBuilder record = record(BrinRedo.REVMAP_EXTEND)
                .main(part().writeIntLE(2))
                .block(0, 0)
                .initBlock(1, 2, part());
        Page meta = new Page(new byte[Page.SIZE_BYTES]);
        BrinPage.initMeta(meta, 128, 1);
        meta.setLower(24);
        apply(record, 0, meta);
        assertThat(meta.i32(BrinPage.LAST_REVMAP_PAGE)).isEqualTo(2);
        assertThat(meta.lower()).isEqualTo(40);
        assertThat(apply(record, 1, new Page(new byte[Page.SIZE_BYTES])).bytes())
                .isEqualTo(stamped(revmap()).bytes());
    }

    private static Page stamped(Page page) {
        page.setLsn(RecordBuilder.END.value());
        return page;
    }

    @Test
    void aRangeIsDesummarized() throws Exception {
        RecordBuilder record = record(BrinRedo.DESUMMARIZE)
                .main(part().writeIntLE(4).writeIntLE(9).writeShortLE(1))
                .block(0, 1)
                .block(1, 2);
        Page map = revmap();
        BrinPage.setRange(map, 4, 9, 2, 1);
        apply(record, 0, map);
        assertThat(ItemPointer.block(map.bytes(), 24 + 6 * 2)).isEqualTo(-1);
        assertThat(ItemPointer.offnum(map.bytes(), 24 + 6 * 2)).isZero();
        Page page = apply(record, 1, regular(summary('a', 20), summary('b', 20)));
        assertThat(describe(page)).isEqualTo("- b20");
    }

    @Test
    void aPageOfAnotherKindIsRefused() {
        assertThatThrownBy(() -> apply(insert(0, 9, 2), 1, regular())).hasMessageContaining("type F093");
        assertThatThrownBy(() -> apply(insert(0, 9, 1), 0, revmap())).hasMessageContaining("type F092");
    }
}
