package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.HashPage;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.wal.BlockReference;

/**
 * Redo of the steps that split a hash bucket, but for the pages of tuples in between, which come as images (SPLIT_PAGE).
 *
 * <pre>
 *   SPLIT_ALLOCATE_PAGE  new_bucket(u32) old_bucket_flag(u16) new_bucket_flag(u16) flags(u8)
 *                        0 old bucket; 1 new bucket, made from nothing;
 *                        2 meta page: [lowmask(u32) highmask(u32), flag 01] [ovflpoint(u32) spares(u32), flag 02]
 *   SPLIT_COMPLETE       old_bucket_flag(u16) new_bucket_flag(u16)      0 old bucket; 1 new bucket
 *   SPLIT_CLEANUP        -                                              0 old bucket
 * </pre>
 */
final class HashSplit {
    /** XLH_SPLIT_META_UPDATE_MASKS. */
    private static final int UPDATE_MASKS = 0x01;

    /** XLH_SPLIT_META_UPDATE_SPLITPOINT. */
    private static final int UPDATE_SPLITPOINT = 0x02;

    private HashSplit() {}

    static boolean allocate(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        int newBucket = main.i32();
        int oldFlag = main.u16();
        int newFlag = main.u16();
        switch (block.id()) {
            case 0 -> {
                // A bucket's first page has no page before it; it keeps the highest bucket of the last split there.
                page.putI32(HashPage.HASHO_PREVBLKNO, newBucket);
                page.putU16(HashPage.HASHO_FLAG, oldFlag);
            }
            case 1 -> HashPage.init(page, newBucket, HashPage.INVALID, newBucket, newFlag);
            case 2 -> growMeta(page, newBucket, main.u8(), record.data(block));
            default -> throw record.unknown(block);
        }
        return true;
    }

    private static void growMeta(Page page, int newBucket, int flags, RecordData data) {
        page.putI32(HashPage.HASHM_MAXBUCKET, newBucket);
        if ((flags & UPDATE_MASKS) != 0) {
            page.putI32(HashPage.HASHM_LOWMASK, data.i32());
            page.putI32(HashPage.HASHM_HIGHMASK, data.i32());
        }
        if ((flags & UPDATE_SPLITPOINT) != 0) {
            int splitpoint = data.i32();
            page.putI32(HashPage.spareAt(splitpoint), data.i32());
            page.putI32(HashPage.HASHM_OVFLPOINT, splitpoint);
        }
    }

    static boolean complete(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        switch (block.id()) {
            case 0 -> page.putU16(HashPage.HASHO_FLAG, main.u16());
            case 1 -> page.putU16(HashPage.HASHO_FLAG, main.skip(2).u16());
            default -> throw record.unknown(block);
        }
        return true;
    }

    static boolean cleanUp(RedoRecord record, BlockReference block, Page page) {
        if (block.id() != 0) {
            throw record.unknown(block);
        }
        HashPage.clearFlag(page, HashPage.LH_BUCKET_NEEDS_SPLIT_CLEANUP);
        return true;
    }
}
