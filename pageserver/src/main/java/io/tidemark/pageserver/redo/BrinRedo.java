package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.BrinPage;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageSpace;
import io.tidemark.wire.wal.BlockReference;

/**
 * Redo of BRIN records (brin_redo in brin_xlog.c). The opcode has three bits; the fourth says that block 0 starts from nothing.
 *
 * <pre>
 *   CREATE_INDEX      pagesPerRange(u32) version(u16)              0 meta page, made from nothing
 *   INSERT            heapBlk(u32) pagesPerRange(u32) offnum(u16)  0 regular page: tuple; 1 revmap
 *   UPDATE            oldOffnum(u16) pad(2) INSERT                 0, 1 as INSERT; 2 the page that had the summary before
 *   SAMEPAGE_UPDATE   offnum(u16)                                  0 regular page: tuple
 *   REVMAP_EXTEND     targetBlk(u32)                               0 meta page; 1 revmap page, made from nothing
 *   DESUMMARIZE       pagesPerRange(u32) heapBlk(u32) regOffset(u16)     0 revmap; 1 regular page
 * </pre>
 */
final class BrinRedo implements ResourceManagerRedo {
    static final int CREATE_INDEX = 0x00;
    static final int INSERT = 0x10;
    static final int UPDATE = 0x20;
    static final int SAMEPAGE_UPDATE = 0x30;
    static final int REVMAP_EXTEND = 0x40;
    static final int DESUMMARIZE = 0x50;
    static final int INIT_PAGE = 0x80;

    private static final int OPCODE_MASK = 0x70;

    @Override
    public boolean redo(RedoRecord record, BlockReference block, Page page) {
        switch (record.info() & OPCODE_MASK) {
            case CREATE_INDEX -> createIndex(record, block, page);
            case INSERT -> insert(record, record.main(), block, page);
            case UPDATE -> update(record, block, page);
            case SAMEPAGE_UPDATE -> updateInPlace(record, block, page);
            case REVMAP_EXTEND -> extendRevmap(record, block, page);
            case DESUMMARIZE -> desummarize(record, block, page);
            default -> throw record.unknown(block);
        }
        return true;
    }

    private static void createIndex(RedoRecord record, BlockReference block, Page page) {
        if (block.id() != 0) {
            throw record.unknown(block);
        }
        RecordData main = record.main();
        int pagesPerRange = main.i32();
        BrinPage.initMeta(page, pagesPerRange, main.u16());
    }

    private static void insert(RedoRecord record, RecordData insert, BlockReference block, Page page) {
        int heapBlock = insert.i32();
        int pagesPerRange = insert.i32();
        int offnum = insert.u16();
        switch (block.id()) {
            case 0 -> {
                if ((record.info() & INIT_PAGE) != 0) {
                    BrinPage.init(page, BrinPage.BRIN_PAGETYPE_REGULAR);
                } else {
                    BrinPage.require(page, BrinPage.BRIN_PAGETYPE_REGULAR);
                }
                RecordData tuple = record.data(block);
                page.addItem(tuple.array(), tuple.position(), tuple.remaining(), offnum, true, false);
            }
            case 1 -> {
                BrinPage.require(page, BrinPage.BRIN_PAGETYPE_REVMAP);
                BrinPage.setRange(page, pagesPerRange, heapBlock, record.blockNumber(0), offnum);
            }
            default -> throw record.unknown(block);
        }
    }

    private static void update(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        if (block.id() == 2) {
            BrinPage.require(page, BrinPage.BRIN_PAGETYPE_REGULAR);
            PageSpace.deleteIndexTupleKeepingNumbers(page, main.u16());
        } else {
            insert(record, main.skip(4), block, page);
        }
    }

    private static void updateInPlace(RedoRecord record, BlockReference block, Page page) {
        if (block.id() != 0) {
            throw record.unknown(block);
        }
        BrinPage.require(page, BrinPage.BRIN_PAGETYPE_REGULAR);
        RecordData tuple = record.data(block);
        PageSpace.overwriteIndexTuple(page, record.main().u16(), tuple.array(), tuple.position(), tuple.remaining());
    }

    private static void extendRevmap(RedoRecord record, BlockReference block, Page page) {
        switch (block.id()) {
            case 0 -> {
                BrinPage.require(page, BrinPage.BRIN_PAGETYPE_META);
                page.putI32(BrinPage.LAST_REVMAP_PAGE, record.main().i32());
                // Indexes from before 11 may have it wrong.
                page.setLower(BrinPage.META_END);
            }
            case 1 -> BrinPage.init(page, BrinPage.BRIN_PAGETYPE_REVMAP);
            default -> throw record.unknown(block);
        }
    }

    private static void desummarize(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        int pagesPerRange = main.i32();
        int heapBlock = main.i32();
        int offnum = main.u16();
        switch (block.id()) {
            case 0 -> {
                BrinPage.require(page, BrinPage.BRIN_PAGETYPE_REVMAP);
                BrinPage.clearRange(page, pagesPerRange, heapBlock);
            }
            case 1 -> {
                BrinPage.require(page, BrinPage.BRIN_PAGETYPE_REGULAR);
                PageSpace.deleteIndexTupleKeepingNumbers(page, offnum);
            }
            default -> throw record.unknown(block);
        }
    }
}
