package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.HeapTuple;
import io.tidemark.pageserver.pgpage.Page;

/**
 * The byte infobits_set of heap records (XLHL_* in heapam_xlog.h): what a tuple's infomasks say about its new xmax.
 *
 * <pre>
 *   01 XMAX_IS_MULTI | 02 XMAX_LOCK_ONLY | 04 XMAX_EXCL_LOCK | 08 XMAX_KEYSHR_LOCK | 10 KEYS_UPDATED | 20 COMBOCID, only Neon's
 * </pre>
 */
final class Infobits {
    private Infobits() {}

    private static int infomask(int infobits) {
        return (infobits & 0x01) << 12 | (infobits & 0x02) << 6 | (infobits & 0x04) << 4 | (infobits & 0x08) << 1;
    }

    private static int infomask2(int infobits) {
        return (infobits & 0x10) << 9;
    }

    /**
     * Makes a tuple's infomasks tell of a new xmax (fix_infomask_from_infobits, after everything about the old one is cleared).
     *
     * @return the new t_infomask
     */
    static int apply(int infobits, Page page, int tuple) {
        int infomask = page.u16(tuple + HeapTuple.T_INFOMASK) & ~(HeapTuple.HEAP_XMAX_BITS | HeapTuple.HEAP_MOVED)
                | infomask(infobits);
        int infomask2 = page.u16(tuple + HeapTuple.T_INFOMASK2) & ~HeapTuple.HEAP_KEYS_UPDATED | infomask2(infobits);
        page.putU16(tuple + HeapTuple.T_INFOMASK, infomask);
        page.putU16(tuple + HeapTuple.T_INFOMASK2, infomask2);
        return infomask;
    }

    /** Sets a tuple's t_cid, and whether it is a combo command id, which stock records, whose id is 0, never say. */
    static void applyCommandId(int infobits, int commandId, Page page, int tuple) {
        int infomask = page.u16(tuple + HeapTuple.T_INFOMASK) & ~HeapTuple.HEAP_COMBOCID;
        page.putU16(tuple + HeapTuple.T_INFOMASK, infomask | infobits & HeapTuple.HEAP_COMBOCID);
        page.putI32(tuple + HeapTuple.T_CID, commandId);
    }
}
