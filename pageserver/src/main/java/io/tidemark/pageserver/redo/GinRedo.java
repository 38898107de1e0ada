package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.GinPage;
import io.tidemark.pageserver.pgpage.ItemPointer;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.pageserver.pgpage.PageSpace;
import io.tidemark.wire.wal.BlockReference;

/**
 * Redo of GIN (gin_redo in ginxlog.c), the same in PostgreSQL 14 to 18.
 *
 * <p>Splits and the vacuum of entry pages always come as images; of a split only the child whose split it completes can be without
 * one.
 */
final class GinRedo implements ResourceManagerRedo {
    private static final int CREATE_PTREE = 0x10;
    private static final int INSERT = 0x20;
    private static final int SPLIT = 0x30;
    private static final int VACUUM_PAGE = 0x40;
    private static final int DELETE_PAGE = 0x50;
    private static final int UPDATE_META_PAGE = 0x60;
    private static final int INSERT_LISTPAGE = 0x70;
    private static final int DELETE_LISTPAGE = 0x80;
    private static final int VACUUM_DATA_LEAF_PAGE = 0x90;

    /** GIN_INSERT_ISDATA: the posting tree, not the entry tree. */
    private static final int IS_DATA = 0x01;

    /** GIN_INSERT_ISLEAF. */
    private static final int IS_LEAF = 0x02;

    @Override
    public boolean redo(RedoRecord record, BlockReference block, Page page) {
        switch (record.info()) {
            case CREATE_PTREE -> createPostingTree(record, block, page);
            case INSERT -> insert(record, block, page);
            case SPLIT -> split(block, page);
            case VACUUM_PAGE -> throw new PageException("the record has no image of the vacuumed page");
            case DELETE_PAGE -> deletePage(record, block, page);
            case UPDATE_META_PAGE -> updateMetaPage(record, block, page);
            case INSERT_LISTPAGE -> insertListPage(record, block, page);
            case DELETE_LISTPAGE -> deleteListPage(record, block, page);
            case VACUUM_DATA_LEAF_PAGE -> vacuumDataLeafPage(record, block, page);
            default -> throw record.unknown(block);
        }
        return true;
    }

    /** Main data: size(u32) and so many bytes of segments. */
    private static void createPostingTree(RedoRecord record, BlockReference block, Page page) {
        requireId(record, block, 0);
        RecordData main = record.main();
        int size = main.i32();
        int at = main.take(size);
        GinPage.init(page, GinPage.DATA | GinPage.LEAF | GinPage.COMPRESSED);
        if (size > page.special() - GinPage.CONTENT) {
            throw new PageException("no room for " + size + " bytes of posting list");
        }
        page.put(GinPage.CONTENT, main.array(), at, size);
        page.setLower(GinPage.CONTENT + size);
    }

    /**
     * ginRedoInsert.
     *
     * <pre>
     *   main: flags(u16), and when not ISLEAF: left child(BlockId) right child(BlockId)
     *   reference 0: the page inserted to; reference 1, when not ISLEAF: the child whose split this completes
     * </pre>
     */
    private static void insert(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        int flags = main.u16();
        boolean leaf = (flags & IS_LEAF) != 0;
        if (block.id() == 1 && !leaf) {
            GinPage.clearFlags(page, GinPage.INCOMPLETE_SPLIT);
            return;
        }
        requireId(record, block, 0);
        RecordData data = record.data(block);
        boolean isData = (flags & IS_DATA) != 0;
        if (leaf) {
            if (isData) {
                GinRecompression.apply(page, data);
            } else {
                GinPage.requireEntryTree(page, true);
                insertEntry(page, data);
            }
        } else {
            int rightChild = ItemPointer.block(main.array(), main.skip(4).take(4));
            if (isData) {
                insertPostingItem(page, data, rightChild);
            } else {
                GinPage.requireEntryTree(page, false);
                int offnum = data.u16();
                ItemPointer.put(page.bytes(), page.requireNormal(offnum), rightChild, 0);
                insertEntry(page, data.seek(0));
            }
        }
        data.requireConsumed();
    }

    /** Data: offset(u16) PostingItem. */
    private static void insertPostingItem(Page page, RecordData data, int rightChild) {
        GinPage.requirePostingTree(page, false);
        int offnum = data.u16();
        int item = data.take(GinPage.POSTING_ITEM_SIZE_BYTES);
        GinPage.splitPostingItem(page, offnum, rightChild, data.array(), item);
    }

