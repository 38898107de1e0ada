package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.pageserver.pgpage.VisibilityMap;
import io.tidemark.pageserver.redo.HeapDialect.Update;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalRecord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class VisibilityChangeTest {
    private static final int FAR = 40_000; // of the map's second page

    /** The bits cleared on pages that the record does not name, one number per reference. */
    private static List<Integer> unnamed(HeapDialect dialect, RecordBuilder builder) {
        WalRecord record = builder.build(dialect.pgMajor);
        List<Integer> bits = new ArrayList<>();
        for (BlockReference block : record.blocks()) {
            bits.add(VisibilityChange.unnamedBits(new RedoRecord(record, dialect.rules()), block));
        }
        return bits;
    }

    private static RecordBuilder update(HeapDialect dialect, int flags) {
        return dialect.update(false, 0, new Update(1, 1, 0, flags, 0, 0, 1));
    }

    @ParameterizedTest
    @EnumSource
    void aFlagInTheMainDataSaysWhatIsCleared(HeapDialect dialect) {
        for (int flag = 0; flag <= 1; flag++) {
            int noise = 0xFC; // the other flags say other things
            int both = flag * VisibilityMap.VALID_BITS;
            int frozen = flag * VisibilityMap.ALL_FROZEN;
            assertThat(unnamed(dialect, dialect.insert(0, 1, flag | noise).block(0, 4)))
                    .containsExactly(both);
            assertThat(unnamed(
                            dialect,
                            dialect.delete(1, 1, 0xFF, flag | noise, -1).block(0, 4)))
                    .containsExactly(both);
            assertThat(unnamed(
                            dialect,
                            dialect.multiInsert(0, flag | noise, -1, 1, 1).block(0, 4)))
                    .containsExactly(both);
            assertThat(unnamed(
                            dialect, dialect.lock(1, 1, 0xFF, flag | noise, -1).block(0, 4)))
                    .containsExactly(frozen);
            RecordBuilder lockUpdated = new RecordBuilder(ResourceManagers.HEAP2, Heap2Redo.LOCK_UPDATED);
            lockUpdated.main(
                    part().writeIntLE(1).writeShortLE(1).writeByte(0xFF).writeByte(flag | noise));
            assertThat(unnamed(dialect, lockUpdated.block(0, 4))).containsExactly(frozen);
        }
    }

    @ParameterizedTest
    @EnumSource
    void anUpdateTellsItsTwoBlocksApart(HeapDialect dialect) {
        assertThat(unnamed(dialect, update(dialect, 0).block(0, 4).block(1, 5))).containsExactly(0, 0);
        assertThat(unnamed(dialect, update(dialect, 1).block(0, 4).block(1, 5))).containsExactly(0, 3);
        assertThat(unnamed(dialect, update(dialect, 2).block(0, 4).block(1, 5))).containsExactly(3, 0);
        assertThat(unnamed(dialect, update(dialect, 3).block(0, 4).block(1, 5))).containsExactly(3, 3);
        assertThat(unnamed(dialect, update(dialect, 1).block(0, 4))).containsExactly(3);
        assertThat(unnamed(dialect, update(dialect, 2).block(0, 4))).containsExactly(3);
        assertThat(unnamed(dialect, update(dialect, 0).block(0, 4))).containsExactly(0);
    }

    @ParameterizedTest
    @EnumSource
    void aPageThatIsNamedIsNotAlsoUnnamed(HeapDialect dialect) {
        assertThat(unnamed(dialect, dialect.insert(0, 1, 1).block(0, 4).mapBlock(1, 0)))
                .containsExactly(0, 0);
        assertThat(unnamed(dialect, update(dialect, 3).block(0, 4).block(1, FAR).mapBlock(2, 0)))
                .containsExactly(0, 3, 0);
        assertThat(unnamed(
                        dialect,
                        update(dialect, 3)
                                .block(0, 4)
                                .block(1, FAR)
                                .mapBlock(2, 0)
                                .mapBlock(3, 1)))
                .containsExactly(0, 0, 0, 0);
    }

    @Test
    void otherRecordsClearNothing() {
        HeapDialect stock = HeapDialect.STOCK;
        for (int opcode : new int[] {0x30, 0x50, 0x70}) {
            RecordBuilder record = new RecordBuilder(ResourceManagers.HEAP, opcode).main(part().writeLong(-1));
            assertThat(unnamed(stock, record.block(0, 4))).containsExactly(0);
        }
        for (int rmgrId : new int[] {ResourceManagers.BTREE, 134}) {
            RecordBuilder record = new RecordBuilder(rmgrId, 0).main(part().writeLong(-1));
            assertThat(unnamed(stock, record.block(0, 4))).containsExactly(0);
        }
    }

    private static HeapPage fullMap(HeapDialect dialect) {
        HeapPage map = new HeapPage(dialect.rules());
        Arrays.fill(map.page.bytes(), 24, 8192, (byte) 0xFF);
        return map;
    }

    @ParameterizedTest
    @EnumSource
    void redoClearsTheBitsOfTheMapsPageThatIsNamed(HeapDialect dialect) throws RedoException {
        HeapPage map = fullMap(dialect);
        map.apply(dialect.delete(1, 1, 0, 1, 0).block(0, 6).mapBlock(1, 0), 1);
        assertThat(map.page.u8(24)).isEqualTo(0xFF);
        assertThat(map.page.u8(25)).isEqualTo(0b1100_1111);
        map.page.setLsn(0);
        map.apply(dialect.lock(1, 1, 0, 1, 0).block(0, 7).mapBlock(1, 0), 1);
        assertThat(map.page.u8(25)).isEqualTo(0b0100_1111);
    }

    @ParameterizedTest
    @EnumSource
    void onePageMayBeAboutBothBlocksOfAnUpdate(HeapDialect dialect) throws RedoException {
        HeapPage map = fullMap(dialect);
        map.apply(update(dialect, 3).block(0, 4).block(1, 5).mapBlock(2, 0), 2);
        assertThat(map.page.u8(25)).isEqualTo(0b1111_0000);
        HeapPage near = fullMap(dialect);
        RecordBuilder two =
                update(dialect, 3).block(0, 4).block(1, FAR).mapBlock(2, 0).mapBlock(3, 1);
        near.apply(two, 2);
        assertThat(near.page.u8(25)).isEqualTo(0b1111_1100);
        HeapPage far = fullMap(dialect);
        far.apply(two, 3);
        assertThat(VisibilityMap.get(far.page.bytes(), FAR)).isZero();
        assertThat(VisibilityMap.get(far.page.bytes(), FAR + 1)).isEqualTo(3);
    }

    @Test
    void aMapThatTheFlagsSayNothingAboutIsRefused() {
        HeapDialect stock = HeapDialect.STOCK;
        assertThatThrownBy(() ->
                        fullMap(stock).apply(stock.insert(0, 1, 0).block(0, 4).mapBlock(1, 0), 1))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining("no redo for opcode 00, block reference 1");
    }
}
