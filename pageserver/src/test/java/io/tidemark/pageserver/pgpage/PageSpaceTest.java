package io.tidemark.pageserver.pgpage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PageSpaceTest {
    private final Page page = new Page(new byte[Page.SIZE_BYTES]);

    /** A page whose tuple n has lengths[n - 1] bytes n, at descending places. */
    private void fill(int... lengths) {
        page.init(16);
        Arrays.fill(page.bytes(), page.special(), Page.SIZE_BYTES, (byte) 0x5A);
        for (int length : lengths) {
            int offnum = page.maxOffset() + 1;
            byte[] tuple = new byte[length];
            Arrays.fill(tuple, (byte) offnum);
            page.addItem(tuple, 0, length, offnum);
        }
    }

    /** In order of the numbers: what the tuple is made of, where it starts counted back from the special area, its length. */
    private String describe() {
        StringBuilder text = new StringBuilder();
        for (int i = 1; i <= page.maxOffset(); i++) {
            if (page.itemLength(i) == 0) {
                text.append(page.item(i) == 0 ? "- " : "x ");
                continue;
            }
            byte[] tuple =
                    Arrays.copyOfRange(page.bytes(), page.itemOffset(i), page.itemOffset(i) + page.itemLength(i));
            assertThat(tuple).containsOnly(tuple[0]);
            text.append(tuple[0]).append('@').append(page.special() - page.itemOffset(i));
            text.append('+').append(page.itemLength(i)).append(' ');
        }
        assertThat(Arrays.copyOfRange(page.bytes(), page.special(), Page.SIZE_BYTES))
                .containsOnly((byte) 0x5A);
        return text + "/" + (page.special() - page.upper());
    }

    @Test
    void repairLaysTuplesOutInTheOrderOfTheirNumbers() {
        fill(8, 12, 24, 16);
        swap(1, 4); // tuples are no longer in the order of their places
        page.setItem(2, 0);
        PageSpace.repairFragmentation(page, 15);
        assertThat(describe()).isEqualTo("4@16+16 - 3@40+24 1@48+8 /48");
        assertThat(page.flags()).isEqualTo(Page.PD_HAS_FREE_LINES);
    }

    @Test
    void repairKeepsLinePointersWithoutTuples() {
        fill(8, 8, 8);
        page.setItem(1, 3, Page.LP_REDIRECT, 0);
        page.setItem(2, 0, Page.LP_DEAD, 0);
        page.setFlags(Page.PD_HAS_FREE_LINES);
        PageSpace.repairFragmentation(page, 17);
        assertThat(describe()).isEqualTo("x x 3@8+8 /8");
        assertThat(page.itemOffset(1)).isEqualTo(3);
        assertThat(page.flags()).isZero();
    }

    @Test
    void repairGivesUnusedNumbersAtTheEndBackOnlyFrom15On() {
        for (int pgMajor = 14; pgMajor <= 18; pgMajor++) {
            fill(8, 8, 8, 8);
            page.setItem(2, 0);
            page.setItem(3, 0);
            page.setItem(4, 0);
            PageSpace.repairFragmentation(page, pgMajor);
            assertThat(page.maxOffset()).isEqualTo(pgMajor == 14 ? 4 : 1);
            assertThat(page.flags()).isEqualTo(pgMajor == 14 ? Page.PD_HAS_FREE_LINES : 0);
        }
    }

    @Test
    void repairOfAPageWithoutTuplesGivesAllSpaceBack() {
        for (int pgMajor = 14; pgMajor <= 15; pgMajor++) {
            fill(8, 8);
            page.setItem(1, 0, Page.LP_DEAD, 0);
            page.setItem(2, 0);
            PageSpace.repairFragmentation(page, pgMajor);
            assertThat(describe()).isEqualTo(pgMajor == 14 ? "x - /0" : "x /0");
        }
    }

    @Test
    void repairResetsWhatAnUnusedLinePointerStillSays() {
        fill(8, 8);
        page.setItem(1, 100, Page.LP_UNUSED, 8);
        PageSpace.repairFragmentation(page, 14);
        assertThat(describe()).isEqualTo("- 2@8+8 /8");
    }

    @Test
    void repairRefusesTuplesThatTakeMoreThanThereIs() {
        fill(4000, 3000);
        page.setItem(3, page.itemOffset(1), Page.LP_NORMAL, 4000);
        page.setLower(36);
        assertThatThrownBy(() -> PageSpace.repairFragmentation(page, 15)).isInstanceOf(PageException.class);
    }

    @Test
    void truncationKeepsTheFirstNumberAndWhatIsUsed() {
        fill(8, 8, 8, 8);
        page.setItem(2, 0);
        page.setItem(4, 0);
        PageSpace.truncateLinePointers(page);
        assertThat(describe()).isEqualTo("1@8+8 - 3@24+8 /32");
        assertThat(page.flags()).isEqualTo(Page.PD_HAS_FREE_LINES);
        page.setItem(3, 0);
        PageSpace.truncateLinePointers(page);
        assertThat(page.maxOffset()).isEqualTo(1);
        assertThat(page.flags()).isZero();
        page.setItem(1, 0);
        PageSpace.truncateLinePointers(page);
        assertThat(page.maxOffset()).isEqualTo(1);
        assertThat(page.flags()).isEqualTo(Page.PD_HAS_FREE_LINES);
    }

    @Test
    void oneDeletionClosesTheGapAndRenumbers() {
        fill(8, 12, 24, 16);
        PageSpace.deleteIndexTuple(page, 2);
        assertThat(describe()).isEqualTo("1@8+8 3@32+24 4@48+16 /48");
        PageSpace.deleteIndexTuple(page, 3);
        assertThat(describe()).isEqualTo("1@8+8 3@32+24 /32");
    }

    @Test
    void twoDeletionsKeepThePhysicalOrderAndThreeDoNot() {
        fill(8, 8, 8, 8, 8);
        swap(1, 5);
        PageSpace.deleteIndexTuples(page, new int[] {2, 3, 99}, 2);
        assertThat(describe()).isEqualTo("5@24+8 4@16+8 1@8+8 /24");

        fill(8, 8, 8, 8, 8);
        swap(1, 5);
        PageSpace.deleteIndexTuples(page, new int[] {2, 3, 4, 99}, 3);
        assertThat(describe()).isEqualTo("5@8+8 1@16+8 /16");
    }

    @Test
    void allTuplesCanBeDeletedAtOnce() {
        fill(8, 8, 8);
        PageSpace.deleteIndexTuples(page, new int[] {1, 2, 3}, 3);
        assertThat(describe()).isEqualTo("/0");
    }

    @Test
    void numbersThatAreNotThereCannotBeDeleted() {
        fill(8, 8, 8);
        assertThatThrownBy(() -> PageSpace.deleteIndexTuples(page, new int[] {1, 2, 4}, 3))
                .isInstanceOf(PageException.class);
        assertThatThrownBy(() -> PageSpace.deleteIndexTuple(page, 4)).isInstanceOf(PageException.class);
    }

    @Test
    void aDeletionThatKeepsNumbersLeavesAnUnusedOneUnlessItWasTheLast() {
        fill(8, 8, 16);
        PageSpace.deleteIndexTupleKeepingNumbers(page, 1);
        assertThat(describe()).isEqualTo("- 2@8+8 3@24+16 /24");
        PageSpace.deleteIndexTupleKeepingNumbers(page, 3);
        assertThat(describe()).isEqualTo("- 2@8+8 /8");
        PageSpace.deleteIndexTupleKeepingNumbers(page, 2);
        assertThat(describe()).isEqualTo("- /0"); // one number is given up, the unused ones before it stay
    }

    @Test
    void anOverwriteMovesOnlyWhatLiesBelow() {
        fill(8, 16, 8);
        overwrite(2, 7);
        assertThat(describe()).isEqualTo("1@8+8 9@16+7 3@24+8 /24");
        overwrite(2, 30);
        assertThat(describe()).isEqualTo("1@8+8 9@40+30 3@48+8 /48");
        overwrite(2, 32);
        assertThat(describe()).isEqualTo("1@8+8 9@40+32 3@48+8 /48");
    }

    @Test
    void anOverwriteKeepsAKilledTupleKilled() {
        fill(8, 16, 8);
        page.setItem(2, page.itemOffset(2), Page.LP_DEAD, 16);
        overwrite(2, 24);
        assertThat(page.itemFlags(2)).isEqualTo(Page.LP_DEAD);
        assertThat(describe()).isEqualTo("1@8+8 9@32+24 3@40+8 /40");
    }

    @Test
    void anOverwriteMustFit() {
        fill(8);
        page.setLower(page.upper() - 8);
        assertThatThrownBy(() -> overwrite(1, 17))
                .isInstanceOf(PageException.class)
                .hasMessageContaining("no room");
        overwrite(1, 16);
        assertThat(page.upper()).isEqualTo(page.lower());
    }

    private void overwrite(int offnum, int length) {
        byte[] tuple = new byte[length];
        Arrays.fill(tuple, (byte) 9);
        PageSpace.overwriteIndexTuple(page, offnum, tuple, 0, length);
    }

    private void swap(int offnum, int other) {
        int item = page.item(offnum);
        page.setItem(offnum, page.item(other));
        page.setItem(other, item);
    }
}