    /** Data: offset(u16) isDelete(bool) pad(u8) index tuple. */
    private static void insertEntry(Page page, RecordData data) {
        int offnum = data.u16();
        boolean delete = data.bool();
        data.skip(1);
        if (delete) {
            PageSpace.deleteIndexTuple(page, offnum);
        }
        IndexTuples.add(page, data, offnum);
    }

    /** References: 0 left, 1 right, 2 root, all images; 3 the child whose split this completes. */
    private static void split(BlockReference block, Page page) {
        if (block.id() != 3) {
            throw new PageException("the record has no image of a page of the split");
        }
        GinPage.clearFlags(page, GinPage.INCOMPLETE_SPLIT);
    }

    /**
     * ginRedoDeletePage.
     *
     * <pre>
     *   main: parentOffset(u16) pad(u16) rightLink(u32) deleteXid(u32)
     *   references: 0 the deleted page, 1 its parent, 2 its left sibling
     * </pre>
     */
    private static void deletePage(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        int parentOffset = main.u16();
        int rightLink = main.skip(2).i32();
        int deleteXid = main.i32();
        switch (block.id()) {
            case 0 -> {
                GinPage.setFlags(page, GinPage.DELETED);
                page.putI32(Page.PD_PRUNE_XID, deleteXid); // GinPageSetDeleteXid
            }
            case 1 -> {
                GinPage.requirePostingTree(page, false);
                GinPage.deletePostingItem(page, parentOffset);
            }
            case 2 -> GinPage.setRightLink(page, rightLink);
            default -> throw record.unknown(block);
        }
    }

    /**
     * ginRedoUpdateMetapage.
     *
     * <pre>
     *   main: locator(12) pad(4) metadata(56) prevTail(u32) newRightlink(u32) ntuples(i32)
     *   references: 0 the meta page; 1 the list's tail: it gets the tuples of its data, or another page to its right
     * </pre>
     */
    private static void updateMetaPage(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        int metadata = main.seek(16).take(GinPage.META_SIZE_BYTES);
        int newRightlink = main.skip(4).i32();
        int tuples = main.i32();
        if (block.id() == 0) {
            GinPage.initMeta(page, main.array(), metadata);
            return;
        }
        requireId(record, block, 1);
        if (tuples > 0) {
            int heapRows = GinPage.heapRows(page);
            IndexTuples.requireCount(tuples, IndexTuples.appendAll(page, record.data(block)));
            page.putU16(GinPage.MAXOFF, heapRows + 1);
        } else {
            GinPage.setRightLink(page, newRightlink);
        }
    }

    /** Main data: rightlink(u32) ntuples(i32); the tuples are in the block's data. */
    private static void insertListPage(RedoRecord record, BlockReference block, Page page) {
        requireId(record, block, 0);
        RecordData main = record.main();
        int rightlink = main.i32();
        int tuples = main.i32();
        GinPage.init(page, GinPage.LIST);
        GinPage.setRightLink(page, rightlink);
        if (rightlink == GinPage.NO_BLOCK) {
            GinPage.setFlags(page, GinPage.LIST_FULLROW);
            page.putU16(GinPage.MAXOFF, 1);
        }
        IndexTuples.requireCount(tuples, IndexTuples.appendAll(page, record.data(block)));
    }

    /** Main data: metadata(56) ndeleted(i32); references: 0 the meta page, 1 to ndeleted the pages taken off the list. */
    private static void deleteListPage(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        int metadata = main.take(GinPage.META_SIZE_BYTES);
        int deleted = main.i32();
        if (block.id() == 0) {
            GinPage.initMeta(page, main.array(), metadata);
        } else if (block.id() <= deleted) {
            GinPage.init(page, GinPage.DELETED);
        } else {
            throw record.unknown(block);
        }
    }

    private static void vacuumDataLeafPage(RedoRecord record, BlockReference block, Page page) {
        requireId(record, block, 0);
        RecordData data = record.data(block);
        GinRecompression.apply(page, data);
        data.requireConsumed();
    }

    private static void requireId(RedoRecord record, BlockReference block, int id) {
        if (block.id() != id) {
            throw record.unknown(block);
        }
    }
}
