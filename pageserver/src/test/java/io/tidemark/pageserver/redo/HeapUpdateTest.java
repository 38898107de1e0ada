package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.RecordBuilder.XID;
import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.redo.HeapDialect.Update;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** UPDATE and HOT_UPDATE, in every dialect. */
class HeapUpdateTest {
    private static final int PREFIX = 0x20;
    private static final int SUFFIX = 0x40;

    private static ByteBuf rest(HeapDialect dialect, ByteBuf lengths, String rest) {
        return dialect.header(lengths, 0x8003, 0x2020, 8, 24).writeBytes(rest.getBytes(ISO_8859_1));
    }

    private static Update update(int flags) {
        return new Update(600, 1, 0x10, flags, 12, 601, 2);
    }

    @ParameterizedTest
    @EnumSource
    void aHotUpdateEndsTheOldTupleAndMakesTheNew(HeapDialect dialect) throws RedoException {
        HeapPage heap = new HeapPage(dialect.rules()).add(3, 0x0920, "old");
        heap.page.setFlags(Page.PD_ALL_VISIBLE);
        heap.apply(dialect.update(true, 0, update(0x01)).block(0, 5, rest(dialect, part(), "~new")), 0);
        assertThat(heap.xmax(1)).isEqualTo(600);
        assertThat(heap.ctid(1)).isEqualTo("(5,2)");
        assertThat(heap.infomask2(1)).isEqualTo(0x6003);
        assertThat(heap.infomask(1)).isEqualTo(0x0100);
        assertThat(heap.cid(1)).isEqualTo(dialect.hasCommandIds() ? 12 : 0);
        assertThat(heap.page.i32(Page.PD_PRUNE_XID)).isEqualTo(XID);
        assertThat(heap.page.flags()).isZero();

        assertThat(heap.xmin(2)).isEqualTo(XID);
        assertThat(heap.xmax(2)).isEqualTo(601);
        assertThat(heap.ctid(2)).isEqualTo("(5,2)");
        assertThat(heap.infomask2(2)).isEqualTo(0x8003);
        assertThat(heap.infomask(2)).isEqualTo(dialect.hasCommandIds() ? 0x2020 : 0x2000);
        assertThat(heap.cid(2)).isEqualTo(dialect.hasCommandIds() ? 8 : 0);
        assertThat(heap.body(2)).isEqualTo("~new");
    }

