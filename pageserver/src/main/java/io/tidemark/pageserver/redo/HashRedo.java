package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.HashPage;
import io.tidemark.pageserver.pgpage.IndexTuple;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.pageserver.pgpage.PageSpace;
import io.tidemark.wire.wal.BlockReference;

/**
 * Redo of hash index records (hash_redo in hash_xlog.c).
 *
 * <pre>
 *   INIT_META_PAGE       num_tuples(f64) procid(u32) ffactor(u16)        0 meta page, made from nothing
 *   INIT_BITMAP_PAGE     bmsize(u16)                                     0 bitmap, made from nothing; 1 meta page
 *   INSERT               offnum(u16)                                     0 page: tuple; 1 meta page
 *   ADD_OVFL_PAGE        {@link #addOverflowPage}
 *   SPLIT_ALLOCATE_PAGE, SPLIT_PAGE, SPLIT_COMPLETE, SPLIT_CLEANUP       {@link HashSplit}
 *   MOVE_PAGE_CONTENTS   ntups(u16) is_prim_bucket_same_wrt(bool)        0 bucket; 1 written: tuples; 2 read: offnum(u16)...
 *   SQUEEZE_PAGE         {@link #squeeze}
 *   DELETE               clear_dead_marking(bool) is_primary_bucket_page(bool)     0 bucket; 1 page: offnum(u16)...
 *   UPDATE_META_PAGE     ntuples(f64)                                    0 meta page
 *   VACUUM_ONE_PAGE      {@link #vacuumOnePage}
 *   tuples               offnum(u16)(ntups) tuple(aligned)(ntups)
 * </pre>
 *
 * <p>The bucket of MOVE_PAGE_CONTENTS, SQUEEZE_PAGE and DELETE is named only so that a standby locks it: it keeps its LSN.
 *
 * <p>PostgreSQL sets the flags of SPLIT_ALLOCATE_PAGE and SPLIT_COMPLETE on top of an image too, for fear that the image lacks the
 * special area. It does not: the flags are in it.
 */
final class HashRedo implements ResourceManagerRedo {
    static final int INIT_META_PAGE = 0x00;
    static final int INIT_BITMAP_PAGE = 0x10;
    static final int INSERT = 0x20;
    static final int ADD_OVFL_PAGE = 0x30;
    static final int SPLIT_ALLOCATE_PAGE = 0x40;
    static final int SPLIT_PAGE = 0x50;
    static final int SPLIT_COMPLETE = 0x60;
    static final int MOVE_PAGE_CONTENTS = 0x70;
    static final int SQUEEZE_PAGE = 0x80;
    static final int DELETE = 0x90;
    static final int SPLIT_CLEANUP = 0xA0;
    static final int UPDATE_META_PAGE = 0xB0;
    static final int VACUUM_ONE_PAGE = 0xC0;

    @Override
    public boolean redo(RedoRecord record, BlockReference block, Page page) {
        if (!block.willInit()) {
            HashPage.require(page);
        }
        int opcode = record.info();
        return switch (opcode) {
            case INSERT -> insert(record, block, page);
            case INIT_META_PAGE -> initMeta(record, block, page);
            case INIT_BITMAP_PAGE -> initBitmap(record, block, page);
            case ADD_OVFL_PAGE -> addOverflowPage(record, block, page);
            case SPLIT_ALLOCATE_PAGE -> HashSplit.allocate(record, block, page);
            case SPLIT_COMPLETE -> HashSplit.complete(record, block, page);
            case SPLIT_CLEANUP -> HashSplit.cleanUp(record, block, page);
            case SPLIT_PAGE -> throw new PageException("a split of a hash bucket must come as an image");
            case MOVE_PAGE_CONTENTS -> movePageContents(record, block, page);
            case SQUEEZE_PAGE -> squeeze(record, block, page);
            case DELETE -> delete(record, block, page);
            case UPDATE_META_PAGE -> updateMeta(record, block, page);
            case VACUUM_ONE_PAGE -> vacuumOnePage(record, block, page);
            default -> throw record.unknown(block);
        };
    }

