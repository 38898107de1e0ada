package io.tidemark.pageserver.pgpage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class HeapTupleTest {
    @Test
    void anExclusiveLockAloneDoesNotDeleteATuple() {
        assertThat(HeapTuple.isLockedOnly(HeapTuple.HEAP_XMAX_LOCK_ONLY)).isTrue();
        assertThat(HeapTuple.isLockedOnly(HeapTuple.HEAP_XMAX_LOCK_ONLY | HeapTuple.HEAP_XMAX_IS_MULTI))
                .isTrue();
        assertThat(HeapTuple.isLockedOnly(HeapTuple.HEAP_XMAX_EXCL_LOCK)).isTrue();
        assertThat(HeapTuple.isLockedOnly(HeapTuple.HEAP_XMAX_EXCL_LOCK | HeapTuple.HEAP_XMAX_IS_MULTI))
                .isFalse();
        assertThat(HeapTuple.isLockedOnly(HeapTuple.HEAP_LOCK_MASK)).isFalse();
        assertThat(HeapTuple.isLockedOnly(HeapTuple.HEAP_XMAX_KEYSHR_LOCK)).isFalse();
        assertThat(HeapTuple.isLockedOnly(0)).isFalse();
    }

    @Test
    void theBitsAboutXmaxAreThoseOfPostgres() {
        assertThat(HeapTuple.HEAP_XMAX_BITS).isEqualTo(0x1CD0);
    }

    @Test
    void aTidHasItsBlocksHighHalfFirst() {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        HeapTuple.setCtid(page, 100, 0x01020304, 0x0506);
        assertThat(Arrays.copyOfRange(page.bytes(), 112, 118)).containsExactly(2, 1, 4, 3, 6, 5);
    }

    @Test
    void whatIsShorterThanAHeaderOrOutsideOfTheTupleSpaceIsNoTuple() {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        page.init(0);
        page.addHeapItem(1, 23);
        assertThat(HeapTuple.require(page, 1)).isEqualTo(8168);
        page.addHeapItem(2, 22);
        assertThatThrownBy(() -> HeapTuple.require(page, 2)).isInstanceOf(PageException.class);
        page.setItem(1, 100, Page.LP_NORMAL, 30);
        assertThatThrownBy(() -> HeapTuple.require(page, 1)).isInstanceOf(PageException.class);
    }
}
