package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.VisibilityMap;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pruning, vacuuming, freezing and visibility, in the form of every version. */
class Heap2RedoTest {
    private static final int CLEANUP_LOCK = 0x04;
    private static final int HORIZON = 0x08;
    private static final int PLANS = 0x10;
    private static final int REDIRECTIONS = 0x20;
    private static final int DEAD = 0x40;
    private static final int UNUSED = 0x80;

    static IntStream majors() {
        return IntStream.rangeClosed(14, 18);
    }

    private static RecordBuilder record(int info) {
        return new RecordBuilder(ResourceManagers.HEAP2, info);
    }

    private static HeapPage page(int pgMajor, int tuples) {
        HeapPage heap = new HeapPage(new RedoRules(pgMajor, WalFlavour.STOCK, false));
        for (int i = 1; i <= tuples; i++) {
            heap.add(3, 0x0100, "tuple" + i);
        }
        return heap;
    }

    private static ByteBuf u16s(ByteBuf part, int... values) {
        for (int value : values) {
            part.writeShortLE(value);
        }
        return part;
    }

    /** One letter per line pointer: normal, redirect, dead, unused. */
    private static String linePointers(HeapPage heap) {
        StringBuilder letters = new StringBuilder();
        for (int i = 1; i <= heap.page.maxOffset(); i++) {
            letters.append("unrd".charAt(heap.page.itemFlags(i)));
        }
        return letters.toString();
    }

    @ParameterizedTest
    @MethodSource("majors")
    void pruningRedirectsBuriesAndCompacts(int pgMajor) throws RedoException {
        HeapPage heap = page(pgMajor, 5);
        heap.page.putI32(Page.PD_PRUNE_XID, 44);
        RecordBuilder prune = record(0x10);
        if (pgMajor >= 17) {
            prune.main(part().writeByte(0x55)
                    .writeByte(CLEANUP_LOCK | HORIZON | REDIRECTIONS | DEAD | UNUSED)
                    .writeIntLE(600));
            prune.block(0, 4, u16s(part(), 1, 1, 3, 1, 2, 1, 5));
        } else {
            ByteBuf main = part().writeIntLE(600).writeShortLE(1).writeShortLE(1);
            prune.main(pgMajor == 16 ? main.writeByte(1) : main);
            prune.block(0, 4, u16s(part(), 1, 3, 2, 5));
        }
        heap.apply(prune, 0);
        assertThat(linePointers(heap)).isEqualTo(pgMajor == 14 ? "rdnnu" : "rdnn");
        assertThat(heap.page.itemOffset(1)).isEqualTo(3);
        assertThat(heap.body(3)).endsWith("tuple3");
        assertThat(heap.page.itemOffset(3)).isEqualTo(8192 - 32);
        assertThat(heap.page.itemOffset(4)).isEqualTo(8192 - 64);
        assertThat(heap.page.upper()).isEqualTo(8192 - 64);
        assertThat(heap.page.flags()).isEqualTo(pgMajor == 14 ? Page.PD_HAS_FREE_LINES : 0);
        assertThat(heap.page.i32(Page.PD_PRUNE_XID)).isEqualTo(44);
    }

    @ParameterizedTest
    @MethodSource("majors")
    void vacuumsSecondPassMovesNothing(int pgMajor) throws RedoException {
        HeapPage heap = page(pgMajor, 3);
        int upper = heap.page.upper();
        heap.page.setItem(3, 0, Page.LP_DEAD, 0);
        heap.page.setItem(1, 0, Page.LP_DEAD, 0);
        // Truncation alone is what the missing lock says, whatever the opcode.
        RecordBuilder vacuum = record(pgMajor >= 17 ? 0x10 : 0x20);
        if (pgMajor >= 17) {
            vacuum.main(part().writeByte(0).writeByte(UNUSED)).block(0, 4, u16s(part(), 2, 1, 3));
        } else {
            vacuum.main(part().writeShortLE(2)).block(0, 4, u16s(part(), 1, 3));
        }
        heap.apply(vacuum, 0);
        assertThat(linePointers(heap)).isEqualTo("un");
        assertThat(heap.page.upper()).isEqualTo(upper);
        assertThat(heap.page.flags()).isEqualTo(Page.PD_HAS_FREE_LINES);
    }

