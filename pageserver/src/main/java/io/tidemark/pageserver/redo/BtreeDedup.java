package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.BtreePage;
import io.tidemark.pageserver.pgpage.IndexTuple;
import io.tidemark.pageserver.pgpage.ItemPointer;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.pageserver.pgpage.PostingTuple;
import io.tidemark.wire.wal.BlockReference;

/**
 * Redo of deduplication (btree_xlog_dedup): runs of tuples with one key become posting lists.
 *
 * <pre>
 *   main   nintervals(u16)
 *   0      the leaf page: { baseoff(u16) nitems(u16) }(nintervals)       baseoff: the first of nitems tuples, in old numbers
 * </pre>
 *
 * <p>All tuples, merged or not, are laid out anew in the order of their numbers.
 */
final class BtreeDedup {
    private BtreeDedup() {}

    static void redo(RedoRecord record, BlockReference block, Page page) {
        if (block.id() != 0) {
            throw record.unknown(block);
        }
        int intervals = record.main().u16();
        RecordData data = record.data(block);
        Page old = new Page(page.bytes().clone());
        int offnum = BtreePage.firstDataKey(old);
        BtreePage.clear(page);
        BtreePage.clearFlags(page, BtreePage.BTP_HAS_GARBAGE);
        if (offnum > BtreePage.P_HIKEY) {
            old.requireItem(BtreePage.P_HIKEY);
            copy(old, BtreePage.P_HIKEY, old.itemLength(BtreePage.P_HIKEY), page);
        }
        for (int i = 0; i < intervals; i++) {
            int base = data.u16();
            int count = data.u16();
            if (base < offnum || count < 2 || base + count - 1 > old.maxOffset()) {
                throw new PageException("tuples %d to %d to merge, from %d on, of a page with %d"
                        .formatted(base, base + count - 1, offnum, old.maxOffset()));
            }
            copyAll(old, offnum, base, page);
            merge(old, base, count, page);
            offnum = base + count;
        }
        data.requireConsumed();
        copyAll(old, offnum, old.maxOffset() + 1, page);
    }

    private static void copyAll(Page old, int from, int to, Page page) {
        for (int offnum = from; offnum < to; offnum++) {
            int tuple = BtreeRedo.requireTuple(old, offnum);
            // Not lp_len: _bt_dedup_finish_pending takes the tuple's own size.
            copy(old, offnum, IndexTuple.size(old.bytes(), tuple), page);
        }
    }

    private static void copy(Page old, int offnum, int length, Page page) {
        int placed = BtreePage.append(page, length);
        System.arraycopy(old.bytes(), old.itemOffset(offnum), page.bytes(), placed, length);
    }

    /** Makes one posting list of the tuples from {@code base} on. */
    private static void merge(Page old, int base, int count, Page page) {
        byte[] from = old.bytes();
        int rows = 0;
        for (int offnum = base; offnum < base + count; offnum++) {
            int tuple = BtreeRedo.requireTuple(old, offnum);
            PostingTuple.requireSane(from, tuple);
            rows += PostingTuple.count(from, tuple);
        }
        int first = old.itemOffset(base);
        byte[] to = page.bytes();
        int placed = BtreePage.append(page, PostingTuple.sizeOf(PostingTuple.keySize(from, first), rows));
        int tids = PostingTuple.begin(to, placed, from, first, rows);
        for (int offnum = base; offnum < base + count; offnum++) {
            int tuple = old.itemOffset(offnum);
            int length = PostingTuple.count(from, tuple) * ItemPointer.SIZE_BYTES;
            System.arraycopy(from, PostingTuple.tids(from, tuple), to, tids, length);
            tids += length;
        }
    }
}
