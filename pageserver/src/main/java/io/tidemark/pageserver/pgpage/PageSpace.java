package io.tidemark.pageserver.pgpage;

/**
 * The operations of bufpage.c that give space back: each moves tuples exactly as PostgreSQL does, because what a later record
 * adds lands where this left room.
 */
public final class PageSpace {
    private PageSpace() {}

    /**
     * PageRepairFragmentation, heap pages only.
     *
     * @param pgMajor from 15 on, unused line pointers at the end are given up
     */
    public static void repairFragmentation(Page page, int pgMajor) {
        page.requireSaneHeader();
        int max = page.maxOffset();
        int unused = 0;
        int lastUsed = 0;
        for (int offnum = 1; offnum <= max; offnum++) {
            if (page.itemFlags(offnum) == Page.LP_UNUSED) {
                page.setItem(offnum, 0);
                unused++;
            } else {
                lastUsed = offnum;
            }
        }
        compactify(page);
        if (pgMajor >= 15 && lastUsed < max) {
            unused -= max - lastUsed;
            page.setLower(page.lower() - (max - lastUsed) * Page.ITEM_SIZE_BYTES);
        }
        setHasFreeLines(page, unused > 0);
    }

    /** PageTruncateLinePointerArray: gives up unused line pointers at the end, but never the first. */
    public static void truncateLinePointers(Page page) {
        int max = page.maxOffset();
        int last = max;
        while (last > 1 && page.itemFlags(last) == Page.LP_UNUSED) {
            last--;
        }
        boolean unusedRemain = false;
        for (int offnum = 1; offnum <= last && !unusedRemain; offnum++) {
            unusedRemain = page.itemFlags(offnum) == Page.LP_UNUSED;
        }
        page.setLower(page.lower() - (max - last) * Page.ITEM_SIZE_BYTES);
        setHasFreeLines(page, unusedRemain);
    }

    private static void setHasFreeLines(Page page, boolean has) {
        page.setFlags(has ? page.flags() | Page.PD_HAS_FREE_LINES : page.flags() & ~Page.PD_HAS_FREE_LINES);
    }

    /** PageIndexTupleDelete. */
    public static void deleteIndexTuple(Page page, int offnum) {
        page.requireSaneHeader();
        page.requireItem(offnum);
        int offset = page.itemOffset(offnum);
        int size = Page.align8(page.itemLength(offnum));
        int max = page.maxOffset();
        byte[] bytes = page.bytes();
        System.arraycopy(
                bytes, Page.itemAt(offnum + 1), bytes, Page.itemAt(offnum), (max - offnum) * Page.ITEM_SIZE_BYTES);
        closeGap(page, offset, size);
        page.setLower(page.lower() - Page.ITEM_SIZE_BYTES);
        for (int i = 1; i < max; i++) {
            if (page.itemOffset(i) <= offset) {
                page.setItem(i, page.item(i) + size);
            }
        }
    }

    /** PageIndexTupleDeleteNoCompact: the other tuples keep their numbers. */
    public static void deleteIndexTupleKeepingNumbers(Page page, int offnum) {
        page.requireSaneHeader();
        page.requireItem(offnum);
        int offset = page.itemOffset(offnum);
        int size = Page.align8(page.itemLength(offnum));
        int max = page.maxOffset();
        if (offnum < max) {
            page.setItem(offnum, 0);
        } else {
            page.setLower(page.lower() - Page.ITEM_SIZE_BYTES);
            max--;
        }
        closeGap(page, offset, size);
        for (int i = 1; i <= max; i++) {
            if (page.itemLength(i) != 0 && page.itemOffset(i) <= offset) {
                page.setItem(i, page.item(i) + size);
            }
        }
    }

    private static void closeGap(Page page, int offset, int size) {
        int upper = page.upper();
        if (offset < upper || offset + size > page.special()) {
            throw new PageException("a tuple at " + offset + " of " + size + " bytes is outside of the tuple space");
        }
        System.arraycopy(page.bytes(), upper, page.bytes(), upper + size, offset - upper);
        page.setUpper(upper + size);
    }

