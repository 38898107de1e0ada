package io.tidemark.pageserver.pgpage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PageTest {
    private final Page page = new Page(new byte[Page.SIZE_BYTES]);

    @Test
    void initWritesTheHeaderAndNothingElse() {
        Arrays.fill(page.bytes(), (byte) 0x5A);
        page.init(13);
        byte[] expected = new byte[Page.SIZE_BYTES];
        expected[12] = 24;
        expected[14] = (byte) 0xF0; // 8176 = 1FF0
        expected[15] = 0x1F;
        expected[16] = (byte) 0xF0;
        expected[17] = 0x1F;
        expected[18] = 0x04;
        expected[19] = 0x20;
        assertThat(page.bytes()).isEqualTo(expected);
    }

    @Test
    void theLsnsHighWordComesFirst() {
        page.setLsn(0x01020304_05060708L);
        assertThat(Arrays.copyOf(page.bytes(), 8)).containsExactly(4, 3, 2, 1, 8, 7, 6, 5);
        assertThat(page.lsn()).isEqualTo(0x01020304_05060708L);
    }

    @Test
    void aLinePointerIsOffsetFlagsAndLength() {
        page.init(0);
        page.setItem(1, 0x1FF8, Page.LP_DEAD, 0x123);
        assertThat(page.i32(24)).isEqualTo(0x1FF8 | 3 << 15 | 0x123 << 17);
        assertThat(page.itemOffset(1)).isEqualTo(0x1FF8);
        assertThat(page.itemFlags(1)).isEqualTo(Page.LP_DEAD);
        assertThat(page.itemLength(1)).isEqualTo(0x123);
    }

    @Test
    void tuplesGrowDownAlignedAndTheirLengthsAreExact() {
        page.init(0);
        Arrays.fill(page.bytes(), 8000, Page.SIZE_BYTES, (byte) 0x5A);
        assertThat(add(13, 0)).isEqualTo(1);
        assertThat(add(8, 0)).isEqualTo(2);
        assertThat(page.itemOffset(1)).isEqualTo(8176);
        assertThat(page.itemLength(1)).isEqualTo(13);
        assertThat(page.itemOffset(2)).isEqualTo(8168);
        assertThat(page.upper()).isEqualTo(8168);
        assertThat(page.lower()).isEqualTo(32);
        // What alignment adds keeps what was there.
        assertThat(Arrays.copyOfRange(page.bytes(), 8176 + 13, Page.SIZE_BYTES)).containsExactly(0x5A, 0x5A, 0x5A);
    }

    @Test
    void anUnusedNumberIsTakenOnlyWhenThePageSaysItHasSome() {
        pageOfThree();
        page.setItem(2, 0);
        assertThat(add(8, 0)).isEqualTo(4);
        page.setFlags(Page.PD_HAS_FREE_LINES);
        assertThat(add(8, 0)).isEqualTo(2);
        assertThat(page.flags()).isEqualTo(Page.PD_HAS_FREE_LINES);
        assertThat(add(8, 0)).isEqualTo(5);
        assertThat(page.flags()).isZero();
    }

    @Test
    void anIndexTupleMakesRoomBetweenOthers() {
        pageOfThree();
        int[] before = {page.item(1), page.item(2), page.item(3)};
        add(8, 2);
        assertThat(new int[] {page.item(1), page.item(3), page.item(4)}).isEqualTo(before);
        assertThat(page.itemOffset(2)).isEqualTo(page.upper());
        assertThat(page.lower()).isEqualTo(24 + 4 * 4);
    }

    @Test
    void aHeapTupleTakesAnUnusedNumberOrTheNextAndNoOther() {
        pageOfThree();
        page.setItem(2, 0);
        int upper = page.upper();
        assertThat(page.addHeapItem(2, 20)).isEqualTo(upper - 24);
        assertThat(page.lower()).isEqualTo(36);
        assertThat(page.addHeapItem(4, 20)).isEqualTo(upper - 48);
        assertThat(page.lower()).isEqualTo(40);
        refused(() -> page.addHeapItem(4, 8), "line pointer 4 is in use");
        refused(() -> page.addHeapItem(6, 8), "line pointer 6 is too high");
        refused(() -> page.addHeapItem(0, 8), "needs a number");
        page.setItem(1, 0, Page.LP_DEAD, 0);
        refused(() -> page.addHeapItem(1, 8), "line pointer 1 is in use");
    }

    @Test
    void theHeapsLimitIsNotTheIndexes() {
        page.init(0);
        for (int i = 1; i <= Page.MAX_HEAP_TUPLES; i++) {
            page.addHeapItem(i, 1);
        }
        refused(() -> page.addHeapItem(Page.MAX_HEAP_TUPLES + 1, 1), "line pointer 292 is too high");
        assertThat(add(1, 0)).isEqualTo(Page.MAX_HEAP_TUPLES + 1);
    }

    @Test
    void aTupleMustFit() {
        page.init(0);
        page.setUpper(24 + 4 + 16);
        refused(() -> add(17, 0), "no room for 17 bytes");
        assertThat(add(16, 0)).isEqualTo(1);
        assertThat(page.lower()).isEqualTo(page.upper());
        refused(() -> add(0, 0), "no room for 0 bytes");
    }

    @Test
    void pointersThatCannotBeAreRefused() {
        for (int[] pointers : new int[][] {{20, 8192, 8192}, {40, 32, 8192}, {24, 8192, 8000}, {24, 8192, 8200}}) {
            page.init(0);
            page.setLower(pointers[0]);
            page.setUpper(pointers[1]);
            page.putU16(Page.PD_SPECIAL, pointers[2]);
            refused(() -> add(8, 0), "corrupted page pointers");
        }
    }

    @Test
    void theOldestXidIsTheFirstToPruneModulo32Bits() {
        page.setPrunable(100);
        assertThat(page.i32(Page.PD_PRUNE_XID)).isEqualTo(100);
        page.setPrunable(101);
        assertThat(page.i32(Page.PD_PRUNE_XID)).isEqualTo(100);
        page.setPrunable(99);
        assertThat(page.i32(Page.PD_PRUNE_XID)).isEqualTo(99);
        page.setPrunable(0xFFFFFFF0); // before 99, counted in a circle
        assertThat(page.i32(Page.PD_PRUNE_XID)).isEqualTo(0xFFFFFFF0);
        page.setPrunable(5);
        assertThat(page.i32(Page.PD_PRUNE_XID)).isEqualTo(0xFFFFFFF0);
        page.setPrunable(2); // not one of the circle: older than all
        assertThat(page.i32(Page.PD_PRUNE_XID)).isEqualTo(2);
    }

    @Test
    void onlyANormalLinePointerInsideThePageLeadsToATuple() {
        pageOfThree();
        assertThat(page.requireNormal(1)).isEqualTo(page.itemOffset(1));
        refused(() -> page.requireNormal(0), "no line pointer 0");
        refused(() -> page.requireNormal(4), "no line pointer 4");
        page.setItem(2, 1, Page.LP_REDIRECT, 0);
        refused(() -> page.requireNormal(2), "not a normal one");
        page.setItem(3, 8190, Page.LP_NORMAL, 8);
        refused(() -> page.requireNormal(3), "leads outside");
    }

    private int add(int length, int offnum) {
        return page.addItem(new byte[length], 0, length, offnum);
    }

    private void pageOfThree() {
        page.init(0);
        for (int i = 0; i < 3; i++) {
            add(8, 0);
        }
    }

    private static void refused(Runnable action, String why) {
        assertThatThrownBy(action::run).isInstanceOf(PageException.class).hasMessageContaining(why);
    }
}