    @ParameterizedTest
    @MethodSource("majors")
    void freezingWritesWhatTheRecordSays(int pgMajor) throws RedoException {
        HeapPage heap = page(pgMajor, 3);
        int upper = heap.page.upper();
        heap.apply(freeze(pgMajor), 0);
        assertThat(new int[] {heap.xmax(1), heap.xmax(2), heap.xmax(3)}).containsExactly(0, 9, 0);
        assertThat(heap.infomask(1)).isEqualTo(0x0B00);
        assertThat(heap.infomask2(1)).isEqualTo(3);
        assertThat(heap.infomask(2)).isEqualTo(0x1310);
        assertThat(heap.infomask2(2)).isEqualTo(0x2003);
        assertThat(heap.infomask(3)).isEqualTo(0x0B00);
        assertThat(heap.cid(1)).isEqualTo(2);
        assertThat(heap.cid(2)).isZero();
        assertThat(heap.cid(3)).isEqualTo(2);
        assertThat(heap.page.upper()).isEqualTo(upper);
        assertThat(linePointers(heap)).isEqualTo("nnn");
    }

    /** Tuples 1 and 3: xmax 0, frozen, FREEZE_XVAC; tuple 2: xmax 9, INVALID_XVAC. */
    private static RecordBuilder freeze(int pgMajor) {
        if (pgMajor < 16) {
            ByteBuf tuples = part();
            tuples.writeIntLE(0)
                    .writeShortLE(1)
                    .writeShortLE(3)
                    .writeShortLE(0x0B00)
                    .writeByte(0x02)
                    .writeByte(0x7F);
            tuples.writeIntLE(9)
                    .writeShortLE(2)
                    .writeShortLE(0x2003)
                    .writeShortLE(0x1310)
                    .writeByte(4)
                    .writeByte(0);
            tuples.writeIntLE(0)
                    .writeShortLE(3)
                    .writeShortLE(3)
                    .writeShortLE(0x0B00)
                    .writeByte(0x02)
                    .writeByte(0);
            return record(0x30).main(part().writeIntLE(600).writeShortLE(3)).block(0, 4, tuples);
        }
        ByteBuf plans = part();
        if (pgMajor >= 17) {
            plans.writeShortLE(2).writeShortLE(0x7F7F);
        }
        plans.writeIntLE(0)
                .writeShortLE(3)
                .writeShortLE(0x0B00)
                .writeByte(0x02)
                .writeByte(0x7F)
                .writeShortLE(2);
        plans.writeIntLE(9)
                .writeShortLE(0x2003)
                .writeShortLE(0x1310)
                .writeByte(0x04)
                .writeByte(0)
                .writeShortLE(1);
        u16s(plans, 1, 3, 2);
        ByteBuf main = pgMajor >= 17
                ? part().writeByte(0).writeByte(PLANS | HORIZON).writeIntLE(600)
                : part().writeIntLE(600).writeShortLE(2).writeByte(0);
        return record(pgMajor >= 17 ? 0x20 : 0x30).main(main).block(0, 4, plans);
    }

    @ParameterizedTest
    @ValueSource(ints = {17, 18})
    void offsetsToFreezeComeLast(int pgMajor) throws RedoException {
        HeapPage heap = page(pgMajor, 4);
        ByteBuf data = part().writeShortLE(1).writeShortLE(0);
        data.writeIntLE(0)
                .writeShortLE(3)
                .writeShortLE(0x0B00)
                .writeByte(0)
                .writeByte(0)
                .writeShortLE(1);
        u16s(data, 1, 1, 3, 1, 2, 1, 4);
        u16s(data, 3);
        ByteBuf main = part().writeByte(0).writeByte(CLEANUP_LOCK | PLANS | REDIRECTIONS | DEAD | UNUSED);
        heap.apply(record(0x20).main(main).block(0, 4, data), 0);
        assertThat(linePointers(heap)).isEqualTo("rdn");
        assertThat(heap.infomask(3)).isEqualTo(0x0B00);
        assertThat(heap.body(3)).endsWith("tuple3");
        assertThat(heap.page.upper()).isEqualTo(8192 - 32);
    }

