package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.BtreePage;
import io.tidemark.pageserver.pgpage.IndexTuple;
import io.tidemark.pageserver.pgpage.ItemPointer;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.pageserver.pgpage.PageSpace;
import io.tidemark.pageserver.pgpage.PostingTuple;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.LittleEndian;

/**
 * Redo of the deletion of tuples from a leaf page (btree_xlog_delete, btree_xlog_vacuum).
 *
 * <pre>
 *   VACUUM main   ndeleted(u16) nupdated(u16)
 *   DELETE main   snapshotConflictHorizon(u32) ndeleted(u16) nupdated(u16) [isCatalogRel(bool), 16 and later]
 *   0             the leaf page: deleted offnum(u16)(ndeleted) updated offnum(u16)(nupdated) update(nupdated)
 *   update        ndeletedtids(u16) index(u16)(ndeletedtids)     which rows of the posting list go, ascending
 * </pre>
 */
final class BtreeDeletion {
    private BtreeDeletion() {}

    static void redo(RedoRecord record, BlockReference block, Page page, boolean vacuum) {
        if (block.id() != 0) {
            throw record.unknown(block);
        }
        RecordData main = record.main();
        if (!vacuum) {
            main.skip(4);
        }
        int deleted = main.u16();
        int updated = main.u16();
        RecordData data = record.data(block);
        if (updated > 0) {
            data.skip(2 * deleted);
            shrinkPostings(page, data, updated);
            data.requireConsumed();
        }
        if (deleted > 0) {
            PageSpace.deleteIndexTuples(page, data.seek(0).u16s(deleted), deleted);
        }
        BtreePage.clearFlags(page, BtreePage.BTP_HAS_GARBAGE);
        if (vacuum && record.pgMajor() >= 18) {
            page.putU16(BtreePage.BTPO_CYCLEID, 0);
        }
    }

    private static void shrinkPostings(Page page, RecordData data, int updated) {
        byte[] scratch = new byte[IndexTuple.SIZE_MASK + 1];
        int offnums = data.take(2 * updated);
        for (int i = 0; i < updated; i++) {
            int offnum = LittleEndian.u16(data.array(), offnums + 2 * i);
            int size = withoutRows(page, offnum, data, scratch);
            PageSpace.overwriteIndexTuple(page, offnum, scratch, 0, size);
        }
    }

    /** Makes a posting list's successor in {@code scratch} (_bt_update_posting) and returns its aligned size. */
    private static int withoutRows(Page page, int offnum, RecordData data, byte[] scratch) {
        int tuple = BtreeRedo.requireTuple(page, offnum);
        byte[] from = page.bytes();
        PostingTuple.requireSane(from, tuple);
        int count = PostingTuple.count(from, tuple);
        int gone = data.u16();
        if (gone < 1 || gone >= count) {
            throw new PageException(gone + " rows to remove from tuple " + offnum + ", which has " + count);
        }
        int indexes = data.take(2 * gone);
        int left = count - gone;
        int source = PostingTuple.tids(from, tuple);
        int size = PostingTuple.sizeOf(PostingTuple.keySize(from, tuple), left);
        int target = PostingTuple.begin(scratch, 0, from, tuple, left);
        int next = 0;
        for (int i = 0; i <= gone; i++) {
            int index = i == gone ? count : LittleEndian.u16(data.array(), indexes + 2 * i);
            if (index < next || index > count || i < gone && index == count) {
                throw new PageException("no row " + index + " to remove from tuple " + offnum);
            }
            int length = (index - next) * ItemPointer.SIZE_BYTES;
            System.arraycopy(from, source + next * ItemPointer.SIZE_BYTES, scratch, target, length);
            target += length;
            next = index + 1;
        }
        return Page.align8(size);
    }
}
