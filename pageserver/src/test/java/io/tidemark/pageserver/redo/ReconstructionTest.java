package io.tidemark.pageserver.redo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.key.ValueFormat;
import io.tidemark.pageserver.pgpage.SlruPages;
import io.tidemark.pageserver.pgpage.VisibilityMap;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import io.tidemark.wire.wal.WalFlavour;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ReconstructionTest {
    private static final RelTag MAP = new RelTag(1663, 5, 16_384, Fork.VM);

    private final Reconstruction stock = new Reconstruction(new RedoRules(17, WalFlavour.STOCK, false));

    private static boolean add(Reconstruction reconstruction, long lsn, Value value) {
        byte[] bytes = ValueFormat.encode(value);
        return reconstruction.add(lsn, bytes, 0, bytes.length);
    }

    private static byte[] map() {
        byte[] page = new byte[8192];
        Arrays.fill(page, 24, 8192, (byte) 0xFF);
        page[15] = 0x20; // pd_upper: not new
        return page;
    }

    @Test
    void changesAreMadeOldestFirstOnTheBase() throws RedoException {
        stock.begin(Keys.relationBlock(MAP, 0));
        assertThat(add(stock, 40, new Value.VisibilityCleared(new int[] {5, 6}, new byte[] {3, 2})))
                .isTrue();
        assertThat(add(stock, 30, new Value.VisibilityTruncated(1001))).isTrue();
        assertThat(add(stock, 20, new Value.Image(map()))).isFalse();
        byte[] page = new byte[8192];
        stock.page(page);
        assertThat(VisibilityMap.get(page, 4)).isEqualTo(3);
        assertThat(VisibilityMap.get(page, 5)).isEqualTo(0);
        assertThat(VisibilityMap.get(page, 6)).isEqualTo(VisibilityMap.ALL_VISIBLE);
        assertThat(VisibilityMap.get(page, 1000)).isEqualTo(3);
        assertThat(VisibilityMap.get(page, 1001)).isEqualTo(0);
        assertThat(Arrays.copyOfRange(page, 24 + 251, 8192)).containsOnly(0);
        assertThat(Arrays.copyOf(page, 8)).containsOnly(0);
    }

    @Test
    void clearedBitsStampThePageOfANeonTimelineOnly() throws RedoException {
        Reconstruction neon = new Reconstruction(new RedoRules(17, WalFlavour.NEON, false));
        neon.begin(Keys.relationBlock(MAP, 0));
        add(neon, 0x1_0000_0040L, new Value.VisibilityCleared(new int[] {5}, new byte[] {3}));
        add(neon, 20, new Value.Image(map()));
        byte[] page = new byte[8192];
        neon.page(page);
        assertThat(Arrays.copyOf(page, 8)).containsExactly(1, 0, 0, 0, 0x40, 0, 0, 0);
    }

    @Test
    void aPageWithoutABaseIsBuiltOnZeros() throws RedoException {
        stock.begin(Keys.slruPage(SlruKind.CLOG, 0));
        add(stock, 30, new Value.TransactionStatus(SlruPages.ABORTED, new int[] {5}));
        add(stock, 20, new Value.TransactionStatus(SlruPages.COMMITTED, new int[] {4, 5}));
        byte[] page = new byte[8192];
        Arrays.fill(page, (byte) 0xFF);
        stock.page(page);
        assertThat(SlruPages.status(page, 3)).isEqualTo(0);
        assertThat(SlruPages.status(page, 4)).isEqualTo(SlruPages.COMMITTED);
        assertThat(SlruPages.status(page, 5)).isEqualTo(SlruPages.ABORTED);
    }

    @Test
    void membersAndOffsetsGoWhereTheSpecPutsThem() throws RedoException {
        stock.begin(Keys.slruPage(SlruKind.MULTIXACT_MEMBERS, 75_462));
        add(stock, 20, new Value.MultixactMembers(123_456_789, new int[] {0x0102_0304}, new byte[] {5}));
        byte[] page = new byte[8192];
        stock.page(page);
        assertThat(page[4780 + 1]).isEqualTo((byte) 5);
        assertThat(Arrays.copyOfRange(page, 4788, 4792)).containsExactly(4, 3, 2, 1);
        stock.begin(Keys.slruPage(SlruKind.MULTIXACT_MEMBERS, 2_625_285));
        add(stock, 20, new Value.MultixactMembers(-1, new int[] {9}, new byte[] {1}));
        stock.page(page);
        assertThat(page[5160 + 3]).isEqualTo((byte) 1);
        assertThat(page[5176]).isEqualTo((byte) 9);
    }

    @Test
    void smallValuesAreTheNewestOnly() throws RedoException {
        Key key = Keys.relationSize(MAP);
        stock.begin(key);
        assertThat(stock.value()).isNull();
        assertThat(add(stock, 30, new Value.Image(new byte[] {1, 2, 3, 4}))).isFalse();
        assertThat(stock.value()).containsExactly(1, 2, 3, 4);
        stock.begin(key);
        add(stock, 40, Value.REMOVED);
        assertThat(stock.value()).isNull();
    }

    @Test
    void damagedVersionsAreNamed() {
        stock.begin(Keys.relationBlock(MAP, 7));
        stock.add(0x30, new byte[] {99, 1, 2}, 0, 3);
        assertThatThrownBy(() -> stock.page(new byte[8192]))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining("relation 1663/5/16384_vm block 7")
                .hasMessageContaining("0/30");
        stock.begin(Keys.relationBlock(MAP, 7));
        stock.add(0x40, new byte[] {4, 0, 24, 1, 2, 3}, 0, 6);
        assertThatThrownBy(() -> stock.page(new byte[8192]))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining("damaged");
    }
}
