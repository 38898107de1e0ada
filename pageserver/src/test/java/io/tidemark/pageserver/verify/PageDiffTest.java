package io.tidemark.pageserver.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.pgpage.BtreePage;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.SpgistPage;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PageDiffTest {
    @Test
    void equalPagesHaveNoDifference() {
        assertThat(PageDiff.describe(heapPage().bytes(), heapPage().bytes())).isEmpty();
    }

    @Test
    void fieldsAreNamed() {
        Page changed = heapPage();
        changed.setLsn(0x1_0000_0028L);
        changed.setFlags(Page.PD_ALL_VISIBLE);
        changed.putI32(changed.itemOffset(2) + 4, 77);
        changed.putU16(changed.itemOffset(2) + 16, 9);
        changed.putU8(changed.itemOffset(1) + 30, 0xAB);
        assertThat(PageDiff.describe(heapPage().bytes(), changed.bytes()))
                .containsExactly(
                        "pd_lsn 0/0, have 1/28",
                        "pd_flags 0x0, have 0x4",
                        "tuple 2: t_xmax 0, have 77",
                        "tuple 2: t_ctid (0,0), have (0,9)",
                        "bytes 8158 to 8159, tuple 1 + 30: 00, have ab");
    }

    @Test
    void aTupleTooManyIsALinePointer() {
        Page more = heapPage();
        more.addItem(new byte[24], 0, 24, 0);
        assertThat(PageDiff.describe(heapPage().bytes(), more.bytes()))
                .containsExactly(
                        "pd_lower 32, have 36",
                        "pd_upper 8088, have 8064",
                        "line pointer 3: none, have normal at 8064 of 24");
    }

    @Test
    void theSpecialAreaGoesByTheKindOfPage() {
        Page expected = new Page(new byte[Page.SIZE_BYTES]);
        BtreePage.init(expected, 3, 4, 0, BtreePage.BTP_LEAF);
        Page actual = new Page(expected.bytes().clone());
        actual.putI32(BtreePage.BTPO_NEXT, 5);
        assertThat(PageDiff.describe(expected.bytes(), actual.bytes()))
                .containsExactly("special area: btpo_next 4, have 5");
        assertThat(PageKind.of(expected.bytes())).isEqualTo(PageKind.BTREE);
        SpgistPage.init(actual, SpgistPage.LEAF);
        assertThat(PageKind.of(actual.bytes())).isEqualTo(PageKind.SPGIST);
    }

    @Test
    void nonsenseIsDescribedToo() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int i = 0; i < 2_000; i++) {
            byte[] left = new byte[Page.SIZE_BYTES];
            random.nextBytes(left);
            byte[] right = left.clone();
            right[random.nextInt(Page.SIZE_BYTES)] ^= 1;
            assertThat(PageDiff.describe(left, right))
                    .as("seed %d, round %d", seed, i)
                    .hasSize(1);
        }
    }

    private static Page heapPage() {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        page.init(0);
        page.addItem(new byte[60], 0, 60, 0);
        page.addItem(new byte[40], 0, 40, 0);
        return page;
    }
}
