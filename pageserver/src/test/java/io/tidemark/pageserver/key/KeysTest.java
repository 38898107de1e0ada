package io.tidemark.pageserver.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import org.junit.jupiter.api.Test;

class KeysTest {
    private static final RelTag HEAP = new RelTag(1663, 0xF000_0005, 0x8000_4000, Fork.MAIN);

    @Test
    void aBlocksKeyNamesItsRelationAndBlock() {
        Key key = Keys.relationBlock(HEAP.withFork(Fork.VM), 0xFFFF_FFF0);
        assertThat(KeyKind.of(key)).isEqualTo(KeyKind.RELATION_BLOCK);
        assertThat(Keys.relTag(key)).isEqualTo(HEAP.withFork(Fork.VM));
        assertThat(key.f6()).isEqualTo(0xFFFF_FFF0);
        assertThat(Keys.describe(key)).isEqualTo("relation 1663/4026531845/2147500032_vm block 4294967280");
        assertThat(Key.parse(key.toString())).isEqualTo(key);
    }

    @Test
    void blocksOfARelationAreNeighbours() {
        KeyRange range = Keys.relationBlocks(HEAP, 5, 8);
        assertThat(range.contains(Keys.relationBlock(HEAP, 5))).isTrue();
        assertThat(range.contains(Keys.relationBlock(HEAP, 7))).isTrue();
        assertThat(range.contains(Keys.relationBlock(HEAP, 8))).isFalse();
        assertThat(Keys.relationBlock(HEAP, 5).next()).isEqualTo(Keys.relationBlock(HEAP, 6));
    }

    @Test
    void theSizesOfADatabaseAreOneRange() {
        KeyRange sizes = Keys.relationSizes(1663, HEAP.database());
        assertThat(sizes.contains(Keys.relationSize(HEAP))).isTrue();
        assertThat(sizes.contains(Keys.relationSize(new RelTag(1663, HEAP.database(), 0, Fork.MAIN))))
                .isTrue();
        assertThat(sizes.contains(Keys.relationSize(new RelTag(1663, HEAP.database(), -1, Fork.INIT))))
                .isTrue();
        assertThat(sizes.contains(Keys.relationSize(new RelTag(1663, HEAP.database() + 1, 0, Fork.MAIN))))
                .isFalse();
        assertThat(sizes.contains(Keys.relationSize(new RelTag(1663, HEAP.database() - 1, -1, Fork.INIT))))
                .isFalse();
        assertThat(sizes.contains(Keys.relationSize(new RelTag(1664, HEAP.database(), 1, Fork.MAIN))))
                .isFalse();
        assertThat(KeyKind.RELATION_SIZE.range().contains(sizes.start())).isTrue();
    }

    @Test
    void slruPagesCountThroughSegments() {
        Key key = Keys.slruPage(SlruKind.MULTIXACT_MEMBERS, 2_625_285);
        assertThat(key.f4()).isEqualTo(82_040);
        assertThat(key.f6()).isEqualTo(5);
        assertThat(Keys.slruPageNumber(key)).isEqualTo(2_625_285);
        assertThat(Keys.slruKind(key)).isEqualTo(SlruKind.MULTIXACT_MEMBERS);
        assertThat(Keys.slruSegmentSizes(SlruKind.MULTIXACT_MEMBERS)
                        .contains(Keys.slruSegmentSize(SlruKind.MULTIXACT_MEMBERS, 82_040)))
                .isTrue();
        assertThat(Keys.slruSegmentSizes(SlruKind.CLOG).contains(Keys.slruSegmentSize(SlruKind.MULTIXACT_MEMBERS, 0)))
                .isFalse();
    }

    @Test
    void preparedTransactionsKeepTheirEpoch() {
        long fullXid = 0xABCD_0123_9876_5432L;
        assertThat(Keys.twoPhaseXid(Keys.twoPhaseFile(fullXid))).isEqualTo(fullXid);
    }

    @Test
    void aTablespaceThatDoesNotFitIsRefused() {
        assertThatThrownBy(() -> Keys.relationBlock(65_536, 1, 1, 0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Keys.database(-1, 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void auxFilesAreTheirTimelinesOwn() {
        Key key = Keys.auxFile("pg_replslot/a/state");
        assertThat(KeyKind.of(key)).isEqualTo(KeyKind.AUX_FILE);
        assertThat(KeyKind.AUX_FILE.isInherited()).isFalse();
        assertThat(KeyKind.REPLICATION_ORIGIN.isInherited()).isFalse();
        assertThat(KeyKind.RELATION_SIZE.isInherited()).isTrue();
        assertThat(key).isNotEqualTo(Keys.auxFile("pg_replslot/b/state"));
    }

    @Test
    void kindsDoNotOverlap() {
        for (KeyKind kind : KeyKind.values()) {
            for (KeyKind other : KeyKind.values()) {
                assertThat(kind.range().overlaps(other.range())).isEqualTo(kind == other);
            }
        }
        assertThat(KeyKind.of(Key.MAX)).isNull();
    }
}
