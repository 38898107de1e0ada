package io.tidemark.pageserver.pgpage;

import java.util.Arrays;

/**
 * The layout of a relation's free space map (freespace.c, fsmpage.c): a tree of pages, on each a binary tree of one-byte
 * categories, in which an inner node is the larger of its children.
 *
 * <pre>
 *   page = header(24) fp_next_slot(i32) inner nodes(4095) leaf nodes(4069)      children of node n: 2n+1, 2n+2
 *   the slots of a bottom page are heap blocks, those of the two levels above are pages; in the file a page comes before its children
 * </pre>
 *
 * <p>Its content is a hint that is not logged; only truncation and full images of it are anybody's business but the compute's.
 */
public final class FreeSpaceMap {
    /** SlotsPerFSMPage: how many heap blocks a bottom page is about. */
    public static final int SLOTS_PER_PAGE = 4069;

    private static final int NODES = Page.HEADER_SIZE_BYTES + Integer.BYTES;
    private static final int INNER_NODES = Page.SIZE_BYTES / 2 - 1;
    private static final int LEVELS = 3;

    private FreeSpaceMap() {}

    /** The map's block that has a heap block's category; both unsigned. */
    public static int mapBlockOf(int heapBlock) {
        return fileBlock(Integer.toUnsignedLong(heapBlock) / SLOTS_PER_PAGE);
    }

    /** fsm_logical_to_physical, for a page of the bottom level: what precedes it there, and every page above that. */
    private static int fileBlock(long bottomPage) {
        long pages = 0;
        long before = bottomPage;
        for (int level = 0; level < LEVELS; level++) {
            pages += before + 1;
            before /= SLOTS_PER_PAGE;
        }
        return (int) (pages - 1);
    }

    /** The length in blocks to which the map is cut when the relation is cut to this many blocks. */
    public static int blocksAfterTruncation(int heapBlocks) {
        boolean keepsLast = Integer.remainderUnsigned(heapBlocks, SLOTS_PER_PAGE) != 0;
        return mapBlockOf(heapBlocks) + (keepsLast ? 1 : 0);
    }

    /** Forgets, on the bottom page that is about it, the heap block {@code heapBlocks} and all behind it. */
    public static void truncate(byte[] page, int heapBlocks) {
        int slot = Integer.remainderUnsigned(heapBlocks, SLOTS_PER_PAGE);
        Arrays.fill(page, NODES + INNER_NODES + slot, Page.SIZE_BYTES, (byte) 0);
        for (int node = INNER_NODES - 1; node >= 0; node--) {
            page[NODES + node] = (byte) Math.max(node(page, 2 * node + 1), node(page, 2 * node + 2));
        }
    }

    private static int node(byte[] page, int node) {
        int at = NODES + node;
        return at < Page.SIZE_BYTES ? page[at] & 0xFF : 0;
    }
}