    @ParameterizedTest
    @EnumSource
    void anUpdateThatIsNotHotClearsTheFlag(HeapDialect dialect) throws RedoException {
        HeapPage heap = new HeapPage(dialect.rules()).add(0x4003, 0, "old");
        heap.page.setFlags(Page.PD_ALL_VISIBLE);
        heap.apply(dialect.update(false, 0, update(0x02)).block(0, 5, rest(dialect, part(), "~new")), 0);
        assertThat(heap.infomask2(1)).isEqualTo(0x2003);
        assertThat(heap.page.flags()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void commonColumnsComeFromTheOldTuple(HeapDialect dialect) throws RedoException {
        String[] expected = {"~new", "~abnew", "~newgh", "~abnewgh"};
        int[] flags = {0, PREFIX, SUFFIX, PREFIX | SUFFIX};
        for (int i = 0; i < flags.length; i++) {
            HeapPage heap = new HeapPage(dialect.rules()).add(3, 0, "abcdefgh");
            ByteBuf lengths = part();
            for (int n = Integer.bitCount(flags[i]); n > 0; n--) {
                lengths.writeShortLE(2);
            }
            heap.apply(dialect.update(true, 0, update(flags[i])).block(0, 5, rest(dialect, lengths, "~new")), 0);
            assertThat(heap.body(2)).isEqualTo(expected[i]);
            assertThat(heap.body(1)).endsWith("abcdefgh");
        }
    }

    @ParameterizedTest
    @EnumSource
    void prefixAndSuffixMayOverlapAndBeTheWholeTuple(HeapDialect dialect) throws RedoException {
        HeapPage heap = new HeapPage(dialect.rules()).add(3, 0, "abcd");
        ByteBuf lengths = part().writeShortLE(4).writeShortLE(3);
        heap.apply(dialect.update(true, 0, update(PREFIX | SUFFIX)).block(0, 5, rest(dialect, lengths, "~")), 0);
        assertThat(heap.body(2)).isEqualTo("~abcdbcd");
    }

    @ParameterizedTest
    @EnumSource
    void moreThanTheOldTupleHasIsRefused(HeapDialect dialect) {
        for (int flag : new int[] {PREFIX, SUFFIX}) {
            HeapPage heap = new HeapPage(dialect.rules()).add(3, 0, "abcd");
            ByteBuf data = rest(dialect, part().writeShortLE(5), "~");
            refused(heap, dialect.update(true, 0, update(flag)).block(0, 5, data), 0, "has fewer than the 5 bytes");
        }
        HeapPage heap = new HeapPage(dialect.rules()).add(3, 0, "abcd");
        ByteBuf noBitmap = rest(dialect, part().writeShortLE(4), "");
        refused(heap, dialect.update(true, 0, update(PREFIX)).block(0, 5, noBitmap), 0, "are needed");
    }

    @ParameterizedTest
    @EnumSource
    void twoPagesAreChangedWithoutEachOther(HeapDialect dialect) throws RedoException {
        RecordBuilder record = dialect.update(false, 0, update(0x03))
                .block(0, 5, rest(dialect, part(), "~new"))
                .block(1, 6);
        HeapPage before = new HeapPage(dialect.rules()).add(3, 0, "old");
        before.page.setFlags(Page.PD_ALL_VISIBLE);
        before.apply(record, 1);
        assertThat(before.page.maxOffset()).isEqualTo(1);
        assertThat(before.ctid(1)).isEqualTo("(5,2)");
        assertThat(before.xmax(1)).isEqualTo(600);
        assertThat(before.page.flags()).isZero();

        HeapPage after = new HeapPage(dialect.rules()).add(3, 0, "other");
        after.page.setFlags(Page.PD_ALL_VISIBLE);
        after.apply(record, 0);
        assertThat(after.body(2)).isEqualTo("~new");
        assertThat(after.xmax(1)).isEqualTo(501);
        assertThat(after.page.i32(Page.PD_PRUNE_XID)).isZero();
        assertThat(after.page.flags()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void theNewTuplesPageMayStartFromNothing(HeapDialect dialect) throws RedoException {
        Update first = new Update(600, 1, 0, 0, 12, 0, 1);
        HeapPage heap = new HeapPage(dialect.rules()).add(3, 0, "gone");
        heap.apply(
                dialect.update(false, HeapDialect.INIT, first)
                        .initBlock(0, 5, rest(dialect, part(), "~new"))
                        .block(1, 6),
                0);
        assertThat(heap.page.maxOffset()).isEqualTo(1);
        assertThat(heap.body(1)).isEqualTo("~new");
    }

    @ParameterizedTest
    @EnumSource
    void thePageOfTheOldTupleCannotStartFromNothing(HeapDialect dialect) {
        HeapPage heap = new HeapPage(dialect.rules()).add(3, 0, "old");
        RecordBuilder record = dialect.update(false, HeapDialect.INIT, update(0));
        refused(heap, record.initBlock(0, 5, rest(dialect, part(), "~new")), 0, "cannot start from nothing");
    }

    @ParameterizedTest
    @EnumSource
    void columnsOfAnotherPageCannotBeLeftOut(HeapDialect dialect) {
        HeapPage heap = new HeapPage(dialect.rules()).add(3, 0, "other");
        ByteBuf data = rest(dialect, part().writeShortLE(2), "~new");
        RecordBuilder record =
                dialect.update(false, 0, update(PREFIX)).block(0, 5, data).block(1, 6);
        refused(heap, record, 0, "leaves out columns of a tuple on another page");
    }

    private static void refused(HeapPage heap, RecordBuilder record, int blockId, String why) {
        assertThatThrownBy(() -> heap.apply(record, blockId))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining(why);
    }
}
