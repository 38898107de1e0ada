package io.tidemark.pageserver.pgpage;

/**
 * A page of a B-tree index (nbtree.h): line pointers, tuples, and BTPageOpaqueData in the special area.
 *
 * <pre>
 *   8176 btpo_prev(u32) | 8180 btpo_next(u32) | 8184 btpo_level(u32) | 8188 btpo_flags(u16) | 8190 btpo_cycleid(u16)
 *
 *   meta page   24 btm_magic(u32) | 28 btm_version(u32) | 32 btm_root(u32) | 36 btm_level(u32) | 40 btm_fastroot(u32)
 *               44 btm_fastlevel(u32) | 48 btm_last_cleanup_num_delpages(u32) | 52 unused(u32)
 *               56 btm_last_cleanup_num_heap_tuples(f64) | 64 btm_allequalimage(bool)           pd_lower = 72
 *   deleted     24 safexid(u64)                                                              pd_lower = 32
 * </pre>
 *
 * <p>A page that is not the rightmost of its level (btpo_next is not 0) has its high key as the first tuple.
 */
public final class BtreePage {
    /** sizeof(BTPageOpaqueData). */
    public static final int SPECIAL_SIZE_BYTES = 16;

    public static final int SPECIAL = Page.SIZE_BYTES - SPECIAL_SIZE_BYTES;

    public static final int BTPO_PREV = SPECIAL;
    public static final int BTPO_NEXT = SPECIAL + 4;
    public static final int BTPO_LEVEL = SPECIAL + 8;
    public static final int BTPO_FLAGS = SPECIAL + 12;
    public static final int BTPO_CYCLEID = SPECIAL + 14;

    public static final int BTP_LEAF = 0x0001;
    public static final int BTP_ROOT = 0x0002;
    public static final int BTP_DELETED = 0x0004;
    public static final int BTP_META = 0x0008;
    public static final int BTP_HALF_DEAD = 0x0010;
    public static final int BTP_SPLIT_END = 0x0020;
    public static final int BTP_HAS_GARBAGE = 0x0040;
    public static final int BTP_INCOMPLETE_SPLIT = 0x0080;
    public static final int BTP_HAS_FULLXID = 0x0100;

    /** P_NONE: no such sibling. */
    public static final int P_NONE = 0;

    /** P_HIKEY: the number of the high key. */
    public static final int P_HIKEY = 1;

    public static final int BTM_MAGIC = 24;
    public static final int BTM_VERSION = 28;
    public static final int BTM_ROOT = 32;
    public static final int BTM_LEVEL = 36;
    public static final int BTM_FASTROOT = 40;
    public static final int BTM_FASTLEVEL = 44;
    public static final int BTM_LAST_CLEANUP_NUM_DELPAGES = 48;
    public static final int BTM_LAST_CLEANUP_NUM_HEAP_TUPLES = 56;
    public static final int BTM_ALLEQUALIMAGE = 64;
    public static final int META_END = 72;
    public static final int BTREE_MAGIC = 0x053162;

    /** BTDeletedPageData.safexid. */
    public static final int SAFEXID = 24;

    public static final int DELETED_END = 32;

    private BtreePage() {}

    /** _bt_pageinit with the fields that redo always sets. */
    public static void init(Page page, int prev, int next, int level, int flags) {
        page.init(SPECIAL_SIZE_BYTES);
        page.putI32(BTPO_PREV, prev);
        page.putI32(BTPO_NEXT, next);
        page.putI32(BTPO_LEVEL, level);
        page.putU16(BTPO_FLAGS, flags);
    }

    /** PageInit, but the special area stays: what PageGetTempPageCopySpecial gives. */
    public static void clear(Page page) {
        long siblings = page.i64(BTPO_PREV);
        long rest = page.i64(BTPO_LEVEL);
        page.init(SPECIAL_SIZE_BYTES);
        page.putI64(BTPO_PREV, siblings);
        page.putI64(BTPO_LEVEL, rest);
    }

    /** Throws unless the special area is where a B-tree page has it. */
    public static void require(Page page) {
        if (page.special() != SPECIAL) {
            throw new PageException("not a B-tree page: its special area is at " + page.special());
        }
    }

    public static int flags(Page page) {
        return page.u16(BTPO_FLAGS);
    }

    public static void clearFlags(Page page, int flags) {
        page.putU16(BTPO_FLAGS, flags(page) & ~flags);
    }

    /** P_RIGHTMOST. */
    public static boolean isRightmost(Page page) {
        return page.i32(BTPO_NEXT) == P_NONE;
    }

    /** P_FIRSTDATAKEY. */
    public static int firstDataKey(Page page) {
        return isRightmost(page) ? P_HIKEY : P_HIKEY + 1;
    }

    /**
     * Fills an empty page with tuples that lie one after the other, the one with the highest number first: the tuple space of
     * the page they came from. PostgreSQL adds them one by one from the last (_bt_restore_page), which puts all of them where
     * they were; so they are copied as a whole. Line pointers get aligned lengths.
     */
    public static void restoreTuples(Page page, byte[] from, int offset, int length) {
        int end = offset + length;
        int count = 0;
        for (int tuple = offset; tuple < end; count++) {
            tuple += IndexTuple.requireAlignedSize(from, tuple, end);
        }
        int upper = page.special() - length;
        int lower = Page.itemAt(count + 1);
        if (lower > upper) {
            throw new PageException("no room for " + count + " tuples of " + length + " bytes");
        }
        byte[] bytes = page.bytes();
        System.arraycopy(from, offset, bytes, upper, length);
        int tuple = upper;
        for (int offnum = count; offnum > 0; offnum--) {
            int size = Page.align8(IndexTuple.size(bytes, tuple));
            page.setItem(offnum, tuple, Page.LP_NORMAL, size);
            tuple += size;
        }
        page.setLower(lower);
        page.setUpper(upper);
    }

    /** Gives the tuple after the last one its line pointer and room, and returns where its bytes belong. */
    public static int append(Page page, int length) {
        int lower = page.lower() + Page.ITEM_SIZE_BYTES;
        int upper = page.upper() - Page.align8(length);
        if (lower > upper) {
            throw new PageException(
                    "no room for " + length + " bytes: lower " + page.lower() + ", upper " + page.upper());
        }
        page.putI32(lower - Page.ITEM_SIZE_BYTES, Page.makeItem(upper, Page.LP_NORMAL, length));
        page.setLower(lower);
        page.setUpper(upper);
        return upper;
    }
}
