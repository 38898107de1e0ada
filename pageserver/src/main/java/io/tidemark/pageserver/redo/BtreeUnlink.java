package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.BtreePage;
import io.tidemark.pageserver.pgpage.IndexTuple;
import io.tidemark.pageserver.pgpage.ItemPointer;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageSpace;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.LittleEndian;

/**
 * Redo of the two steps that delete an empty page (btree_xlog_mark_page_halfdead, btree_xlog_unlink_page).
 *
 * <pre>
 *   MARK_PAGE_HALFDEAD  poffset(u16) pad(2) leafblk(u32) leftblk(u32) rightblk(u32) topparent(u32)
 *                       0 the leaf, made from nothing; 1 the parent of the subtree
 *   UNLINK_PAGE(_META)  leftsib(u32) rightsib(u32) level(u32) pad(4) safexid(u64) leafleftsib(u32) leafrightsib(u32)
 *                       leaftopparent(u32)
 *                       0 the page, made from nothing; 1 left sibling, if any; 2 right sibling;
 *                       3 the half-dead leaf below, made from nothing, if the page is an inner one; 4 meta page (_META)
 * </pre>
 */
final class BtreeUnlink {
    private static final int RIGHTBLK = 12;
    private static final int SAFEXID = 16;
    private static final int LEAFRIGHTSIB = 28;

    private BtreeUnlink() {}

    static void markHalfDead(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        switch (block.id()) {
            case 0 -> {
                int left = main.seek(RIGHTBLK - 4).i32();
                halfDeadLeaf(page, left, main.i32(), main.i32());
            }
            case 1 -> removeDownlink(page, main.u16());
            default -> throw record.unknown(block);
        }
    }

    /** The downlink to the subtree takes over the block of the next one, which goes: the key space falls to the right sibling. */
    private static void removeDownlink(Page page, int offnum) {
        int kept = BtreeRedo.requireTuple(page, offnum);
        int removed = BtreeRedo.requireTuple(page, offnum + 1);
        byte[] bytes = page.bytes();
        ItemPointer.putBlock(bytes, kept, ItemPointer.block(bytes, removed));
        PageSpace.deleteIndexTuple(page, offnum + 1);
    }

    /**
     * A half-dead leaf has only a dummy high key, whose TID leads to the top of the subtree that is being deleted
     * (BTreeTupleSetTopParent).
     */
    private static void halfDeadLeaf(Page page, int left, int right, int topParent) {
        BtreePage.init(page, left, right, 0, BtreePage.BTP_HALF_DEAD | BtreePage.BTP_LEAF);
        int tuple = BtreePage.append(page, IndexTuple.HEADER_SIZE_BYTES);
        ItemPointer.put(page.bytes(), tuple, topParent, 0);
        LittleEndian.putU16(
                page.bytes(), tuple + IndexTuple.T_INFO, IndexTuple.AM_RESERVED | IndexTuple.HEADER_SIZE_BYTES);
    }

    static void unlink(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        int left = main.i32();
        int right = main.i32();
        switch (block.id()) {
            case 0 -> deletedPage(page, left, right, main);
            case 1 -> page.putI32(BtreePage.BTPO_NEXT, right);
            case 2 -> page.putI32(BtreePage.BTPO_PREV, left);
            case 3 -> {
                int leafLeft = main.seek(LEAFRIGHTSIB - 4).i32();
                halfDeadLeaf(page, leafLeft, main.i32(), main.i32());
            }
            case 4 -> {
                if (record.info() != BtreeRedo.UNLINK_PAGE_META) {
                    throw record.unknown(block);
                }
                BtreeRedo.restoreMeta(record, block, page);
            }
            default -> throw record.unknown(block);
        }
    }

    /** BTPageSetDeleted. */
    private static void deletedPage(Page page, int left, int right, RecordData main) {
        int level = main.i32();
        long safeXid = main.seek(SAFEXID).i64();
        int leaf = level == 0 ? BtreePage.BTP_LEAF : 0;
        BtreePage.init(page, left, right, level, BtreePage.BTP_DELETED | BtreePage.BTP_HAS_FULLXID | leaf);
        page.putI64(BtreePage.SAFEXID, safeXid);
        page.setLower(BtreePage.DELETED_END);
    }
}
