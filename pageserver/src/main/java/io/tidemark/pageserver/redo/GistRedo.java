package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.GistPage;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageSpace;
import io.tidemark.wire.wal.BlockReference;

/**
 * Redo of GiST (gist_redo in gistxlog.c).
 *
 * <p>PAGE_REUSE and ASSIGN_LSN name no block. Whatever clears FOLLOW_RIGHT of the left child does it on top of an image too: the
 * server changes that child only after the record, and with it the image, is made.
 */
final class GistRedo implements ResourceManagerRedo {
    private static final int PAGE_UPDATE = 0x00;
    private static final int DELETE = 0x10;
    private static final int PAGE_SPLIT = 0x30;
    private static final int PAGE_DELETE = 0x60;

    @Override
    public boolean redo(RedoRecord record, BlockReference block, Page page) {
        if (isLeftChild(record, block)) {
            clearFollowRight(record, page);
            return true;
        }
        switch (record.info()) {
            case PAGE_UPDATE -> updatePage(record, block, page);
            case DELETE -> delete(record, block, page);
            case PAGE_SPLIT -> splitPage(record, block, page);
            case PAGE_DELETE -> deletePage(record, block, page);
            default -> throw record.unknown(block);
        }
        return true;
    }

    @Override
    public void afterImage(RedoRecord record, BlockReference block, Page page) {
        if (isLeftChild(record, block)) {
            clearFollowRight(record, page);
        }
    }

    /** Whether the block is the child whose split the record completes. */
    private static boolean isLeftChild(RedoRecord record, BlockReference block) {
        return switch (record.info()) {
            case PAGE_UPDATE -> block.id() == 1;
            case PAGE_SPLIT -> block.id() == 0;
            default -> false;
        };
    }

    private static void clearFollowRight(RedoRecord record, Page page) {
        GistPage.clearFlags(page, GistPage.FOLLOW_RIGHT);
        GistPage.setNsn(page, record.end());
    }

    /** Main data: ntodelete(u16) ntoinsert(u16); the block's: offsets(u16 each) index tuples. */
    private static void updatePage(RedoRecord record, BlockReference block, Page page) {
        if (block.id() != 0) {
            throw record.unknown(block);
        }
        RecordData main = record.main();
        int toDelete = main.u16();
        int toInsert = main.u16();
        RecordData data = record.data(block);
        int[] offnums = data.u16s(toDelete);
        int flags = GistPage.flags(page);
        if (toDelete == 1 && toInsert == 1) {
            // In place, as gistplacetopage does: deleting and adding would put the tuple somewhere else.
            int size = IndexTuples.nextSize(data);
            PageSpace.overwriteIndexTuple(page, offnums[0], data.array(), data.take(size), size);
            data.requireConsumed();
            return;
        }
        if (toDelete > 0) {
            PageSpace.deleteIndexTuples(page, offnums, toDelete);
            if ((flags & GistPage.LEAF) != 0) {
                GistPage.setFlags(page, GistPage.TUPLES_DELETED);
            }
        }
        IndexTuples.requireCount(toInsert, IndexTuples.appendAll(page, data));
    }

    /**
     * gistRedoDeleteRecord: takes killed tuples off a leaf. Sets TUPLES_DELETED although the server's own pruning
     * (gistprunepage) does not; so does PostgreSQL's redo.
     *
     * <pre>
     *   main, 14 and 15:  latestRemovedXid(u32) ntodelete(u16) offsets
     *         from 16 on: snapshotConflictHorizon(u32) ntodelete(u16) isCatalogRel(bool) pad(u8) offsets
     * </pre>
     */
    private static void delete(RedoRecord record, BlockReference block, Page page) {
        if (block.id() != 0) {
            throw record.unknown(block);
        }
        RecordData main = record.main();
        int count = main.skip(4).u16();
        main.skip(record.pgMajor() >= 16 ? 2 : 0);
        PageSpace.deleteIndexTuples(page, main.u16s(count), count);
        GistPage.clearFlags(page, GistPage.HAS_GARBAGE);
        GistPage.setFlags(page, GistPage.TUPLES_DELETED);
    }

    /**
     * gistRedoPageSplitRecord: each page is made from nothing.
     *
     * <pre>
     *   main: origrlink(u32) pad(4) orignsn(u64) origleaf(bool) pad(u8) npage(u16) markfollowright(bool)
     *   data of references 1 to npage: count(i32) index tuples
     * </pre>
     */
    private static void splitPage(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        int origRightLink = main.i32();
        long origNsn = main.skip(4).i64();
        boolean origLeaf = main.bool();
        int pages = main.skip(1).u16();
        boolean markFollowRight = main.bool();
        if (block.id() > pages) {
            throw record.unknown(block);
        }
        boolean root = block.block() == GistPage.ROOT_BLOCK;
        GistPage.init(page, origLeaf && !root ? GistPage.LEAF : 0);
        RecordData data = record.data(block);
        int tuples = data.i32();
        IndexTuples.requireCount(tuples, IndexTuples.appendAll(page, data));
        GistPage.setNsn(page, origNsn);
        if (root) {
            return;
        }
        boolean last = block.id() == pages;
        page.putI32(GistPage.RIGHTLINK, last ? origRightLink : record.blockNumber(block.id() + 1));
        boolean rootSplit = record.blockNumber(1) == GistPage.ROOT_BLOCK;
        if (!last && !rootSplit && markFollowRight) {
            GistPage.setFlags(page, GistPage.FOLLOW_RIGHT);
        }
    }

    /** Main data: deleteXid(u64) downlinkOffset(u16); references: 0 the deleted leaf, 1 its parent. */
    private static void deletePage(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        long deleteXid = main.i64();
        int downlink = main.u16();
        switch (block.id()) {
            case 0 -> GistPage.setDeleted(page, deleteXid);
            case 1 -> PageSpace.deleteIndexTuple(page, downlink);
            default -> throw record.unknown(block);
        }
    }
}
