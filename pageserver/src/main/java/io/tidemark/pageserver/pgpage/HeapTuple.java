package io.tidemark.pageserver.pgpage;

/**
 * The header of a heap tuple (HeapTupleHeaderData in htup_details.h) on a page.
 *
 * <pre>
 *   0 t_xmin(u32) | 4 t_xmax(u32) | 8 t_cid or t_xvac(u32) | 12 t_ctid(TID) | 18 t_infomask2(u16) | 20 t_infomask(u16)
 *   22 t_hoff(u8) | 23 t_bits ... padding | t_hoff: the columns
 * </pre>
 */
public final class HeapTuple {
    public static final int T_XMIN = 0;
    public static final int T_XMAX = 4;

    /** cmin, cmax or a combo command id; and t_xvac, the xid of an old VACUUM FULL. */
    public static final int T_CID = 8;

    public static final int T_CTID = 12;
    public static final int T_INFOMASK2 = 18;
    public static final int T_INFOMASK = 20;
    public static final int T_HOFF = 22;

    /** SizeofHeapTupleHeader: where t_bits begins. */
    public static final int HEADER_SIZE_BYTES = 23;

    // t_infomask

    public static final int HEAP_XMAX_KEYSHR_LOCK = 0x0010;
    public static final int HEAP_COMBOCID = 0x0020;
    public static final int HEAP_XMAX_EXCL_LOCK = 0x0040;
    public static final int HEAP_XMAX_LOCK_ONLY = 0x0080;
    public static final int HEAP_XMAX_COMMITTED = 0x0400;
    public static final int HEAP_XMAX_INVALID = 0x0800;
    public static final int HEAP_XMAX_IS_MULTI = 0x1000;

    /** HEAP_MOVED_OFF and HEAP_MOVED_IN. */
    public static final int HEAP_MOVED = 0xC000;

    public static final int HEAP_LOCK_MASK = HEAP_XMAX_EXCL_LOCK | HEAP_XMAX_KEYSHR_LOCK;

    /** Everything t_infomask says about xmax. */
    public static final int HEAP_XMAX_BITS =
            HEAP_XMAX_COMMITTED | HEAP_XMAX_INVALID | HEAP_XMAX_IS_MULTI | HEAP_LOCK_MASK | HEAP_XMAX_LOCK_ONLY;

    // t_infomask2

    public static final int HEAP_KEYS_UPDATED = 0x2000;
    public static final int HEAP_HOT_UPDATED = 0x4000;

    /** FrozenTransactionId. */
    public static final int FROZEN_XID = 2;

    /** MovedPartitionsOffsetNumber: with {@link ItemPointer#NO_BLOCK}, t_ctid of a row that went to another partition. */
    public static final int MOVED_PARTITIONS_OFFSET = 0xFFFD;

    private HeapTuple() {}

    /** Where the tuple with this number starts; throws unless it is a normal one and its header lies in the tuple space. */
    public static int require(Page page, int offnum) {
        int tuple = page.requireNormal(offnum);
        if (page.itemLength(offnum) < HEADER_SIZE_BYTES || tuple < page.upper()) {
            throw new PageException("tuple " + offnum + " at " + tuple + " of " + page.itemLength(offnum)
                    + " bytes cannot be one of the heap's");
        }
        return tuple;
    }

    /** HEAP_XMAX_IS_LOCKED_ONLY: xmax locks the tuple and does not delete it. */
    public static boolean isLockedOnly(int infomask) {
        return (infomask & HEAP_XMAX_LOCK_ONLY) != 0
                || (infomask & (HEAP_XMAX_IS_MULTI | HEAP_LOCK_MASK)) == HEAP_XMAX_EXCL_LOCK;
    }

    public static void setCtid(Page page, int tuple, int block, int offnum) {
        ItemPointer.put(page.bytes(), tuple + T_CTID, block, offnum);
    }
}
