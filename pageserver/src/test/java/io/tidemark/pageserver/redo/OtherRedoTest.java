package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What all records have in common, and the resource managers that are small: XLOG, sequences, generic WAL. */
class OtherRedoTest {
    private final HeapPage page = new HeapPage(new RedoRules(16, WalFlavour.STOCK, false));

    private static HeapPage pageOf(int pgMajor) {
        return new HeapPage(new RedoRules(pgMajor, WalFlavour.STOCK, false));
    }

    private static byte[] image() {
        Page image = new Page(new byte[Page.SIZE_BYTES]);
        image.init(0);
        image.setLsn(1);
        Arrays.fill(image.bytes(), 5000, 6000, (byte) 0x33);
        return image.bytes();
    }

    @Test
    void anImageIsRestoredAndStamped() throws RedoException {
        assertThat(page.apply(new RecordBuilder(ResourceManagers.XLOG, XlogRedo.FPI).image(3, 9, image(), true), 3))
                .isEqualTo(PageRedo.Outcome.RESTORED);
        assertThat(page.page.lsn()).isEqualTo(RecordBuilder.END.value());
        byte[] expected = image();
        assertThat(Arrays.copyOfRange(page.page.bytes(), 8, 8192)).isEqualTo(Arrays.copyOfRange(expected, 8, 8192));
    }

    @Test
    void anImageIsRestoredEvenOnAPageThatIsAhead() throws RedoException {
        page.page.setLsn(RecordBuilder.END.value() + 100);
        page.apply(new RecordBuilder(ResourceManagers.XLOG, XlogRedo.FPI).image(0, 9, image(), true), 0);
        assertThat(page.page.lsn()).isEqualTo(RecordBuilder.END.value());
    }

    @Test
    void anImageOfANewPageIsNotStamped() throws RedoException {
        byte[] zeros = new byte[Page.SIZE_BYTES];
        page.apply(new RecordBuilder(ResourceManagers.XLOG, XlogRedo.FPI).image(0, 9, zeros, true), 0);
        assertThat(page.page.bytes()).isEqualTo(zeros);
    }

    @Test
    void anImageThatOnlyServesCheckingIsNotApplied() throws RedoException {
        HeapPage heap = new HeapPage(HeapDialect.STOCK.rules()).add(3, 0, "x");
        heap.apply(HeapDialect.STOCK.delete(600, 1, 0, 0, 0).image(0, 4, image(), false), 0);
        assertThat(heap.xmax(1)).isEqualTo(600);
    }

    @Test
    void aPageThatHasTheChangeAlreadyIsLeftAlone() throws RedoException {
        for (long ahead = 0; ahead <= 8; ahead += 8) {
            HeapPage heap = new HeapPage(HeapDialect.STOCK.rules()).add(3, 0, "x");
            heap.page.setLsn(RecordBuilder.END.value() + ahead);
            byte[] before = heap.page.bytes().clone();
            assertThat(heap.apply(HeapDialect.STOCK.delete(600, 1, 0, 0, 0).block(0, 4), 0))
                    .isEqualTo(PageRedo.Outcome.ALREADY_DONE);
            assertThat(heap.page.bytes()).isEqualTo(before);
        }
        HeapPage heap = new HeapPage(HeapDialect.STOCK.rules()).add(3, 0, "x");
        heap.page.setLsn(RecordBuilder.END.value() - 8);
        assertThat(heap.apply(HeapDialect.STOCK.delete(600, 1, 0, 0, 0).block(0, 4), 0))
                .isEqualTo(PageRedo.Outcome.CHANGED);
    }

    @Test
    void aHintNeedsNoImageFrom15On() throws RedoException {
        RecordBuilder hint = new RecordBuilder(ResourceManagers.XLOG, XlogRedo.FPI_FOR_HINT).block(0, 9);
        for (int pgMajor = 15; pgMajor <= 18; pgMajor++) {
            HeapPage untouched = pageOf(pgMajor);
            assertThat(untouched.apply(hint, 0)).isEqualTo(PageRedo.Outcome.UNCHANGED);
            assertThat(untouched.page.lsn()).isZero();
        }
        refused(pageOf(14), hint, "no image to apply");
        refused(page, new RecordBuilder(ResourceManagers.XLOG, XlogRedo.FPI).block(0, 9), "no image to apply");
        refused(page, new RecordBuilder(ResourceManagers.XLOG, 0x30).block(0, 9), "no redo for opcode 30");
    }

