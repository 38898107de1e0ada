package io.tidemark.pageserver.pgpage;

/**
 * A page of a GIN index: what stands in its special area, and posting tree pages (ginblock.h).
 *
 * <pre>
 *   special area    8184 rightlink(u32) | 8188 maxoff(u16) | 8190 flags(u16)
 *   meta page       24 GinMetaPageData, 56 bytes
 *   posting tree    24 right bound, a TID padded to 8 bytes | 32 content, up to pd_lower
 *     inner page    PostingItem[maxoff]: child_blkno(2 x u16, high first) key(TID)
 *     leaf page     COMPRESSED: segments, see {@link GinPostingList}; else, from before 9.4: TID[maxoff], pd_lower unreliable
 * </pre>
 *
 * <p>maxoff of a pending list page counts heap rows. Entry tree and list pages hold index tuples behind line pointers.
 */
public final class GinPage {
    public static final int RIGHTLINK = 8184;
    public static final int MAXOFF = 8188;
    public static final int FLAGS = 8190;

    public static final int DATA = 0x01;
    public static final int LEAF = 0x02;
    public static final int DELETED = 0x04;
    public static final int META = 0x08;
    public static final int LIST = 0x10;
    public static final int LIST_FULLROW = 0x20;
    public static final int INCOMPLETE_SPLIT = 0x40;
    public static final int COMPRESSED = 0x80;

    /** Where the content of a posting tree page starts (GinDataPageGetData). */
    public static final int CONTENT = 32;

    /** sizeof(GinMetaPageData). */
    public static final int META_SIZE_BYTES = 56;

    /** sizeof(PostingItem). */
    public static final int POSTING_ITEM_SIZE_BYTES = 10;

    static final int SPECIAL_SIZE_BYTES = 8;

    /** InvalidBlockNumber: there is no page to the right. */
    public static final int NO_BLOCK = ItemPointer.NO_BLOCK;

    private static final int MAX_POSTING_ITEMS = (RIGHTLINK - CONTENT) / POSTING_ITEM_SIZE_BYTES;

    private GinPage() {}

    /** GinInitPage: empty, nothing to its right. */
    public static void init(Page page, int flags) {
        page.init(SPECIAL_SIZE_BYTES);
        page.putI32(RIGHTLINK, NO_BLOCK);
        page.putU16(FLAGS, flags);
    }

    /** GinInitMetabuffer, then the metadata, {@link #META_SIZE_BYTES} bytes. */
    public static void initMeta(Page page, byte[] from, int offset) {
        init(page, META);
        page.put(Page.HEADER_SIZE_BYTES, from, offset, META_SIZE_BYTES);
        page.setLower(Page.HEADER_SIZE_BYTES + META_SIZE_BYTES);
    }

    /** The flags; throws unless the special area has the size of a GIN page's. */
    public static int flags(Page page) {
        if (page.special() != RIGHTLINK) {
            throw new PageException("not a GIN page: pd_special is " + page.special());
        }
        return page.u16(FLAGS);
    }

    public static void setFlags(Page page, int flags) {
        page.putU16(FLAGS, flags(page) | flags);
    }

    public static void clearFlags(Page page, int flags) {
        page.putU16(FLAGS, flags(page) & ~flags);
    }

    public static void setRightLink(Page page, int block) {
        flags(page);
        page.putI32(RIGHTLINK, block);
    }

    /** How many heap rows a page of the pending list counts. */
    public static int heapRows(Page page) {
        int flags = flags(page);
        if ((flags & LIST) == 0) {
            throw new PageException("not a pending list page: flags %04X".formatted(flags));
        }
        return page.u16(MAXOFF);
    }

    /** Throws unless the page belongs to a posting tree, at the level that {@code leaf} says. */
    public static void requirePostingTree(Page page, boolean leaf) {
        int wanted = leaf ? DATA | LEAF : DATA;
        int flags = flags(page);
        if ((flags & (DATA | LEAF)) != wanted) {
            throw new PageException(
                    "not a posting tree " + (leaf ? "leaf" : "inner") + " page: flags %04X".formatted(flags));
        }
    }

    /** Throws unless the page belongs to the entry tree, at the level that {@code leaf} says. */
    public static void requireEntryTree(Page page, boolean leaf) {
        int flags = flags(page);
        if ((flags & (DATA | META | LIST | DELETED)) != 0 || (flags & LEAF) != 0 != leaf) {
            throw new PageException(
                    "not an entry tree " + (leaf ? "leaf" : "inner") + " page: flags %04X".formatted(flags));
        }
    }

    /** Where the PostingItem of this number, from 1 on, starts. */
    private static int postingItemAt(int offnum) {
        return CONTENT + POSTING_ITEM_SIZE_BYTES * (offnum - 1);
    }

    /** How many PostingItems an inner page has; throws when they would not fit. */
    private static int postingItems(Page page) {
        int count = page.u16(MAXOFF);
        if (count > MAX_POSTING_ITEMS) {
            throw new PageException(
                    "maxoff " + count + ", a page has room for " + MAX_POSTING_ITEMS + " posting items");
        }
        return count;
    }

    /**
     * What completing the split of a child does to an inner posting tree page: the item that led to the child now leads to its
     * right half, and a new item in front of it leads to the left half.
     *
     * @param offnum of the item that leads to the child
     * @param newItem where the new item starts in {@code from}
     */
    public static void splitPostingItem(Page page, int offnum, int rightChild, byte[] from, int newItem) {
        int count = postingItems(page);
        requirePostingItem(offnum, count);
        if (count == MAX_POSTING_ITEMS) {
            throw new PageException("no room for another posting item, the page has " + count);
        }
        int at = postingItemAt(offnum);
        ItemPointer.putBlock(page.bytes(), at, rightChild);
        System.arraycopy(
                page.bytes(),
                at,
                page.bytes(),
                postingItemAt(offnum + 1),
                (count - offnum + 1) * POSTING_ITEM_SIZE_BYTES);
        page.put(at, from, newItem, POSTING_ITEM_SIZE_BYTES);
        setPostingItems(page, count + 1);
    }

    /** GinPageDeletePostingItem. */
    public static void deletePostingItem(Page page, int offnum) {
        int count = postingItems(page);
        requirePostingItem(offnum, count);
        System.arraycopy(
                page.bytes(),
                postingItemAt(offnum + 1),
                page.bytes(),
                postingItemAt(offnum),
                (count - offnum) * POSTING_ITEM_SIZE_BYTES);
        setPostingItems(page, count - 1);
    }

    private static void requirePostingItem(int offnum, int count) {
        if (offnum < 1 || offnum > count) {
            throw new PageException("no posting item " + offnum + ", the page has " + count);
        }
    }

    private static void setPostingItems(Page page, int count) {
        page.putU16(MAXOFF, count);
        page.setLower(CONTENT + count * POSTING_ITEM_SIZE_BYTES);
    }
}
