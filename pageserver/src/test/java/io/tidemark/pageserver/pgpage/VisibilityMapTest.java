package io.tidemark.pageserver.pgpage;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class VisibilityMapTest {
    private final byte[] map = new byte[Page.SIZE_BYTES];

    @Test
    void aPageIsAbout32672HeapBlocks() {
        assertThat(VisibilityMap.mapBlockOf(0)).isZero();
        assertThat(VisibilityMap.mapBlockOf(32671)).isZero();
        assertThat(VisibilityMap.mapBlockOf(32672)).isEqualTo(1);
        assertThat(VisibilityMap.mapBlockOf(0xFFFFFFFE)).isEqualTo(131457);
    }

    @Test
    void fourBlocksShareAByte() {
        VisibilityMap.set(map, 32672 + 5, VisibilityMap.ALL_VISIBLE);
        VisibilityMap.set(map, 32672 + 7, VisibilityMap.VALID_BITS);
        assertThat(map[25]).isEqualTo((byte) 0b1100_0100);
        VisibilityMap.clear(map, 7, VisibilityMap.ALL_FROZEN);
        assertThat(map[25]).isEqualTo((byte) 0b0100_0100);
        assertThat(VisibilityMap.get(map, 7)).isEqualTo(VisibilityMap.ALL_VISIBLE);
        assertThat(VisibilityMap.get(map, 6)).isZero();
        VisibilityMap.set(map, 32671, VisibilityMap.VALID_BITS);
        assertThat(map[Page.SIZE_BYTES - 1]).isEqualTo((byte) 0b1100_0000);
    }

    @Test
    void truncationForgetsTheFirstBlockThatIsGoneAndAllBehindIt() {
        for (int kept = 0; kept < 12; kept++) {
            for (int block = 0; block < 32672; block++) {
                VisibilityMap.set(map, block, VisibilityMap.VALID_BITS);
            }
            VisibilityMap.truncate(map, 32672 + kept);
            for (int block = 0; block < 40; block++) {
                assertThat(VisibilityMap.get(map, block)).isEqualTo(block < kept ? VisibilityMap.VALID_BITS : 0);
            }
            assertThat(VisibilityMap.get(map, 32671)).isZero();
        }
    }
}
