package io.tidemark.pageserver.pgpage;

import io.tidemark.wire.wal.LittleEndian;

/**
 * A TID (ItemPointerData in itemptr.h): where a tuple is. Six bytes, aligned to two.
 *
 * <pre>
 *   0 ip_blkid.bi_hi(u16) | 2 ip_blkid.bi_lo(u16) | 4 ip_posid(u16)
 * </pre>
 */
public final class ItemPointer {
    public static final int SIZE_BYTES = 6;

    public static final int IP_BLKID = 0;
    public static final int IP_POSID = 4;

    /** InvalidBlockNumber. */
    public static final int NO_BLOCK = -1;

    private ItemPointer() {}

    /** The block number, unsigned. Also reads a BlockIdData that stands alone. */
    public static int block(byte[] bytes, int at) {
        return LittleEndian.u16(bytes, at) << 16 | LittleEndian.u16(bytes, at + 2);
    }

    /** The line pointer's number, 0 when invalid. */
    public static int offnum(byte[] bytes, int at) {
        return LittleEndian.u16(bytes, at + IP_POSID);
    }

    /** Also writes a BlockIdData that stands alone. */
    public static void putBlock(byte[] bytes, int at, int block) {
        LittleEndian.putU16(bytes, at, block >>> 16);
        LittleEndian.putU16(bytes, at + 2, block);
    }

    public static void put(byte[] bytes, int at, int block, int offnum) {
        putBlock(bytes, at, block);
        LittleEndian.putU16(bytes, at + IP_POSID, offnum);
    }

    /** ItemPointerSetInvalid. */
    public static void putInvalid(byte[] bytes, int at) {
        put(bytes, at, NO_BLOCK, 0);
    }
}
