package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.BrinPage;
import io.tidemark.pageserver.pgpage.BtreePage;
import io.tidemark.pageserver.pgpage.GinPage;
import io.tidemark.pageserver.pgpage.GistPage;
import io.tidemark.pageserver.pgpage.HashPage;
import io.tidemark.pageserver.pgpage.HeapTuple;
import io.tidemark.pageserver.pgpage.ItemPointer;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.wire.wal.ResourceManagers;
import java.util.Arrays;

/**
 * What of a page PostgreSQL does not log exactly, hidden before two pages are compared: the rm_mask routines and bufmask.c.
 *
 * <p>Masks are per resource manager, not per page: a page is compared under the mask of the record that touched it. The same in
 * PostgreSQL 14 to 18.
 */
public final class PageMask {
    private static final int UNLOGGED_FLAGS = Page.PD_HAS_FREE_LINES | Page.PD_PAGE_FULL | Page.PD_ALL_VISIBLE;
    private static final int LP_FLAGS = 3 << 15;

    private static final int HEAP_XMIN_FROZEN = 0x0300;
    private static final int HEAP_XMAX_HINTS = 0x0C00;
    private static final int HEAP_XACT_MASK = 0xFFF0;
    private static final int SPECULATIVE_TOKEN = 0xFFFE;

    private static final int LH_PAGE_TYPE = 0x0F;

    private PageMask() {}

    /** Whether records of a resource manager can be checked at all: only these have a mask, hence consistency images. */
    public static boolean exists(int rmgrId) {
        return rmgrId >= ResourceManagers.HEAP2 && rmgrId <= ResourceManagers.BRIN
                || rmgrId == ResourceManagers.GENERIC
                || rmgrId == NeonRedo.RMGR_ID;
    }

    /**
     * Hides in {@code bytes}, a copy of a page, what a record of this resource manager does not determine.
     *
     * @param block the page's number
     * @throws PageException when the page cannot be one of PostgreSQL's
     */
    public static void apply(int rmgrId, int block, byte[] bytes) {
        Page page = new Page(bytes);
        switch (rmgrId) {
            case ResourceManagers.HEAP, ResourceManagers.HEAP2, NeonRedo.RMGR_ID -> heap(page, block);
            case ResourceManagers.BTREE -> btree(page);
            case ResourceManagers.HASH -> hash(page);
            case ResourceManagers.GIN -> gin(page);
            case ResourceManagers.GIST -> gist(page);
            case ResourceManagers.SPGIST -> spgist(page);
            case ResourceManagers.BRIN -> brin(page);
            case ResourceManagers.SEQUENCE, ResourceManagers.GENERIC -> {
                header(page);
                unused(page);
            }
            default -> throw new PageException("no mask for " + ResourceManagers.nameOf(rmgrId));
        }
    }

    private static void heap(Page page, int block) {
        header(page);
        hints(page);
        unused(page);
        int max = page.maxOffset();
        for (int offnum = 1; offnum <= max; offnum++) {
            int length = page.itemLength(offnum);
            if (length != 0) {
                page.requireItem(offnum);
            }
            if (page.itemFlags(offnum) == Page.LP_NORMAL) {
                heapTuple(page, block, offnum);
            }
            if (length != 0) {
                int end = page.itemOffset(offnum) + length;
                Arrays.fill(page.bytes(), end, Math.min(Page.align8(end), Page.SIZE_BYTES), (byte) 0);
            }
        }
    }

    private static void heapTuple(Page page, int block, int offnum) {
        int tuple = page.itemOffset(offnum);
        int infomask = page.u16(tuple + HeapTuple.T_INFOMASK);
        boolean frozen = (infomask & HEAP_XMIN_FROZEN) == HEAP_XMIN_FROZEN;
        page.putU16(tuple + HeapTuple.T_INFOMASK, infomask & ~(frozen ? HEAP_XMAX_HINTS : HEAP_XACT_MASK));
        page.putI32(tuple + HeapTuple.T_CID, 0);
        if (page.u16(tuple + HeapTuple.T_CTID + ItemPointer.IP_POSID) == SPECULATIVE_TOKEN) {
            // Redo does not know the token, and puts the tuple's own TID there from the start.
            HeapTuple.setCtid(page, tuple, block, offnum);
        }
    }

