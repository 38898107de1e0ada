package io.tidemark.pageserver.pgpage;

import io.tidemark.wire.wal.LittleEndian;

/**
 * A leaf tuple of a B-tree that stands for many rows with one key: a posting list (nbtree.h, nbtdedup.c).
 *
 * <pre>
 *   t_info has AM_RESERVED; t_tid: block = where the TIDs start in the tuple, offset = BT_IS_POSTING | number of TIDs
 *   header, key as in a plain tuple (together a multiple of 8) | TIDs(6 each), ascending | zeros up to a multiple of 8
 * </pre>
 */
public final class PostingTuple {
    /** BT_OFFSET_MASK. */
    private static final int COUNT_MASK = 0x0FFF;

    /** BT_IS_POSTING. */
    private static final int IS_POSTING = 0x2000;

    private PostingTuple() {}

    /** BTreeTupleIsPosting. */
    public static boolean is(byte[] bytes, int tuple) {
        return (IndexTuple.info(bytes, tuple) & IndexTuple.AM_RESERVED) != 0
                && (ItemPointer.offnum(bytes, tuple) & IS_POSTING) != 0;
    }

    /** How many rows a leaf tuple stands for: 1 unless it is a posting list. */
    public static int count(byte[] bytes, int tuple) {
        return is(bytes, tuple) ? ItemPointer.offnum(bytes, tuple) & COUNT_MASK : 1;
    }

    /** How many bytes a leaf tuple has without its TIDs. */
    public static int keySize(byte[] bytes, int tuple) {
        return is(bytes, tuple) ? ItemPointer.block(bytes, tuple) : IndexTuple.size(bytes, tuple);
    }

    /** Where a leaf tuple's TIDs start. */
    public static int tids(byte[] bytes, int tuple) {
        return is(bytes, tuple) ? tuple + ItemPointer.block(bytes, tuple) : tuple;
    }

    /** Throws unless this is a leaf tuple whose TIDs lie inside it. */
    public static void requireSane(byte[] bytes, int tuple) {
        int size = IndexTuple.size(bytes, tuple);
        boolean sane;
        if (is(bytes, tuple)) {
            int keySize = ItemPointer.block(bytes, tuple);
            int count = ItemPointer.offnum(bytes, tuple) & COUNT_MASK;
            sane = keySize >= IndexTuple.HEADER_SIZE_BYTES
                    && keySize <= size
                    && count > 1
                    && keySize + count * ItemPointer.SIZE_BYTES <= size;
        } else {
            sane = size >= IndexTuple.HEADER_SIZE_BYTES
                    && (IndexTuple.info(bytes, tuple) & IndexTuple.AM_RESERVED) == 0;
        }
        if (!sane || (size & 7) != 0 || (keySize(bytes, tuple) & 7) != 0 || tuple + size > Page.SIZE_BYTES) {
            throw new PageException("not a leaf tuple: t_info %04X, t_tid (%d,%d), at %d"
                    .formatted(
                            IndexTuple.info(bytes, tuple),
                            ItemPointer.block(bytes, tuple),
                            ItemPointer.offnum(bytes, tuple),
                            tuple));
        }
    }

    /** The size of a tuple that stands for {@code count} rows. */
    public static int sizeOf(int keySize, int count) {
        return count > 1 ? Page.align8(keySize + count * ItemPointer.SIZE_BYTES) : keySize;
    }

    /**
     * Begins a tuple of {@link #sizeOf} bytes that stands for {@code count} rows (_bt_form_posting): header, key and the zeros
     * at its end.
     *
     * @param base a leaf tuple with the key
     * @return where its TIDs belong
     */
    public static int begin(byte[] to, int tuple, byte[] from, int base, int count) {
        int keySize = keySize(from, base);
        int size = sizeOf(keySize, count);
        if (size > IndexTuple.SIZE_MASK || count > COUNT_MASK) {
            throw new PageException("a posting list of " + count + " rows would take " + size + " bytes");
        }
        System.arraycopy(from, base, to, tuple, keySize);
        int info = IndexTuple.info(from, base) & ~(IndexTuple.SIZE_MASK | IndexTuple.AM_RESERVED) | size;
        if (count == 1) {
            LittleEndian.putU16(to, tuple + IndexTuple.T_INFO, info);
            return tuple;
        }
        // At most 7 bytes of alignment: erase the last 8 before the TIDs come.
        LittleEndian.putI64(to, tuple + size - 8, 0);
        LittleEndian.putU16(to, tuple + IndexTuple.T_INFO, info | IndexTuple.AM_RESERVED);
        ItemPointer.put(to, tuple, keySize, count | IS_POSTING);
        return tuple + keySize;
    }

    /**
     * Makes room for a new row inside a posting list (_bt_swap_posting): the rows from {@code postingOffset} on move up, the new
     * one takes its place, and the last falls out. The size stays.
     *
     * @param tuple the posting list, changed in place
     * @param newTid where the new row's TID is in {@code from}
     * @return the TID that fell out, which the new tuple gets: its six bytes, little endian
     */
    public static long swap(byte[] bytes, int tuple, int postingOffset, byte[] from, int newTid) {
        requireSane(bytes, tuple);
        int count = count(bytes, tuple);
        if (postingOffset <= 0 || postingOffset >= count) {
            throw new PageException("a posting list of " + count + " rows cannot be split at " + postingOffset);
        }
        int place = tids(bytes, tuple) + postingOffset * ItemPointer.SIZE_BYTES;
        int last = tids(bytes, tuple) + (count - 1) * ItemPointer.SIZE_BYTES;
        long fallen = LittleEndian.i32(bytes, last) & 0xFFFF_FFFFL | (long) LittleEndian.u16(bytes, last + 4) << 32;
        System.arraycopy(bytes, place, bytes, place + ItemPointer.SIZE_BYTES, last - place);
        System.arraycopy(from, newTid, bytes, place, ItemPointer.SIZE_BYTES);
        return fallen;
    }

    /** Sets t_tid to what {@link #swap} returned. */
    public static void putTid(byte[] bytes, int tuple, long tid) {
        LittleEndian.putI32(bytes, tuple, (int) tid);
        LittleEndian.putU16(bytes, tuple + ItemPointer.IP_POSID, (int) (tid >>> 32));
    }
}
