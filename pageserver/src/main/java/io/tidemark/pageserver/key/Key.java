package io.tidemark.pageserver.key;

import java.util.Locale;

/**
 * A 128-bit name in the key space, ordered unsigned.
 *
 * <pre>
 *   high: family(u8) f2(u16) f3(u32) f4-high(u8)   low: f4-low(u24) f5(u8) f6(u32)
 *
 *   bits 127..120 family | 119..104 tablespace or kind | 103..72 database | 71..40 relation | 39..32 fork | 31..0 block
 * </pre>
 *
 * <p>The order makes a relation's blocks neighbours, and the blocks of a database one contiguous range. {@link Keys} makes them and has the
 * table of families. The layout is the compact form of Neon's keys.
 *
 * @param high the upper 64 bits
 * @param low the lower 64 bits
 */
public record Key(long high, long low) implements Comparable<Key> {
    public static final Key MIN = new Key(0, 0);
    public static final Key MAX = new Key(-1, -1);

    static Key of(int family, int f2, int f3, int f4, int f5, int f6) {
        long unsignedF3 = Integer.toUnsignedLong(f3);
        long unsignedF4 = Integer.toUnsignedLong(f4);
        long high = (long) family << 56 | (long) (f2 & 0xFFFF) << 40 | unsignedF3 << 8 | unsignedF4 >>> 24;
        long low = unsignedF4 << 40 | (long) (f5 & 0xFF) << 32 | Integer.toUnsignedLong(f6);
        return new Key(high, low);
    }

    /** The kind of thing, 0 to 127. */
    public int family() {
        return (int) (high >>> 56);
    }

    /** The tablespace's oid, or the kind within the family. */
    public int f2() {
        return (int) (high >>> 40) & 0xFFFF;
    }

    /** The database's oid. */
    public int f3() {
        return (int) (high >>> 8);
    }

    /** The relation's file number, or a segment's number. */
    public int f4() {
        return (int) ((high & 0xFF) << 24 | low >>> 40);
    }

    /** The fork. */
    public int f5() {
        return (int) (low >>> 32) & 0xFF;
    }

    /** The block number. */
    public int f6() {
        return (int) low;
    }

    /** The key right behind this one; {@link #MAX} has none and stays. */
    public Key next() {
        if (low != -1) {
            return new Key(high, low + 1);
        }
        return high == -1 ? this : new Key(high + 1, 0);
    }

    /** This key, {@code count} places further (unsigned 32 bits); for ranges of blocks. */
    public Key plus(long count) {
        long sum = low + count;
        return new Key(Long.compareUnsigned(sum, low) < 0 ? high + 1 : high, sum);
    }

    public boolean isBefore(Key other) {
        return compare(high, low, other.high, other.low) < 0;
    }

    /** The order of two keys given as halves. */
    public static int compare(long high1, long low1, long high2, long low2) {
        int order = Long.compareUnsigned(high1, high2);
        return order != 0 ? order : Long.compareUnsigned(low1, low2);
    }

    @Override
    public int compareTo(Key other) {
        return compare(high, low, other.high, other.low);
    }

    /**
     * Reads 32 hex digits.
     *
     * @throws IllegalArgumentException when the text is not that
     */
    public static Key parse(String text) {
        if (text.length() != 32) {
            throw new IllegalArgumentException("not a key: '" + text + "' (expected 32 hex digits)");
        }
        try {
            return new Key(Long.parseUnsignedLong(text, 0, 16, 16), Long.parseUnsignedLong(text, 16, 32, 16));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("not a key: '" + text + "' (expected 32 hex digits)", e);
        }
    }

    /** 32 upper-case hex digits. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%016X%016X", high, low);
    }
}