    /**
     * PageIndexMultiDelete. Up to two are deleted one by one, which keeps the physical order of the others; from three on the
     * survivors are laid out anew in the order of their numbers.
     *
     * @param offnums ascending, the first {@code count} of them
     */
    public static void deleteIndexTuples(Page page, int[] offnums, int count) {
        if (count <= 2) {
            for (int i = count - 1; i >= 0; i--) {
                deleteIndexTuple(page, offnums[i]);
            }
            return;
        }
        page.requireSaneHeader();
        int max = page.maxOffset();
        int next = 0;
        int kept = 0;
        for (int offnum = 1; offnum <= max; offnum++) {
            page.requireItem(offnum);
            if (next < count && offnums[next] == offnum) {
                next++;
            } else {
                page.setItem(++kept, page.item(offnum));
            }
        }
        if (next != count) {
            throw new PageException("incorrect numbers of tuples to delete, the page has " + max);
        }
        page.setLower(Page.itemAt(kept + 1));
        compactify(page);
    }

    /** PageIndexTupleOverwrite: replaces a tuple where it is, moving only what lies below it; lp_flags stay. */
    public static void overwriteIndexTuple(Page page, int offnum, byte[] from, int fromOffset, int length) {
        page.requireSaneHeader();
        page.requireItem(offnum);
        int offset = page.itemOffset(offnum);
        int oldSize = Page.align8(page.itemLength(offnum));
        int upper = page.upper();
        if (offset < upper || offset + oldSize > page.special()) {
            throw new PageException("the tuple to replace at " + offset + " is outside of the tuple space");
        }
        int growth = Page.align8(length) - oldSize;
        if (growth > upper - page.lower()) {
            throw new PageException("no room to make tuple " + offnum + " " + growth + " bytes longer");
        }
        if (growth != 0) {
            System.arraycopy(page.bytes(), upper, page.bytes(), upper - growth, offset - upper);
            page.setUpper(upper - growth);
            int max = page.maxOffset();
            for (int i = 1; i <= max; i++) {
                if (page.itemLength(i) != 0 && page.itemOffset(i) <= offset) {
                    page.setItem(i, page.item(i) - growth);
                }
            }
        }
        int newOffset = offset - growth;
        page.setItem(offnum, newOffset, page.itemFlags(offnum), length);
        page.put(newOffset, from, fromOffset, length);
    }

    /** compactify_tuples: lays tuples out from the end of the page in the order of their numbers. What is vacated is not cleared. */
    static void compactify(Page page) {
        int upper = page.upper();
        int special = page.special();
        int max = page.maxOffset();
        int total = 0;
        int previous = special;
        boolean inOrder = true;
        for (int offnum = 1; offnum <= max; offnum++) {
            int length = page.itemLength(offnum);
            if (length == 0) {
                continue;
            }
            int offset = page.itemOffset(offnum);
            int end = offset + Page.align8(length);
            if (offset < upper || end > special) {
                throw new PageException("tuple " + offnum + " at " + offset + " is outside of the tuple space");
            }
            total += end - offset;
            inOrder &= end <= previous;
            previous = offset;
        }
        if (total > special - page.lower()) {
            throw new PageException("the tuples of the page take more room than it has");
        }
        // Tuples in order only move towards the end, and never onto one that is still to move.
        moveToEnd(page, inOrder ? page.bytes() : page.bytes().clone());
        page.setUpper(special - total);
    }

    /** Moves tuples that are neighbours, and stay it, at once; many are where they belong already. */
    private static void moveToEnd(Page page, byte[] source) {
        byte[] bytes = page.bytes();
        int max = page.maxOffset();
        int to = page.special();
        int from = to; // where those that are to move together, so far, start
        int length = 0;
        for (int offnum = 1; offnum <= max; offnum++) {
            int item = page.item(offnum);
            int size = Page.align8(item >>> 17);
            if (size == 0) {
                continue;
            }
            int offset = item & 0x7FFF;
            if (offset + size != from) {
                move(source, from, bytes, to, length);
                length = 0;
            }
            from = offset;
            to -= size;
            length += size;
            page.setItem(offnum, item & ~0x7FFF | to);
        }
        move(source, from, bytes, to, length);
    }

    private static void move(byte[] source, int from, byte[] bytes, int to, int length) {
        if (from != to) {
            System.arraycopy(source, from, bytes, to, length);
        }
    }
}
