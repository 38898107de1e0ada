package io.tidemark.pageserver.pgpage;

import java.util.Arrays;

/**
 * The layout of a relation's visibility map (visibilitymap.c): two bits per heap block, behind an ordinary page header.
 *
 * <pre>
 *   map block = heap block / 32672   byte = 24 + (heap block % 32672) / 4   shift = (heap block % 4) * 2
 *   bits: 1 all-visible, 2 all-frozen
 * </pre>
 */
public final class VisibilityMap {
    public static final int ALL_VISIBLE = 0x01;
    public static final int ALL_FROZEN = 0x02;
    public static final int VALID_BITS = 0x03;

    private static final int BITS_PER_HEAP_BLOCK = 2;
    private static final int HEAP_BLOCKS_PER_BYTE = 4;

    /** How many heap blocks one page of the map is about. */
    public static final int HEAP_BLOCKS_PER_PAGE = (Page.SIZE_BYTES - Page.HEADER_SIZE_BYTES) * HEAP_BLOCKS_PER_BYTE;

    private VisibilityMap() {}

    /** The map's block that has a heap block's bits; both unsigned. */
    public static int mapBlockOf(int heapBlock) {
        return Integer.divideUnsigned(heapBlock, HEAP_BLOCKS_PER_PAGE);
    }

    /** A heap block's bits. */
    public static int get(byte[] page, int heapBlock) {
        return page[byteOf(heapBlock)] >> shiftOf(heapBlock) & VALID_BITS;
    }

    /** Sets bits of a heap block, and only sets. */
    public static void set(byte[] page, int heapBlock, int bits) {
        page[byteOf(heapBlock)] |= (byte) (bits << shiftOf(heapBlock));
    }

    public static void clear(byte[] page, int heapBlock, int bits) {
        page[byteOf(heapBlock)] &= (byte) ~(bits << shiftOf(heapBlock));
    }

    /** Clears the bits of the heap block {@code heapBlocks} and of all behind it, on the page that has them. */
    public static void truncate(byte[] page, int heapBlocks) {
        int at = byteOf(heapBlocks);
        page[at] &= (byte) ((1 << shiftOf(heapBlocks)) - 1);
        Arrays.fill(page, at + 1, Page.SIZE_BYTES, (byte) 0);
    }

    private static int byteOf(int heapBlock) {
        return Page.HEADER_SIZE_BYTES
                + Integer.remainderUnsigned(heapBlock, HEAP_BLOCKS_PER_PAGE) / HEAP_BLOCKS_PER_BYTE;
    }

    private static int shiftOf(int heapBlock) {
        return (heapBlock & HEAP_BLOCKS_PER_BYTE - 1) * BITS_PER_HEAP_BLOCK;
    }
}
