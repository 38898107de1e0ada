package io.tidemark.pageserver.pgpage;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FreeSpaceMapTest {
    private static final int LEAVES = 28 + 4095;

    @Test
    void inTheFileAPageComesBeforeItsChildren() {
        assertThat(FreeSpaceMap.mapBlockOf(0)).isEqualTo(2);
        assertThat(FreeSpaceMap.mapBlockOf(4068)).isEqualTo(2);
        assertThat(FreeSpaceMap.mapBlockOf(4069)).isEqualTo(3);
        // The second page of the middle level comes before its first child.
        assertThat(FreeSpaceMap.mapBlockOf(4069 * 4069 - 1)).isEqualTo(2 + 4068);
        assertThat(FreeSpaceMap.mapBlockOf(4069 * 4069)).isEqualTo(2 + 4069 + 1);
        assertThat(FreeSpaceMap.mapBlockOf(0xFFFFFFFE)).isEqualTo(1055533 + 259 + 2);
    }

    @Test
    void truncationKeepsAPageThatIsStillAboutABlock() {
        assertThat(FreeSpaceMap.blocksAfterTruncation(0)).isEqualTo(2);
        assertThat(FreeSpaceMap.blocksAfterTruncation(1)).isEqualTo(3);
        assertThat(FreeSpaceMap.blocksAfterTruncation(4069)).isEqualTo(3);
        assertThat(FreeSpaceMap.blocksAfterTruncation(4070)).isEqualTo(4);
    }

    @Test
    void truncationForgetsLeavesAndTheLargestOfTheRestGoesUp() {
        byte[] page = new byte[Page.SIZE_BYTES];
        new Page(page).init(0);
        page[LEAVES] = 7;
        page[LEAVES + 3] = 40;
        page[LEAVES + 4068] = (byte) 200;
        FreeSpaceMap.truncate(page, 4069);
        assertThat(page[28] & 0xFF).as("nothing kept").isZero();
        page[LEAVES] = 7;
        page[LEAVES + 3] = 40;
        page[LEAVES + 4068] = (byte) 200;
        FreeSpaceMap.truncate(page, 4);
        assertThat(page[LEAVES + 4068]).isZero();
        assertThat(page[28] & 0xFF).isEqualTo(40);
        FreeSpaceMap.truncate(page, 4069 + 3);
        assertThat(page[28] & 0xFF).isEqualTo(7);
        assertThat(page[LEAVES]).isEqualTo((byte) 7);
        assertThat(new Page(page).upper()).isEqualTo(8192);
    }
}