    private static boolean initMeta(RedoRecord record, BlockReference block, Page page) {
        if (block.id() != 0) {
            throw record.unknown(block);
        }
        RecordData main = record.main();
        double tuples = Double.longBitsToDouble(main.i64());
        int procid = main.i32();
        HashPage.initMeta(page, tuples, main.u16(), procid);
        return true;
    }

    /** The first bitmap page: it comes right behind the buckets. */
    private static boolean initBitmap(RedoRecord record, BlockReference block, Page page) {
        switch (block.id()) {
            case 0 -> HashPage.initBitmap(page, record.main().u16());
            case 1 -> HashPage.addBitmap(page, page.i32(HashPage.HASHM_MAXBUCKET) + 2);
            default -> throw record.unknown(block);
        }
        return true;
    }

    private static boolean insert(RedoRecord record, BlockReference block, Page page) {
        switch (block.id()) {
            case 0 -> {
                int offnum = record.main().u16();
                RecordData tuple = record.data(block);
                page.addItem(tuple.array(), tuple.position(), tuple.remaining(), offnum);
            }
            case 1 -> HashPage.setTuples(page, HashPage.tuples(page) + 1);
            default -> throw record.unknown(block);
        }
        return true;
    }

    /**
     * A bucket's chain of pages gets a new last one.
     *
     * <pre>
     *   main   bmsize(u16) bmpage_found(bool)      bmpage_found: the page existed and was free
     *   0      the new page, made from nothing: bucket(u32)
     *   1      the page before it
     *   2      the bitmap page that knows it, if it existed: bit(u32)
     *   3      a bitmap page that had to be added, if so, made from nothing
     *   4      meta page: firstfree(u32)
     * </pre>
     */
    private static boolean addOverflowPage(RedoRecord record, BlockReference block, Page page) {
        switch (block.id()) {
            case 0 -> {
                int bucket = record.data(block).i32();
                HashPage.init(page, record.blockNumber(1), HashPage.INVALID, bucket, HashPage.LH_OVERFLOW_PAGE);
            }
            case 1 -> page.putI32(HashPage.HASHO_NEXTBLKNO, record.blockNumber(0));
            case 2 -> HashPage.setBit(page, record.data(block).i32());
            case 3 -> HashPage.initBitmap(page, record.main().u16());
            case 4 -> {
                page.putI32(HashPage.HASHM_FIRSTFREE, record.data(block).i32());
                if (!record.main().skip(2).bool()) {
                    BlockReference newBitmap = record.block(3);
                    int spare = HashPage.spareAt(page.i32(HashPage.HASHM_OVFLPOINT));
                    if (newBitmap != null) {
                        HashPage.addBitmap(page, newBitmap.block());
                    }
                    page.putI32(spare, page.i32(spare) + (newBitmap == null ? 1 : 2));
                }
            }
            default -> throw record.unknown(block);
        }
        return true;
    }

    private static boolean movePageContents(RedoRecord record, BlockReference block, Page page) {
        switch (block.id()) {
            case 0 -> {
                return false;
            }
            case 1 -> addTuples(page, record.data(block), record.main().u16());
            case 2 -> deleteTuples(page, record.data(block));
            default -> throw record.unknown(block);
        }
        return true;
    }

