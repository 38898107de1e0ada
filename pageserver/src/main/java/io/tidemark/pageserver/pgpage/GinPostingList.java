package io.tidemark.pageserver.pgpage;

import io.tidemark.wire.wal.LittleEndian;
import java.util.Arrays;

/**
 * A segment of a compressed posting list (GinPostingList in ginblock.h, ginpostinglist.c): ascending TIDs, the first as it is,
 * the others as differences.
 *
 * <pre>
 *   0 first(TID) | 6 nbytes(u16) | 8 bytes[nbytes] | one zero byte when nbytes is odd
 * </pre>
 *
 * <p>A TID stands for the number {@code block << 11 | offnum}. Each difference is written with seven bits to a byte, lowest first,
 * the top bit telling that more follow; with as few bytes as possible, since redo has to give the very bytes of the server.
 */
public final class GinPostingList {
    /** Where the differences start. */
    public static final int BYTES = 8;

    private static final int NBYTES = 6;
    private static final int OFFNUM_BITS = 11;
    private static final int MAX_BYTES_PER_INTEGER = 7;
    private static final long LIMIT = 1L << (32 + OFFNUM_BITS);

    private GinPostingList() {}

    /**
     * The size of the segment at {@code at}, padding included (SizeOfGinPostingList).
     *
     * @throws PageException when it does not end before {@code end}
     */
    public static int size(byte[] bytes, int at, int end) {
        if (end - at < BYTES) {
            throw new PageException("a posting list segment of " + (end - at) + " bytes has no header");
        }
        int size = BYTES + Page.align2(LittleEndian.u16(bytes, at + NBYTES));
        if (size > end - at) {
            throw new PageException("a posting list segment of " + size + " bytes where only " + (end - at) + " are");
        }
        return size;
    }

    /** A TID as a number that orders as TIDs do. */
    public static long toNumber(byte[] bytes, int at) {
        int offnum = ItemPointer.offnum(bytes, at);
        if (offnum >>> OFFNUM_BITS != 0) {
            throw new PageException("offset number " + offnum + " is too high for a posting list");
        }
        return Integer.toUnsignedLong(ItemPointer.block(bytes, at)) << OFFNUM_BITS | offnum;
    }

    private static void putNumber(byte[] bytes, int at, long number) {
        ItemPointer.put(bytes, at, (int) (number >>> OFFNUM_BITS), (int) number & ((1 << OFFNUM_BITS) - 1));
    }

    /**
     * The TIDs of the segment at {@code at}, as numbers.
     *
     * @throws PageException when it does not end before {@code end}, or its bytes are not differences
     */
    public static long[] decode(byte[] bytes, int at, int end) {
        size(bytes, at, end);
        int next = at + BYTES;
        int stop = next + LittleEndian.u16(bytes, at + NBYTES);
        long[] numbers = new long[1 + stop - next];
        long number = toNumber(bytes, at);
        int count = 0;
        numbers[count++] = number;
        while (next < stop) {
            long difference = 0;
            int shift = 0;
            byte part;
            do {
                if (next == stop || shift == 7 * MAX_BYTES_PER_INTEGER) {
                    throw new PageException("a difference in a posting list does not end");
                }
                part = bytes[next++];
                difference |= (long) (part & 0x7F) << shift;
                shift += 7;
            } while (part < 0);
            number += difference;
            if (difference == 0 || number >= LIMIT) {
                throw new PageException("a posting list is not ascending, or leads beyond the last block");
            }
            numbers[count++] = number;
        }
        return count == numbers.length ? numbers : Arrays.copyOf(numbers, count);
    }

    /**
     * Writes a segment (ginCompressPostingList).
     *
     * @param numbers ascending, without duplicates, at least one
     * @param end where {@code into} ends for this segment
     * @return its size, padding included
     */
    public static int encode(long[] numbers, byte[] into, int at, int end) {
        if (end - at < BYTES) {
            throw noRoom(numbers);
        }
        putNumber(into, at, numbers[0]);
        int next = at + BYTES;
        for (int i = 1; i < numbers.length; i++) {
            long difference = numbers[i] - numbers[i - 1];
            if (difference <= 0) {
                throw new PageException("the items of a posting list are not ascending");
            }
            if (end - next < MAX_BYTES_PER_INTEGER && end - next < encodedLength(difference)) {
                throw noRoom(numbers);
            }
            while (difference > 0x7F) {
                into[next++] = (byte) (0x80 | difference);
                difference >>>= 7;
            }
            into[next++] = (byte) difference;
        }
        int length = next - at - BYTES;
        LittleEndian.putU16(into, at + NBYTES, length);
        if ((length & 1) != 0) {
            if (next == end) {
                throw noRoom(numbers);
            }
            into[next] = 0;
        }
        return BYTES + Page.align2(length);
    }

    private static int encodedLength(long difference) {
        return (Long.SIZE - Long.numberOfLeadingZeros(difference) + 6) / 7;
    }

    private static PageException noRoom(long[] numbers) {
        return new PageException("no room for a posting list segment of " + numbers.length + " items");
    }
}