    @ParameterizedTest
    @MethodSource("majors")
    void dataThatDoesNotEndWithItsListsIsRefused(int pgMajor) {
        RecordBuilder prune = record(0x10);
        if (pgMajor >= 17) {
            prune.main(part().writeByte(0).writeByte(DEAD)).block(0, 4, u16s(part(), 1, 1, 2));
        } else {
            ByteBuf main = part().writeIntLE(600).writeShortLE(0).writeShortLE(1);
            prune.main(main).block(0, 4, u16s(part(), 1).writeByte(2));
        }
        refused(page(pgMajor, 3), prune, "more than it should");
    }

    @ParameterizedTest
    @MethodSource("majors")
    void aNumberThatIsNotThereIsRefused(int pgMajor) {
        RecordBuilder prune = record(0x10);
        if (pgMajor >= 17) {
            prune.main(part().writeByte(0).writeByte(REDIRECTIONS)).block(0, 4, u16s(part(), 1, 1, 9));
        } else {
            prune.main(part().writeIntLE(600).writeShortLE(1).writeShortLE(0)).block(0, 4, u16s(part(), 1, 9));
        }
        refused(page(pgMajor, 3), prune, "no line pointer 9");
    }

    @Test
    void lockingALaterVersionTouchesNothingButXmax() throws RedoException {
        HeapPage heap = new HeapPage(HeapDialect.NEON_15.rules()).add(0x4003, 0x0920, "x");
        ByteBuf main =
                part().writeIntLE(600).writeShortLE(1).writeByte(0x02 | 0x08).writeByte(0x01);
        heap.apply(record(0x60).main(main).block(0, 4), 0);
        assertThat(heap.xmax(1)).isEqualTo(600);
        assertThat(heap.infomask(1)).isEqualTo(0x0100 | 0x0020 | 0x0090);
        assertThat(heap.infomask2(1)).isEqualTo(0x4003);
        assertThat(heap.cid(1)).isEqualTo(HeapPage.CID);
        assertThat(heap.ctid(1)).isEqualTo("(99,98)");
    }

    private static RecordBuilder visible(int flags) {
        ByteBuf main = part().writeIntLE(600).writeByte(flags);
        return record(0x40).main(main).mapBlock(0, 1).block(1, 32_672 + 5);
    }

    @Test
    void anAllVisiblePageIsStampedOnlyWhereHintsAreLogged() throws RedoException {
        for (boolean hints : new boolean[] {false, true}) {
            HeapPage heap = new HeapPage(new RedoRules(16, WalFlavour.STOCK, hints)).add(1, 0, "x");
            heap.page.setFlags(Page.PD_HAS_FREE_LINES);
            assertThat(heap.apply(visible(3), 1))
                    .isEqualTo(hints ? PageRedo.Outcome.CHANGED : PageRedo.Outcome.UNCHANGED);
            assertThat(heap.page.flags()).isEqualTo(Page.PD_HAS_FREE_LINES | Page.PD_ALL_VISIBLE);
            assertThat(heap.page.lsn()).isEqualTo(hints ? RecordBuilder.END.value() : 0);
        }
    }

    @Test
    void theMapsPageIsMadeWhenItIsMissing() throws RedoException {
        HeapPage map = new HeapPage(new RedoRules(16, WalFlavour.STOCK, false));
        Arrays.fill(map.page.bytes(), (byte) 0);
        assertThat(map.apply(visible(0x07), 0)).isEqualTo(PageRedo.Outcome.CHANGED);
        assertThat(map.page.upper()).isEqualTo(8192);
        assertThat(map.page.u8(24)).isZero();
        assertThat(map.page.u8(25)).isEqualTo(0b1100); // 04 is about the relation, and no bit of the map
    }

    @Test
    void bitsAreOnlyEverAdded() throws RedoException {
        HeapPage map = new HeapPage(new RedoRules(14, WalFlavour.STOCK, false));
        VisibilityMap.set(map.page.bytes(), 5, VisibilityMap.ALL_VISIBLE);
        VisibilityMap.set(map.page.bytes(), 6, VisibilityMap.ALL_VISIBLE);
        map.apply(visible(0x02), 0);
        assertThat(map.page.u8(25)).isEqualTo(0b01_1100);
        map.page.setLsn(0);
        assertThat(map.apply(visible(0x03), 0)).isEqualTo(PageRedo.Outcome.UNCHANGED);
        assertThat(map.page.lsn()).isZero();
    }

    private static void refused(HeapPage heap, RecordBuilder record, String why) {
        assertThatThrownBy(() -> heap.apply(record, 0))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining(why);
    }
}