    /**
     * An overflow page has been emptied and goes: its tuples go to a page before it in the bucket.
     *
     * <pre>
     *   main   prevblkno(u32) nextblkno(u32) ntups(u16) is_prim_bucket_same_wrt(bool) is_prev_bucket_same_wrt(bool)
     *   0      the bucket's first page, unless it is the one written
     *   1      the page written: tuples; from 17 on only if it changes or is the bucket's first one
     *   2      the page that goes; not WILL_INIT, though nothing of it stays
     *   3      the page before it, unless it is the one written
     *   4      the page after it, if any
     *   5      bitmap page: bit(u32)
     *   6      meta page, if this is now the first free page: firstfree(u32)
     * </pre>
     */
    private static boolean squeeze(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main();
        int prev = main.i32();
        int next = main.i32();
        switch (block.id()) {
            case 0 -> {
                return false;
            }
            case 1 -> {
                int count = main.u16();
                boolean prevWritten = main.skip(1).bool();
                if (count > 0) {
                    addTuples(page, record.data(block), count);
                }
                if (prevWritten) {
                    page.putI32(HashPage.HASHO_NEXTBLKNO, next);
                }
                // Since 17 the page is named but left alone when it is only the bucket's first one.
                return record.pgMajor() < 17 || count > 0 || prevWritten;
            }
            case 2 ->
                HashPage.init(page, HashPage.INVALID, HashPage.INVALID, HashPage.INVALID, HashPage.LH_UNUSED_PAGE);
            case 3 -> page.putI32(HashPage.HASHO_NEXTBLKNO, next);
            case 4 -> page.putI32(HashPage.HASHO_PREVBLKNO, prev);
            case 5 -> HashPage.clearBit(page, record.data(block).i32());
            case 6 -> page.putI32(HashPage.HASHM_FIRSTFREE, record.data(block).i32());
            default -> throw record.unknown(block);
        }
        return true;
    }

    private static boolean delete(RedoRecord record, BlockReference block, Page page) {
        if (block.id() == 0) {
            return false;
        }
        if (block.id() != 1) {
            throw record.unknown(block);
        }
        deleteTuples(page, record.data(block));
        if (record.main().bool()) {
            HashPage.clearFlag(page, HashPage.LH_PAGE_HAS_DEAD_TUPLES);
        }
        return true;
    }

    private static boolean updateMeta(RedoRecord record, BlockReference block, Page page) {
        if (block.id() != 0) {
            throw record.unknown(block);
        }
        page.putI64(HashPage.HASHM_NTUPLES, record.main().i64());
        return true;
    }

    /**
     * An insertion made room by removing dead tuples.
     *
     * <pre>
     *   main, to 15     latestRemovedXid(u32) ntuples(i32) offnum(u16)(ntuples)
     *   main, from 16   snapshotConflictHorizon(u32) ntuples(u16) isCatalogRel(bool) pad(1) offnum(u16)(ntuples)
     *   0               the page
     *   1               meta page
     * </pre>
     */
    private static boolean vacuumOnePage(RedoRecord record, BlockReference block, Page page) {
        RecordData main = record.main().skip(4);
        int count = record.pgMajor() < 16 ? main.i32() : main.u16();
        switch (block.id()) {
            case 0 -> {
                main.seek(8);
                if (count < 0 || 2L * count > main.remaining()) {
                    throw new PageException(count + " tuples to delete in " + main.remaining() + " bytes");
                }
                PageSpace.deleteIndexTuples(page, main.u16s(count), count);
                HashPage.clearFlag(page, HashPage.LH_PAGE_HAS_DEAD_TUPLES);
            }
            case 1 -> HashPage.setTuples(page, HashPage.tuples(page) - count);
            default -> throw record.unknown(block);
        }
        return true;
    }

    /** Adds tuples where the record says; their line pointers get aligned lengths. */
    private static void addTuples(Page page, RecordData data, int count) {
        if (count == 0) {
            return;
        }
        RecordData tuples = new RecordData(data.array(), data.position(), data.remaining());
        tuples.skip(2 * count);
        for (int i = 0; i < count; i++) {
            int size = IndexTuple.requireAlignedSize(tuples.array(), tuples.position(), tuples.end());
            page.addItem(tuples.array(), tuples.take(size), size, data.u16());
        }
        tuples.requireConsumed();
    }

    private static void deleteTuples(Page page, RecordData offnums) {
        int count = offnums.remaining() / 2;
        if (count > 0) {
            PageSpace.deleteIndexTuples(page, offnums.u16s(count), count);
        }
    }
}
