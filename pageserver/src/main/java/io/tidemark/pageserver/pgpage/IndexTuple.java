package io.tidemark.pageserver.pgpage;

import io.tidemark.wire.wal.LittleEndian;

/**
 * The header of an index tuple (IndexTupleData in itup.h), wherever it lies: on a page or in a record.
 *
 * <pre>
 *   0 t_tid: block high(u16) low(u16), offset(u16) | 6 t_info(u16): size 1FFF, the access method's 2000, varwidth 4000, nulls 8000
 * </pre>
 */
public final class IndexTuple {
    public static final int T_TID = 0;
    public static final int T_INFO = 6;

    /** sizeof(IndexTupleData): the shortest tuple. */
    public static final int HEADER_SIZE_BYTES = 8;

    /** INDEX_SIZE_MASK. */
    public static final int SIZE_MASK = 0x1FFF;

    /** INDEX_AM_RESERVED_BIT. */
    public static final int AM_RESERVED = 0x2000;

    private IndexTuple() {}

    public static int info(byte[] bytes, int tuple) {
        return LittleEndian.u16(bytes, tuple + T_INFO);
    }

    /** IndexTupleSize. */
    public static int size(byte[] bytes, int tuple) {
        return info(bytes, tuple) & SIZE_MASK;
    }

    /** The size with its alignment, of a tuple that has at least a header; its rest must lie before {@code end}. */
    public static int requireAlignedSize(byte[] bytes, int tuple, int end) {
        if (end - tuple < HEADER_SIZE_BYTES) {
            throw new PageException("no room for an index tuple in " + (end - tuple) + " bytes");
        }
        int size = size(bytes, tuple);
        int aligned = Page.align8(size);
        if (size < HEADER_SIZE_BYTES || aligned > end - tuple) {
            throw new PageException("an index tuple of " + size + " bytes in " + (end - tuple));
        }
        return aligned;
    }
}
