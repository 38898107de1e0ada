package io.tidemark.pageserver.pgpage;

import io.tidemark.wire.wal.LittleEndian;

/**
 * The tuples of an SP-GiST index (spgist_private.h), wherever they lie: on a page or, unaligned, in a record.
 *
 * <pre>
 *   leaf    0 tupstate:2 size:30 | 4 t_info(u16): next offset 3FFF, 8000 has nulls | 6 heapPtr(TID) | data
 *   dead    0 tupstate:2 size:30 | 4 t_info(u16) | 6 pointer(TID) | 12 xid(u32): redirect, dead and placeholder alike
 *   inner   0 tupstate:2 allTheSame:1 nNodes:13 prefixSize:16 | 4 size(u16) | 8 prefix | nNodes nodes
 *   node    an index tuple: t_tid is where it leads
 * </pre>
 */
public final class SpgistTuple {
    /** Normal, leaf or inner. */
    public static final int LIVE = 0;

    /** Where a tuple was that has moved; leads to the new place. */
    public static final int REDIRECT = 1;

    /** Nothing, but something still leads here. */
    public static final int DEAD = 2;

    /** Nothing; keeps the numbers of the tuples behind it. */
    public static final int PLACEHOLDER = 3;

    /** SGDTSIZE: the size of every tuple that is not live. */
    public static final int DEAD_SIZE_BYTES = 16;

    private static final int T_INFO = 4;
    private static final int INNER_SIZE = 4;
    private static final int POINTER = 6;
    private static final int XID = 12;

    private static final int STATE_MASK = 3;
    private static final int NEXT_OFFSET_MASK = 0x3FFF;

    /** SGITHDRSZ. */
    private static final int INNER_HEADER_SIZE_BYTES = 8;

    private SpgistTuple() {}

    /** tupstate. */
    public static int state(byte[] bytes, int at) {
        return bytes[at] & STATE_MASK;
    }

    /** The size of the leaf tuple that starts at {@code at}; throws unless all of it lies before {@code end}. */
    public static int leafSize(byte[] bytes, int at, int end) {
        requireHeader(at, end);
        return requireSize(LittleEndian.i32(bytes, at) >>> 2, at, end);
    }

    /** The size of the inner tuple that starts at {@code at}; throws unless all of it lies before {@code end}. */
    public static int innerSize(byte[] bytes, int at, int end) {
        requireHeader(at, end);
        return requireSize(LittleEndian.u16(bytes, at + INNER_SIZE), at, end);
    }

    private static void requireHeader(int at, int end) {
        if (end - at < INNER_HEADER_SIZE_BYTES) {
            throw new PageException("no room for an SP-GiST tuple in " + (end - at) + " bytes");
        }
    }

    private static int requireSize(int size, int at, int end) {
        if (size < INNER_HEADER_SIZE_BYTES || size > end - at) {
            throw new PageException("an SP-GiST tuple of " + size + " bytes where only " + (end - at) + " are");
        }
        return size;
    }

    /** SGLT_SET_NEXTOFFSET: which tuple follows in the leaf tuple's chain; the other bits of t_info stay. */
    public static void setNextOffset(byte[] bytes, int at, int offnum) {
        int info = LittleEndian.u16(bytes, at + T_INFO);
        LittleEndian.putU16(bytes, at + T_INFO, info & ~NEXT_OFFSET_MASK | offnum & NEXT_OFFSET_MASK);
    }

    /** spgFormDeadTuple: a tuple that is not live. Only a redirect leads somewhere and has an xid. */
    public static byte[] formDead(int state, int block, int offnum, int xid) {
        byte[] tuple = new byte[DEAD_SIZE_BYTES];
        LittleEndian.putI32(tuple, 0, state | DEAD_SIZE_BYTES << 2);
        if (state == REDIRECT) {
            ItemPointer.put(tuple, POINTER, block, offnum);
            LittleEndian.putI32(tuple, XID, xid);
        } else {
            ItemPointer.putInvalid(tuple, POINTER);
        }
        return tuple;
    }

    /** Makes a placeholder of a redirect where it is; the xid stays. */
    public static void redirectToPlaceholder(byte[] bytes, int at) {
        if (state(bytes, at) != REDIRECT) {
            throw new PageException("an SP-GiST tuple of state " + state(bytes, at) + " is not a redirect");
        }
        bytes[at] = (byte) (bytes[at] & ~STATE_MASK | PLACEHOLDER);
        ItemPointer.putInvalid(bytes, at + POINTER);
    }

    /**
     * spgUpdateNodeLink: makes one node of an inner tuple lead somewhere else.
     *
     * @param end where the inner tuple ends
     * @param node its number, from 0 on
     */
    public static void setNodeLink(byte[] bytes, int at, int end, int node, int block, int offnum) {
        requireHeader(at, end);
        int header = LittleEndian.i32(bytes, at);
        int nodes = header >>> 3 & 0x1FFF;
        if (node >= nodes) {
            throw new PageException("no node " + node + ", the inner tuple has " + nodes);
        }
        int nodeAt = at + INNER_HEADER_SIZE_BYTES + (header >>> 16);
        for (int i = 0; i < node; i++) {
            nodeAt += nodeSize(bytes, nodeAt, end);
        }
        nodeSize(bytes, nodeAt, end);
        ItemPointer.put(bytes, nodeAt, block, offnum);
    }

    private static int nodeSize(byte[] bytes, int at, int end) {
        if (end - at < IndexTuple.HEADER_SIZE_BYTES) {
            throw new PageException("the nodes of an inner tuple do not end inside it");
        }
        int size = IndexTuple.size(bytes, at);
        if (size < IndexTuple.HEADER_SIZE_BYTES || size > end - at) {
            throw new PageException("a node of " + size + " bytes in the last " + (end - at) + " of an inner tuple");
        }
        return size;
    }
}
