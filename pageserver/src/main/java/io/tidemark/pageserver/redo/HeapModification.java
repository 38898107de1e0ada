package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.HeapTuple;
import io.tidemark.pageserver.pgpage.ItemPointer;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.LittleEndian;

/** Changes of the heap tuples that are there (heap_xlog_delete, heap_xlog_lock, and more, in heapam.c), in one layout. */
final class HeapModification {
    private static final int XLH_DELETE_ALL_VISIBLE_CLEARED = 0x01;
    private static final int XLH_DELETE_IS_SUPER = 0x08;
    private static final int XLH_DELETE_IS_PARTITION_MOVE = 0x10;

    /** SizeOfHeapConfirm, and the part of xl_heap_inplace that all versions have: offnum(u16). */
    private static final int OFFNUM_SIZE_BYTES = 2;

    /** SizeOfHeapLockUpdated: xmax(u32) offnum(u16) infobits_set(u8) flags(u8). */
    private static final int LOCK_UPDATED_SIZE_BYTES = 8;

    private final HeapLayout layout;
    private final int commandIdBit;

    HeapModification(HeapLayout layout) {
        this.layout = layout;
        this.commandIdBit = layout.hasCommandIds() ? HeapTuple.HEAP_COMBOCID : 0;
    }

    void delete(RedoRecord record, BlockReference block, Page page) {
        byte[] bytes = record.array();
        HeapLayout.Deletion fields = layout.deletion();
        int main = record.mainAt(fields.sizeBytes());
        int offnum = LittleEndian.u16(bytes, main + 4);
        int flags = LittleEndian.u8(bytes, main + fields.flags());
        int tuple = HeapTuple.require(page, offnum);
        end(bytes, main, LittleEndian.u8(bytes, main + fields.infobits()), fields.cid(), page, tuple);
        if ((flags & XLH_DELETE_IS_SUPER) != 0) {
            // The end of a speculative insertion that lost: the tuple was never there. xmax stays what it was.
            page.putI32(tuple + HeapTuple.T_XMIN, 0);
        } else {
            page.putI32(tuple + HeapTuple.T_XMAX, LittleEndian.i32(bytes, main));
        }
        clearHotUpdated(page, tuple);
        page.setPrunable(record.xid());
        if ((flags & XLH_DELETE_ALL_VISIBLE_CLEARED) != 0) {
            page.clearFlags(Page.PD_ALL_VISIBLE);
        }
        if ((flags & XLH_DELETE_IS_PARTITION_MOVE) != 0) {
            HeapTuple.setCtid(page, tuple, ItemPointer.NO_BLOCK, HeapTuple.MOVED_PARTITIONS_OFFSET);
        } else {
            HeapTuple.setCtid(page, tuple, block.block(), offnum);
        }
    }

    void lock(RedoRecord record, BlockReference block, Page page) {
        byte[] bytes = record.array();
        HeapLayout.Lock fields = layout.lock();
        int main = record.mainAt(fields.sizeBytes());
        int offnum = LittleEndian.u16(bytes, main + fields.offnum());
        int tuple = HeapTuple.require(page, offnum);
        int infomask = end(bytes, main, LittleEndian.u8(bytes, main + fields.infobits()), fields.cid(), page, tuple);
        if (HeapTuple.isLockedOnly(infomask)) {
            clearHotUpdated(page, tuple);
            HeapTuple.setCtid(page, tuple, block.block(), offnum);
        }
        page.putI32(tuple + HeapTuple.T_XMAX, LittleEndian.i32(bytes, main));
    }

    /** Heap2's LOCK_UPDATED: locks a later version of a row, and has no command id in any layout. */
    static void lockUpdated(RedoRecord record, Page page) {
        byte[] bytes = record.array();
        int main = record.mainAt(LOCK_UPDATED_SIZE_BYTES);
        int tuple = HeapTuple.require(page, LittleEndian.u16(bytes, main + 4));
        Infobits.apply(LittleEndian.u8(bytes, main + 6), page, tuple);
        page.putI32(tuple + HeapTuple.T_XMAX, LittleEndian.i32(bytes, main));
    }

    /**
     * What deleting, updating and locking a tuple have in common: its infomasks tell of the new xmax, and its t_cid is that of the
     * command.
     *
     * @param commandId the field's offset in the main data, maybe {@link HeapLayout#NONE}
     * @return the new t_infomask
     */
    int end(byte[] bytes, int main, int infobits, int commandId, Page page, int tuple) {
        int infomask = Infobits.apply(infobits, page, tuple);
        int cid = commandId == HeapLayout.NONE ? 0 : LittleEndian.i32(bytes, main + commandId);
        Infobits.applyCommandId(infobits & commandIdBit, cid, page, tuple);
        return infomask;
    }

    static void clearHotUpdated(Page page, int tuple) {
        int at = tuple + HeapTuple.T_INFOMASK2;
        page.putU16(at, page.u16(at) & ~HeapTuple.HEAP_HOT_UPDATED);
    }

    /** CONFIRM: the speculative insertion won, so the token in t_ctid gives way to the tuple's own TID. */
    static void confirm(RedoRecord record, BlockReference block, Page page) {
        int offnum = LittleEndian.u16(record.array(), record.mainAt(OFFNUM_SIZE_BYTES));
        HeapTuple.setCtid(page, HeapTuple.require(page, offnum), block.block(), offnum);
    }

    /** INPLACE: other columns of the same length; what follows the number in 18's main data is not about the page. */
    static void overwrite(RedoRecord record, BlockReference block, Page page) {
        int offnum = LittleEndian.u16(record.array(), record.mainAt(OFFNUM_SIZE_BYTES));
        int tuple = HeapTuple.require(page, offnum);
        int hoff = page.u8(tuple + HeapTuple.T_HOFF);
        if (page.itemLength(offnum) - hoff != block.dataLength()) {
            throw new PageException("tuple " + offnum + " has " + (page.itemLength(offnum) - hoff)
                    + " bytes of columns, the record has " + block.dataLength());
        }
        page.put(tuple + hoff, record.array(), block.dataOffset(), block.dataLength());
    }
}
