package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.pgpage.HashPage;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.redo.PageRedo.Outcome;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class HashRedoTest {
    private static final int INVALID = HashPage.INVALID;

    private static RecordBuilder record(int opcode) {
        return new RecordBuilder(ResourceManagers.HASH, opcode);
    }

    private static Outcome apply(RecordBuilder builder, int blockId, Page page, int pgMajor) throws RedoException {
        WalRecord record = builder.build(pgMajor);
        return new PageRedo(new RedoRules(pgMajor, WalFlavour.STOCK, false))
                .apply(record, BtreeTuples.reference(record, blockId), page.bytes());
    }

    private static Page apply(RecordBuilder builder, int blockId, Page page) throws RedoException {
        assertThat(apply(builder, blockId, page, 17)).isEqualTo(Outcome.CHANGED);
        assertThat(page.lsn()).isEqualTo(RecordBuilder.END.value());
        return page;
    }

    /** A tuple with the hash as its key, for the row of this number. */
    private static ByteBuf tuple(int row) {
        ByteBuf tuple = part().writeShortLE(0).writeShortLE(1).writeShortLE(row).writeShortLE(16);
        return tuple.writeIntLE(row * 1000).writeIntLE(0);
    }

    private static Page page(int flag, int... rows) {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        HashPage.init(page, 3, 4, 1, flag);
        for (int row : rows) {
            page.addItem(RecordBuilder.bytesOf(tuple(row)), 0, 16, 0);
        }
        return page;
    }

    private static int[] rows(Page page) {
        int[] rows = new int[page.maxOffset()];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = page.u16(page.requireNormal(i + 1) + 4);
        }
        return rows;
    }

    private static Page meta(double tuples) throws RedoException {
        ByteBuf main = part().writeDoubleLE(tuples).writeIntLE(400).writeShortLE(10);
        RecordBuilder record = record(HashRedo.INIT_META_PAGE).main(main).initBlock(0, 0, part());
        Page page = apply(record, 0, new Page(new byte[Page.SIZE_BYTES]));
        page.setLsn(0);
        return page;
    }

    @Test
    void aMetaPageHasAsManyBucketsAsTheExpectedRowsAskFor() throws Exception {
        // expected rows at ten per bucket, maxbucket, highmask, lowmask, ovflpoint
        double[][] cases = {
            {0, 1, 3, 1, 1},
            {25, 1, 3, 1, 1},
            {35, 3, 7, 3, 2},
            {5120, 511, 1023, 511, 9},
            {10_000, 1023, 2047, 1023, 13},
            {1_000_000, 114_687, 131_071, 65_535, 40},
            {1e300, 0x3FFFFFFF, 0x7FFFFFFF, 0x3FFFFFFF, 93},
        };
        for (double[] expected : cases) {
            Page page = meta(expected[0]);
            assertThat(new double[] {
                        expected[0],
                        page.i32(HashPage.HASHM_MAXBUCKET),
                        page.i32(HashPage.HASHM_HIGHMASK),
                        page.i32(HashPage.HASHM_LOWMASK),
                        page.i32(HashPage.HASHM_OVFLPOINT)
                    })
                    .isEqualTo(expected);
            assertThat(page.i32(HashPage.spareAt((int) expected[4]))).isEqualTo(1);
            assertThat(page.lower()).isEqualTo(4568);
            assertThat(page.u16(HashPage.HASHM_BSIZE)).isEqualTo(8152);
        }
    }

    @Test
    void theFirstBitmapPageComesBehindTheBuckets() throws Exception {
        RecordBuilder record = record(HashRedo.INIT_BITMAP_PAGE)
                .main(part().writeShortLE(4096))
                .initBlock(0, 3, part())
                .block(1, 0);
        Page meta = apply(record, 1, meta(0));
        assertThat(meta.i32(HashPage.HASHM_NMAPS)).isEqualTo(1);
        assertThat(meta.i32(HashPage.HASHM_MAPP)).isEqualTo(3);

        Page bitmap = apply(record, 0, new Page(new byte[Page.SIZE_BYTES]));
        assertThat(bitmap.lower()).isEqualTo(24 + 4096);
        assertThat(Arrays.copyOfRange(bitmap.bytes(), 24, 24 + 4096)).containsOnly(0xFF);
        assertThat(bitmap.u16(HashPage.HASHO_FLAG)).isEqualTo(HashPage.LH_BITMAP_PAGE);
        assertThat(bitmap.u16(HashPage.HASHO_PAGE_ID)).isEqualTo(0xFF80);
    }

    @Test
    void anInsertionCountsTheRow() throws Exception {
        RecordBuilder record = record(HashRedo.INSERT)
                .main(part().writeShortLE(2))
                .block(0, 1, tuple(5))
                .block(1, 0);
        assertThat(rows(apply(record, 0, page(HashPage.LH_BUCKET_PAGE, 1, 9)))).containsExactly(1, 5, 9);
        Page meta = meta(0);
        apply(record, 1, meta);
        meta.setLsn(0);
        apply(record, 1, meta);
        assertThat(HashPage.tuples(meta)).isEqualTo(2.0);
    }

    private static RecordBuilder addOverflow(boolean found, boolean newBitmap) {
        RecordBuilder record = record(HashRedo.ADD_OVFL_PAGE)
                .main(part().writeShortLE(4096).writeBoolean(found))
                .initBlock(0, 50, part().writeIntLE(6))
                .block(1, 7)
                .block(2, 3, part().writeIntLE(33));
        if (newBitmap) {
            record.initBlock(3, 51, part());
        }
        return record.block(4, 0, part().writeIntLE(34));
    }

    @Test
    void anOverflowPageIsChainedBehindTheLast() throws Exception {
        Page added = apply(addOverflow(true, false), 0, new Page(new byte[Page.SIZE_BYTES]));
        assertThat(added.i32(HashPage.HASHO_PREVBLKNO)).isEqualTo(7);
        assertThat(added.i32(HashPage.HASHO_NEXTBLKNO)).isEqualTo(INVALID);
        assertThat(added.i32(HashPage.HASHO_BUCKET)).isEqualTo(6);
        assertThat(added.u16(HashPage.HASHO_FLAG)).isEqualTo(HashPage.LH_OVERFLOW_PAGE);
        Page before = apply(addOverflow(true, false), 1, page(HashPage.LH_BUCKET_PAGE, 1));
        assertThat(before.i32(HashPage.HASHO_NEXTBLKNO)).isEqualTo(50);
    }

    @Test
    void aBitIsSetForAPageInUseAndClearedForAFreeOne() throws Exception {
        Page bitmap = new Page(new byte[Page.SIZE_BYTES]);
        HashPage.initBitmap(bitmap, 4096);
        bitmap.putI32(28, 0);
        apply(addOverflow(true, false), 2, bitmap);
        assertThat(bitmap.i32(28)).isEqualTo(2);

        RecordBuilder outside = record(HashRedo.ADD_OVFL_PAGE).block(2, 3, part().writeIntLE(32768));
        bitmap.setLsn(0);
        assertThatThrownBy(() -> apply(outside, 2, bitmap, 17)).hasMessageContaining("no bit 32768");
    }

    @Test
    void theMetaPageCountsPagesThatDidNotExistBefore() throws Exception {
        int spare = HashPage.spareAt(1);
        assertThat(apply(addOverflow(true, false), 4, meta(0)).i32(spare)).isEqualTo(1);
        assertThat(apply(addOverflow(false, false), 4, meta(0)).i32(spare)).isEqualTo(2);
        Page withBitmap = apply(addOverflow(false, true), 4, meta(0));
        assertThat(withBitmap.i32(spare)).isEqualTo(3);
        assertThat(withBitmap.i32(HashPage.HASHM_NMAPS)).isEqualTo(1);
        assertThat(withBitmap.i32(HashPage.HASHM_MAPP)).isEqualTo(51);
        assertThat(withBitmap.i32(HashPage.HASHM_FIRSTFREE)).isEqualTo(34);
    }

    @Test
    void aSplitAllocatesTheNewBucket() throws Exception {
        ByteBuf main =
                part().writeIntLE(9).writeShortLE(0x22).writeShortLE(0x12).writeByte(3);
        ByteBuf change = part().writeIntLE(7).writeIntLE(15).writeIntLE(4).writeIntLE(12);
        RecordBuilder record = record(HashRedo.SPLIT_ALLOCATE_PAGE)
                .main(main)
                .block(0, 2)
                .initBlock(1, 11, part())
                .block(2, 0, change);
        Page old = apply(record, 0, page(HashPage.LH_BUCKET_PAGE, 1, 2));
        assertThat(old.u16(HashPage.HASHO_FLAG)).isEqualTo(0x22);
        assertThat(old.i32(HashPage.HASHO_PREVBLKNO)).isEqualTo(9);
        assertThat(rows(old)).containsExactly(1, 2);
        Page created = apply(record, 1, new Page(new byte[Page.SIZE_BYTES]));
        assertThat(created.u16(HashPage.HASHO_FLAG)).isEqualTo(0x12);
        assertThat(created.i32(HashPage.HASHO_BUCKET)).isEqualTo(9);
        assertThat(created.i32(HashPage.HASHO_PREVBLKNO)).isEqualTo(9);
        Page meta = apply(record, 2, meta(0));
        assertThat(meta.i32(HashPage.HASHM_MAXBUCKET)).isEqualTo(9);
        assertThat(meta.i32(HashPage.HASHM_LOWMASK)).isEqualTo(7);
        assertThat(meta.i32(HashPage.HASHM_HIGHMASK)).isEqualTo(15);
        assertThat(meta.i32(HashPage.HASHM_OVFLPOINT)).isEqualTo(4);
        assertThat(meta.i32(HashPage.spareAt(4))).isEqualTo(12);
    }

    private static RecordBuilder squeeze(int count, boolean primary, boolean prev) {
        ByteBuf main = part().writeIntLE(20).writeIntLE(22).writeShortLE(count);
        ByteBuf tuples = part();
        for (int i = 0; i < count; i++) {
            tuples.writeShortLE(2 + i);
        }
        for (int i = 0; i < count; i++) {
            tuples.writeBytes(tuple(50 + i));
        }
        return record(HashRedo.SQUEEZE_PAGE)
                .main(main.writeBoolean(primary).writeBoolean(prev))
                .block(0, 2)
                .block(1, 19, tuples)
                .block(2, 21)
                .block(3, 20)
                .block(4, 22)
                .block(5, 3, part().writeIntLE(40))
                .block(6, 0, part().writeIntLE(40));
    }

    @Test
    void aSqueezeMovesTuplesAndFreesThePage() throws Exception {
        Page written = apply(squeeze(2, false, true), 1, page(HashPage.LH_OVERFLOW_PAGE, 1, 9));
        assertThat(rows(written)).containsExactly(1, 50, 51, 9);
        assertThat(written.i32(HashPage.HASHO_NEXTBLKNO)).isEqualTo(22);
        Page freed = apply(squeeze(2, false, false), 2, page(HashPage.LH_OVERFLOW_PAGE, 1, 2));
        assertThat(freed.u16(HashPage.HASHO_FLAG)).isEqualTo(HashPage.LH_UNUSED_PAGE);
        assertThat(freed.maxOffset()).isZero();
        assertThat(freed.i32(HashPage.HASHO_BUCKET)).isEqualTo(INVALID);
        Page before = apply(squeeze(2, false, false), 3, page(HashPage.LH_OVERFLOW_PAGE, 1));
        assertThat(before.i32(HashPage.HASHO_NEXTBLKNO)).isEqualTo(22);
        assertThat(before.i32(HashPage.HASHO_PREVBLKNO)).isEqualTo(3);
        Page behind = apply(squeeze(2, false, false), 4, page(HashPage.LH_OVERFLOW_PAGE, 1));
        assertThat(behind.i32(HashPage.HASHO_PREVBLKNO)).isEqualTo(20);
        Page bitmap = new Page(new byte[Page.SIZE_BYTES]);
        HashPage.initBitmap(bitmap, 4096);
        assertThat(apply(squeeze(2, false, false), 5, bitmap).i32(28)).isEqualTo(~(1 << 8));
        assertThat(apply(squeeze(2, false, false), 6, meta(0)).i32(HashPage.HASHM_FIRSTFREE))
                .isEqualTo(40);
    }

    @Test
    void since17ASqueezeDoesNotStampAPageItOnlyNames() throws Exception {
        for (int major = 14; major <= 18; major++) {
            Page page = page(HashPage.LH_BUCKET_PAGE, 1, 9);
            byte[] before = page.bytes().clone();
            Outcome outcome = apply(squeeze(0, true, false), 1, page, major);
            assertThat(outcome).as("PostgreSQL %d", major).isEqualTo(major < 17 ? Outcome.CHANGED : Outcome.UNCHANGED);
            if (major < 17) {
                assertThat(page.lsn()).isEqualTo(RecordBuilder.END.value());
                page.setLsn(0);
            }
            assertThat(page.bytes()).isEqualTo(before);
        }
    }

    @Test
    void aBucketNamedForItsLockKeepsItsLsn() throws Exception {
        RecordBuilder move = record(HashRedo.MOVE_PAGE_CONTENTS)
                .main(part().writeShortLE(0).writeBoolean(false))
                .block(0, 2);
        RecordBuilder delete = record(HashRedo.DELETE)
                .main(part().writeBoolean(true).writeBoolean(false))
                .block(0, 2);
        for (RecordBuilder record : List.of(move, delete, squeeze(1, false, false))) {
            Page page = page(HashPage.LH_BUCKET_PAGE | HashPage.LH_PAGE_HAS_DEAD_TUPLES, 1, 9);
            byte[] before = page.bytes().clone();
            assertThat(apply(record, 0, page, 15)).isEqualTo(Outcome.UNCHANGED);
            assertThat(page.bytes()).isEqualTo(before);
        }
    }

    @Test
    void contentsMoveFromOnePageToAnother() throws Exception {
        ByteBuf tuples =
                part().writeShortLE(1).writeShortLE(3).writeBytes(tuple(7)).writeBytes(tuple(8));
        RecordBuilder record = record(HashRedo.MOVE_PAGE_CONTENTS)
                .main(part().writeShortLE(2).writeBoolean(true))
                .block(1, 19, tuples)
                .block(2, 20, part().writeShortLE(1).writeShortLE(3));
        assertThat(rows(apply(record, 1, page(HashPage.LH_BUCKET_PAGE, 1, 9)))).containsExactly(7, 1, 8, 9);
        assertThat(rows(apply(record, 2, page(HashPage.LH_OVERFLOW_PAGE, 7, 6, 8))))
                .containsExactly(6);
    }

    @Test
    void deletionClearsTheDeadMarkOnlyWhenTold() throws Exception {
        int flag = HashPage.LH_BUCKET_PAGE | HashPage.LH_PAGE_HAS_DEAD_TUPLES;
        for (boolean clear : new boolean[] {true, false}) {
            RecordBuilder record = record(HashRedo.DELETE)
                    .main(part().writeBoolean(clear).writeBoolean(true))
                    .block(1, 2, part().writeShortLE(2));
            Page page = apply(record, 1, page(flag, 1, 2, 3));
            assertThat(rows(page)).containsExactly(1, 3);
            assertThat(page.u16(HashPage.HASHO_FLAG)).isEqualTo(clear ? HashPage.LH_BUCKET_PAGE : flag);
        }
    }

    @Test
    void deadTuplesAreRemovedInEitherLayout() throws Exception {
        for (int major = 14; major <= 18; major++) {
            ByteBuf main = part().writeIntLE(700);
            if (major < 16) {
                main.writeIntLE(3);
            } else {
                main.writeShortLE(3).writeBoolean(true).writeByte(0x7F);
            }
            RecordBuilder record = record(HashRedo.VACUUM_ONE_PAGE)
                    .main(main.writeShortLE(1).writeShortLE(2).writeShortLE(4))
                    .block(0, 2)
                    .block(1, 0);
            Page page = page(HashPage.LH_BUCKET_PAGE | HashPage.LH_PAGE_HAS_DEAD_TUPLES, 1, 2, 3, 4);
            apply(record, 0, page, major);
            assertThat(rows(page)).as("PostgreSQL %d", major).containsExactly(3);
            assertThat(page.u16(HashPage.HASHO_FLAG)).isEqualTo(HashPage.LH_BUCKET_PAGE);
            Page meta = meta(0);
            HashPage.setTuples(meta, 10);
            apply(record, 1, meta, major);
            assertThat(HashPage.tuples(meta)).isEqualTo(7.0);
        }
    }

    @Test
    void aSplitWithoutAnImageIsRefused() {
        RecordBuilder record = record(HashRedo.SPLIT_PAGE).block(0, 2);
        assertThatThrownBy(() -> apply(record, 0, page(HashPage.LH_BUCKET_PAGE), 17))
                .isInstanceOf(RedoException.class)
                .hasMessageContaining("Hash SPLIT_PAGE")
                .hasMessageContaining("must come as an image");
    }
}
