package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.BtreePage;
import io.tidemark.pageserver.pgpage.IndexTuple;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.pageserver.pgpage.PostingTuple;
import io.tidemark.wire.wal.BlockReference;

/**
 * Redo of B-tree records (btree_redo in nbtxlog.c).
 *
 * <pre>
 *   INSERT_LEAF, INSERT_POST   offnum(u16)                          0 target
 *   INSERT_UPPER, INSERT_META  offnum(u16)                          0 target, 1 child, 2 meta page (INSERT_META)
 *   SPLIT_L, SPLIT_R           {@link BtreeSplit}
 *   DEDUP                      {@link BtreeDedup}
 *   DELETE, VACUUM             {@link BtreeDeletion}
 *   MARK_PAGE_HALFDEAD, UNLINK_PAGE, UNLINK_PAGE_META   {@link BtreeUnlink}
 *   NEWROOT                    rootblk(u32) level(u32)              0 root, 1 left child, 2 meta page
 *   META_CLEANUP               -                                    0 meta page
 * </pre>
 *
 * <p>REUSE_PAGE names no block.
 */
final class BtreeRedo implements ResourceManagerRedo {
    static final int INSERT_LEAF = 0x00;
    static final int INSERT_UPPER = 0x10;
    static final int INSERT_META = 0x20;
    static final int SPLIT_L = 0x30;
    static final int SPLIT_R = 0x40;
    static final int INSERT_POST = 0x50;
    static final int DEDUP = 0x60;
    static final int DELETE = 0x70;
    static final int UNLINK_PAGE = 0x80;
    static final int UNLINK_PAGE_META = 0x90;
    static final int NEWROOT = 0xA0;
    static final int MARK_PAGE_HALFDEAD = 0xB0;
    static final int VACUUM = 0xC0;
    static final int META_CLEANUP = 0xE0;

    @Override
    public boolean redo(RedoRecord record, BlockReference block, Page page) {
        if (!block.willInit()) {
            BtreePage.require(page);
        }
        int opcode = record.info();
        switch (opcode) {
            case INSERT_LEAF -> insert(record, block, page);
            case INSERT_POST -> insertIntoPosting(record, block, page);
            case INSERT_UPPER, INSERT_META -> insertUpper(record, block, page);
            case SPLIT_L, SPLIT_R -> BtreeSplit.redo(record, block, page, opcode == SPLIT_L);
            case DEDUP -> BtreeDedup.redo(record, block, page);
            case DELETE, VACUUM -> BtreeDeletion.redo(record, block, page, opcode == VACUUM);
            case UNLINK_PAGE, UNLINK_PAGE_META -> BtreeUnlink.unlink(record, block, page);
            case MARK_PAGE_HALFDEAD -> BtreeUnlink.markHalfDead(record, block, page);
            case NEWROOT -> newRoot(record, block, page);
            case META_CLEANUP -> restoreMeta(record, block, page);
            default -> throw record.unknown(block);
        }
        return true;
    }

    private static void insert(RedoRecord record, BlockReference block, Page page) {
        if (block.id() != 0) {
            throw record.unknown(block);
        }
        int offnum = record.main().u16();
        RecordData tuple = record.data(block);
        page.addItem(tuple.array(), tuple.position(), tuple.remaining(), offnum);
    }

    private static void insertUpper(RedoRecord record, BlockReference block, Page page) {
        switch (block.id()) {
            case 0 -> insert(record, block, page);
            case 1 -> finishSplit(page);
            case 2 -> restoreMeta(record, block, page);
            default -> throw record.unknown(block);
        }
    }

    /** The new row's TID falls into a posting list: it takes a place there, and what is inserted is the TID that had to go. */
    private static void insertIntoPosting(RedoRecord record, BlockReference block, Page page) {
        if (block.id() != 0) {
            throw record.unknown(block);
        }
        int offnum = record.main().u16();
        RecordData data = record.data(block);
        int postingOffset = data.u16();
        if (data.remaining() < IndexTuple.HEADER_SIZE_BYTES) {
            throw new PageException("no tuple in " + data.remaining() + " bytes");
        }
        int posting = requireTuple(page, offnum - 1);
        long tid = PostingTuple.swap(page.bytes(), posting, postingOffset, data.array(), data.position());
        page.addItem(data.array(), data.position(), data.remaining(), offnum);
        PostingTuple.putTid(page.bytes(), page.upper(), tid);
    }

    /** Where a tuple that has at least a header starts. */
    static int requireTuple(Page page, int offnum) {
        page.requireItem(offnum);
        int item = page.item(offnum);
        int tuple = item & 0x7FFF;
        if (tuple + IndexTuple.HEADER_SIZE_BYTES > BtreePage.SPECIAL) {
            throw new PageException("tuple " + offnum + " starts at " + tuple);
        }
        return tuple;
    }

    /** _bt_clear_incomplete_split: the page's right sibling has its downlink now. */
    static void finishSplit(Page page) {
        BtreePage.clearFlags(page, BtreePage.BTP_INCOMPLETE_SPLIT);
    }

    private static void newRoot(RedoRecord record, BlockReference block, Page page) {
        switch (block.id()) {
            case 0 -> {
                int level = record.main().skip(4).i32();
                int leaf = level == 0 ? BtreePage.BTP_LEAF : 0;
                BtreePage.init(page, BtreePage.P_NONE, BtreePage.P_NONE, level, BtreePage.BTP_ROOT | leaf);
                if (level > 0) {
                    RecordData tuples = record.data(block);
                    BtreePage.restoreTuples(page, tuples.array(), tuples.position(), tuples.remaining());
                }
            }
            case 1 -> finishSplit(page);
            case 2 -> restoreMeta(record, block, page);
            default -> throw record.unknown(block);
        }
    }

    /** _bt_restore_meta: xl_btree_metadata, laid out as the fields on the page are but for the unused ones. */
    static void restoreMeta(RedoRecord record, BlockReference block, Page page) {
        RecordData data = record.data(block);
        int version = data.i32();
        int root = data.i32();
        int level = data.i32();
        int fastRoot = data.i32();
        int fastLevel = data.i32();
        int deletedPages = data.i32();
        boolean allEqualImage = data.bool();
        BtreePage.init(page, BtreePage.P_NONE, BtreePage.P_NONE, 0, BtreePage.BTP_META);
        page.putI32(BtreePage.BTM_MAGIC, BtreePage.BTREE_MAGIC);
        page.putI32(BtreePage.BTM_VERSION, version);
        page.putI32(BtreePage.BTM_ROOT, root);
        page.putI32(BtreePage.BTM_LEVEL, level);
        page.putI32(BtreePage.BTM_FASTROOT, fastRoot);
        page.putI32(BtreePage.BTM_FASTLEVEL, fastLevel);
        page.putI32(BtreePage.BTM_LAST_CLEANUP_NUM_DELPAGES, deletedPages);
        page.putI64(BtreePage.BTM_LAST_CLEANUP_NUM_HEAP_TUPLES, Double.doubleToRawLongBits(-1.0));
        page.putU8(BtreePage.BTM_ALLEQUALIMAGE, allEqualImage ? 1 : 0);
        page.setLower(BtreePage.META_END);
    }
}