    @Test
    void aSequencesPageIsMadeAnew() throws RedoException {
        Arrays.fill(page.page.bytes(), (byte) 0x5A);
        ByteBuf main = part().writeZero(12);
        for (int i = 0; i < 41; i++) {
            main.writeByte(i + 1);
        }
        page.apply(new RecordBuilder(ResourceManagers.SEQUENCE, 0).main(main).initBlock(0, 0, part()), 0);
        assertThat(page.page.special()).isEqualTo(8184);
        assertThat(page.page.i32(8184)).isEqualTo(0x1717);
        assertThat(page.page.i32(8188)).isZero();
        assertThat(page.page.maxOffset()).isEqualTo(1);
        assertThat(page.page.itemOffset(1)).isEqualTo(8184 - 48);
        assertThat(page.page.itemLength(1)).isEqualTo(41);
        assertThat(page.page.u8(8184 - 48)).isEqualTo(1);
        assertThat(page.page.u8(8184 - 48 + 40)).isEqualTo(41);
        assertThat(page.page.u8(8184 - 1)).isZero();
        RecordBuilder notNew =
                new RecordBuilder(ResourceManagers.SEQUENCE, 0).main(main).block(0, 0);
        page.page.setLsn(0);
        refused(page, notNew, "from nothing");
        refused(
                page,
                new RecordBuilder(ResourceManagers.SEQUENCE, 0x10).main(main).initBlock(0, 0, part()),
                "no redo");
    }

    @Test
    void genericWalCopiesBytesAndZeroesTheHole() throws RedoException {
        Arrays.fill(page.page.bytes(), 24, 8192, (byte) 0x5A);
        ByteBuf delta = part().writeShortLE(12).writeShortLE(4).writeShortLE(40).writeShortLE(8000);
        delta.writeShortLE(8100).writeShortLE(3).writeByte(1).writeByte(2).writeByte(3);
        page.apply(new RecordBuilder(ResourceManagers.GENERIC, 0).block(2, 9, delta), 2);
        byte[] expected = new byte[Page.SIZE_BYTES];
        Arrays.fill(expected, 24, 40, (byte) 0x5A);
        Arrays.fill(expected, 8000, 8192, (byte) 0x5A);
        expected[8100] = 1;
        expected[8101] = 2;
        expected[8102] = 3;
        assertThat(Arrays.copyOfRange(page.page.bytes(), 24, 8192)).isEqualTo(Arrays.copyOfRange(expected, 24, 8192));
    }

    @Test
    void genericWalOutsideOfThePageOrItsDataIsRefused() {
        ByteBuf outside = part().writeShortLE(8190).writeShortLE(3).writeByte(1).writeShort(0);
        refused(page, new RecordBuilder(ResourceManagers.GENERIC, 0).block(0, 9, outside), "redo of Generic");
        ByteBuf cut = part().writeShortLE(100).writeShortLE(3).writeShort(0);
        refused(page, new RecordBuilder(ResourceManagers.GENERIC, 0).block(0, 9, cut), "are needed");
        ByteBuf insane = part().writeShortLE(12).writeShortLE(2).writeShortLE(9000);
        refused(page, new RecordBuilder(ResourceManagers.GENERIC, 0).block(0, 9, insane), "corrupted page pointers");
    }

    @Test
    void recordsOfManagersWithoutPagesAreRefused() {
        refused(page, new RecordBuilder(ResourceManagers.CLOG, 0).block(0, 9), "does not change pages");
    }

    private static void refused(HeapPage page, RecordBuilder record, String why) {
        int blockId = record.build(16).blocks().get(0).id();
        assertThatThrownBy(() -> page.apply(record, blockId))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining(why);
    }
}
