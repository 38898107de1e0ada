package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.BtreePage;
import io.tidemark.pageserver.pgpage.IndexTuple;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.pageserver.pgpage.PostingTuple;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.LittleEndian;
import io.tidemark.wire.wal.PageImage;
import io.tidemark.wire.wal.WalFlavour;

/**
 * Redo of a B-tree page split (btree_xlog_split).
 *
 * <pre>
 *   main   level(u32) firstrightoff(u16) newitemoff(u16) postingoff(u16)
 *   0      the page, becomes the left half: [new tuple, if it goes left or postingoff is not 0] left high key
 *   1      the right half, made from nothing: its tuple space
 *   2      the right sibling there was, if any
 *   3      the child whose split this finishes, if level is not 0
 * </pre>
 *
 * <p>With postingoff not 0 the new row's TID falls into the posting list before newitemoff, on the left page: the record has the
 * new tuple as it was before it traded TIDs with that list.
 *
 * <p>The left half is built from the old page's tuples in the order of their numbers, as _bt_split does it, so that every tuple
 * lands where it is on the primary.
 */
final class BtreeSplit {
    private BtreeSplit() {}

    static void redo(RedoRecord record, BlockReference block, Page page, boolean newItemOnLeft) {
        switch (block.id()) {
            case 0 -> new LeftHalf(record, block, page).build(newItemOnLeft);
            case 1 -> buildRight(record, block, page);
            case 2 -> page.putI32(BtreePage.BTPO_PREV, record.blockNumber(1));
            case 3 -> BtreeRedo.finishSplit(page);
            default -> throw record.unknown(block);
        }
    }

    private static void buildRight(RedoRecord record, BlockReference block, Page page) {
        int level = record.main().i32();
        BlockReference sibling = record.block(2);
        int next = sibling == null ? BtreePage.P_NONE : sibling.block();
        BtreePage.init(page, record.blockNumber(0), next, level, level == 0 ? BtreePage.BTP_LEAF : 0);
        RecordData tuples = record.data(block);
        BtreePage.restoreTuples(page, tuples.array(), tuples.position(), tuples.remaining());
        if (record.rules().flavour() == WalFlavour.NEON) {
            page.putU16(BtreePage.BTPO_CYCLEID, cycleIdOfLeftImage(record));
        }
    }

    /**
     * Neon's computes add an image of the left page when the split happens during a vacuum of the index: its cycle id then belongs
     * to both halves. Nobody else may be asked for it, since the halves are rebuilt apart.
     */
    private static int cycleIdOfLeftImage(RedoRecord record) {
        BlockReference left = record.block(0);
        PageImage image = left == null ? null : left.image();
        if (image == null) {
            return 0;
        }
        byte[] restored = new byte[Page.SIZE_BYTES];
        try {
            image.restore(restored);
        } catch (InvalidWalException e) {
            PageException damaged = new PageException("the image of the left page cannot be restored");
            damaged.initCause(e);
            throw damaged;
        }
        return LittleEndian.u16(restored, BtreePage.BTPO_CYCLEID);
    }

    /** The left half in the making: the old page is copied away and rebuilt in place. */
    private static final class LeftHalf {
        private final RedoRecord record;
        private final BlockReference block;
        private final Page page;
        private final Page old;

        LeftHalf(RedoRecord record, BlockReference block, Page page) {
            this.record = record;
            this.block = block;
            this.page = page;
            this.old = new Page(page.bytes().clone());
        }

        void build(boolean newItemOnLeft) {
            RecordData main = record.main();
            int level = main.i32();
            int firstRight = main.u16();
            int newItem = main.u16();
            int postingOffset = main.u16();
            RecordData data = record.data(block);
            byte[] bytes = data.array();
            int newTuple = 0;
            int newSize = 0;
            if (newItemOnLeft || postingOffset != 0) {
                newSize = IndexTuple.requireAlignedSize(bytes, data.position(), data.end());
                newTuple = data.take(newSize);
            }
            int highKeySize = IndexTuple.requireAlignedSize(bytes, data.position(), data.end());
            int highKey = data.take(highKeySize);
            data.requireConsumed();

            int posting = 0;
            long newTid = 0;
            if (postingOffset != 0) {
                posting = newItem - 1;
                int list = BtreeRedo.requireTuple(old, posting);
                newTid = PostingTuple.swap(old.bytes(), list, postingOffset, bytes, newTuple);
            }
            int first = BtreePage.firstDataKey(old);
            requireInOrder(first, firstRight, newItem, newItemOnLeft);
            BtreePage.clear(page);
            copy(bytes, highKey, highKeySize);
            int beforeNew = newItemOnLeft ? newItem : firstRight;
            copyOld(first, beforeNew, posting);
            if (newItemOnLeft) {
                int placed = copy(bytes, newTuple, newSize);
                if (postingOffset != 0) {
                    PostingTuple.putTid(page.bytes(), placed, newTid);
                }
                copyOld(newItem, firstRight, posting);
            }
            page.putI32(BtreePage.BTPO_NEXT, record.blockNumber(1));
            page.putU16(BtreePage.BTPO_FLAGS, BtreePage.BTP_INCOMPLETE_SPLIT | (level == 0 ? BtreePage.BTP_LEAF : 0));
            page.putU16(BtreePage.BTPO_CYCLEID, 0);
        }

        private void requireInOrder(int first, int firstRight, int newItem, boolean newItemOnLeft) {
            if (firstRight - 1 > old.maxOffset() || newItemOnLeft && (newItem < first || newItem > firstRight)) {
                throw new PageException("a split before tuple %d with a new tuple %d, of a page with %d"
                        .formatted(firstRight, newItem, old.maxOffset()));
            }
        }

        /**
         * Copies the old page's tuples {@code from} to {@code to}, exclusive, with their lengths as they are; the posting list that
         * was changed gets its aligned one.
         */
        private void copyOld(int from, int to, int posting) {
            for (int offnum = from; offnum < to; offnum++) {
                old.requireItem(offnum);
                int item = old.item(offnum);
                int length = offnum == posting ? Page.align8(item >>> 17) : item >>> 17;
                copy(old.bytes(), item & 0x7FFF, length);
            }
        }

        private int copy(byte[] from, int offset, int length) {
            int placed = BtreePage.append(page, length);
            System.arraycopy(from, offset, page.bytes(), placed, length);
            return placed;
        }
    }
}