    private static void btree(Page page) {
        header(page);
        hints(page);
        unused(page);
        int flags = page.u16(BtreePage.BTPO_FLAGS);
        if ((flags & BtreePage.BTP_LEAF) != 0) {
            linePointerFlags(page);
        }
        page.putU16(BtreePage.BTPO_FLAGS, flags & ~(BtreePage.BTP_SPLIT_END | BtreePage.BTP_HAS_GARBAGE));
        page.putU16(BtreePage.BTPO_CYCLEID, 0);
    }

    private static void hash(Page page) {
        header(page);
        hints(page);
        unused(page);
        int flag = page.u16(HashPage.HASHO_FLAG);
        if ((flag & LH_PAGE_TYPE) == 0) {
            content(page);
            return;
        }
        if ((flag & (HashPage.LH_BUCKET_PAGE | HashPage.LH_OVERFLOW_PAGE)) != 0) {
            linePointerFlags(page);
        }
        page.putU16(HashPage.HASHO_FLAG, flag & ~HashPage.LH_PAGE_HAS_DEAD_TUPLES);
    }

    private static void gin(Page page) {
        header(page);
        hints(page);
        if ((page.u16(GinPage.FLAGS) & GinPage.DELETED) != 0) {
            content(page);
        } else if (page.lower() > Page.HEADER_SIZE_BYTES) {
            unused(page);
        }
    }

    private static void gist(Page page) {
        header(page);
        hints(page);
        unused(page);
        page.putI64(GistPage.NSN, 0);
        int flags = page.u16(GistPage.FLAGS);
        if ((flags & GistPage.LEAF) != 0) {
            linePointerFlags(page);
        }
        page.putU16(GistPage.FLAGS, (flags | GistPage.FOLLOW_RIGHT) & ~GistPage.HAS_GARBAGE);
    }

    private static void spgist(Page page) {
        header(page);
        hints(page);
        if (page.lower() >= Page.HEADER_SIZE_BYTES) {
            unused(page);
        }
    }

    private static void brin(Page page) {
        header(page);
        hints(page);
        int type = page.u16(BrinPage.TYPE);
        if (type == BrinPage.BRIN_PAGETYPE_REGULAR
                || type == BrinPage.BRIN_PAGETYPE_META && page.lower() > Page.HEADER_SIZE_BYTES) {
            unused(page);
        }
        page.putU16(BrinPage.FLAGS, page.u16(BrinPage.FLAGS) & ~BrinPage.BRIN_EVACUATE_PAGE);
    }

    /** mask_page_lsn_and_checksum. */
    private static void header(Page page) {
        page.putI64(Page.PD_LSN, 0);
        page.putU16(Page.PD_CHECKSUM, 0);
    }

    /** mask_page_hint_bits. */
    private static void hints(Page page) {
        page.putI32(Page.PD_PRUNE_XID, 0);
        page.clearFlags(UNLOGGED_FLAGS);
    }

    /** mask_unused_space. */
    private static void unused(Page page) {
        page.requireSaneHeader();
        Arrays.fill(page.bytes(), page.lower(), page.upper(), (byte) 0);
    }

    /** mask_lp_flags: killed or not, of every used line pointer. */
    private static void linePointerFlags(Page page) {
        int max = page.maxOffset();
        for (int offnum = 1; offnum <= max; offnum++) {
            page.setItem(offnum, page.item(offnum) & ~LP_FLAGS);
        }
    }

    /** mask_page_content: everything but the header, and of that the two pointers into the page. */
    private static void content(Page page) {
        Arrays.fill(page.bytes(), Page.HEADER_SIZE_BYTES, Page.SIZE_BYTES, (byte) 0);
        page.setLower(0);
        page.setUpper(0);
    }
}
