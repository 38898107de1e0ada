package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.HeapTuple;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageSpace;
import io.tidemark.wire.wal.BlockReference;

/**
 * Pruning, vacuuming and freezing of a heap page, which versions log in three ways.
 *
 * <pre>
 *   14, 15   PRUNE         xid(u32) nredirected(u16) ndead(u16)       0 redirections, dead, unused to the end
 *            VACUUM        nunused(u16)                               0 unused
 *            FREEZE_PAGE   xid(u32) ntuples(u16)                      0 tuples
 *   16       PRUNE         as before, isCatalogRel(bool)              0 as before
 *            FREEZE_PAGE   xid(u32) nplans(u16) isCatalogRel(bool)    0 plans, offsets
 *   17 on    all three     reason(u8) flags(u8) [xid(u32)]            0 [n(u16) pad(2) plans] [n(u16) redirections] [n(u16) dead]
 *                                                                       [n(u16) unused] [offsets], each if a flag says so
 *
 *   redirections   { from(u16) to(u16) }*        dead, unused, offsets   { offnum(u16) }*
 *   tuple   xmax(u32) offset(u16) infomask2(u16) infomask(u16) frzflags(u8) pad(1)
 *   plan    xmax(u32) infomask2(u16) infomask(u16) frzflags(u8) pad(1) ntuples(u16); its offsets follow all the plans', in order
 * </pre>
 */
final class PruneFreeze {
    private static final int XLHP_CLEANUP_LOCK = 0x04;
    private static final int XLHP_HAS_FREEZE_PLANS = 0x10;
    private static final int XLHP_HAS_REDIRECTIONS = 0x20;
    private static final int XLHP_HAS_DEAD_ITEMS = 0x40;
    private static final int XLHP_HAS_NOW_UNUSED_ITEMS = 0x80;

    private static final int FREEZE_XVAC = 0x02;
    private static final int INVALID_XVAC = 0x04;

    /** xlhp_freeze_plan, and xl_heap_freeze_tuple before 16. */
    private static final int PLAN_SIZE_BYTES = 12;

    private PruneFreeze() {}

    static void redo(RedoRecord record, int opcode, BlockReference block, Page page) {
        RecordData data = record.data(block);
        if (record.pgMajor() >= 17) {
            pruneAndFreeze(record, data, page);
        } else {
            switch (opcode) {
                case Heap2Redo.PRUNE -> prune(record, data, page);
                case Heap2Redo.VACUUM -> vacuum(record, data, page);
                case Heap2Redo.FREEZE_PAGE -> freeze(record, data, page);
                default -> throw record.unknown(block);
            }
        }
        data.requireConsumed();
    }

    private static void prune(RedoRecord record, RecordData data, Page page) {
        RecordData main = record.main().skip(4);
        redirect(page, data, main.u16());
        setDead(page, data, main.u16());
        setUnused(page, data, data.remaining() / Short.BYTES);
        PageSpace.repairFragmentation(page, record.pgMajor());
    }

    private static void vacuum(RedoRecord record, RecordData data, Page page) {
        setUnused(page, data, record.main().u16());
        PageSpace.truncateLinePointers(page);
    }

    private static void freeze(RedoRecord record, RecordData data, Page page) {
        int count = record.main().skip(4).u16();
        if (record.pgMajor() >= 16) {
            int plans = data.take(count * PLAN_SIZE_BYTES);
            freeze(page, new RecordData(data.array(), plans, count * PLAN_SIZE_BYTES), data);
            return;
        }
        for (int i = 0; i < count; i++) {
            int xmax = data.i32();
            int tuple = HeapTuple.require(page, data.u16());
            int infomask2 = data.u16();
            int infomask = data.u16();
            freezeTuple(page, tuple, xmax, infomask2, infomask, data.u8());
            data.skip(1);
        }
    }

    private static void pruneAndFreeze(RedoRecord record, RecordData data, Page page) {
        int flags = record.main().skip(1).u8(); // the reason before it is not even initialised
        RecordData plans = null;
        if ((flags & XLHP_HAS_FREEZE_PLANS) != 0) {
            int size = data.u16() * PLAN_SIZE_BYTES;
            plans = new RecordData(data.array(), data.skip(2).take(size), size);
        }
        if ((flags & XLHP_HAS_REDIRECTIONS) != 0) {
            redirect(page, data, data.u16());
        }
        if ((flags & XLHP_HAS_DEAD_ITEMS) != 0) {
            setDead(page, data, data.u16());
        }
        if ((flags & XLHP_HAS_NOW_UNUSED_ITEMS) != 0) {
            setUnused(page, data, data.u16());
        }
        if ((flags & (XLHP_HAS_REDIRECTIONS | XLHP_HAS_DEAD_ITEMS | XLHP_HAS_NOW_UNUSED_ITEMS)) != 0) {
            // Without the lock against everybody's pins nothing was moved: that was vacuum's second pass, whatever the
            // opcode.
            if ((flags & XLHP_CLEANUP_LOCK) == 0) {
                PageSpace.truncateLinePointers(page);
            } else {
                PageSpace.repairFragmentation(page, record.pgMajor());
            }
        }
        if (plans != null) {
            freeze(page, plans, data);
        }
    }

    private static void redirect(Page page, RecordData data, int count) {
        for (int i = 0; i < count; i++) {
            int from = data.u16();
            int to = data.u16();
            page.requireItem(from);
            page.requireItem(to);
            page.setItem(from, to, Page.LP_REDIRECT, 0);
        }
    }

    private static void setDead(Page page, RecordData data, int count) {
        for (int i = 0; i < count; i++) {
            int offnum = data.u16();
            page.requireItem(offnum);
            page.setItem(offnum, 0, Page.LP_DEAD, 0);
        }
    }

    private static void setUnused(Page page, RecordData data, int count) {
        for (int i = 0; i < count; i++) {
            int offnum = data.u16();
            page.requireItem(offnum);
            page.setItem(offnum, 0);
        }
    }

    private static void freeze(Page page, RecordData plans, RecordData offsets) {
        while (plans.remaining() > 0) {
            int xmax = plans.i32();
            int infomask2 = plans.u16();
            int infomask = plans.u16();
            int frzflags = plans.u8();
            int count = plans.skip(1).u16();
            for (int i = 0; i < count; i++) {
                freezeTuple(page, HeapTuple.require(page, offsets.u16()), xmax, infomask2, infomask, frzflags);
            }
        }
    }

    /** heap_execute_freeze_tuple. */
    private static void freezeTuple(Page page, int tuple, int xmax, int infomask2, int infomask, int frzflags) {
        page.putI32(tuple + HeapTuple.T_XMAX, xmax);
        if ((frzflags & FREEZE_XVAC) != 0) {
            page.putI32(tuple + HeapTuple.T_CID, HeapTuple.FROZEN_XID);
        }
        if ((frzflags & INVALID_XVAC) != 0) {
            page.putI32(tuple + HeapTuple.T_CID, 0);
        }
        page.putU16(tuple + HeapTuple.T_INFOMASK, infomask);
        page.putU16(tuple + HeapTuple.T_INFOMASK2, infomask2);
    }
}
