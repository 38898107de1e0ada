package io.tidemark.wire.id;

/**
 * A byte position in WAL: PostgreSQL's XLogRecPtr. Unsigned 64 bits; 0 is "invalid". Text form {@code X/X}: the high and
 * the low 32 bits in upper-case hex without padding.
 *
 * @param value the position in bytes; compare with {@link #compareTo}, never with {@code <}
 */
public record Lsn(long value) implements Comparable<Lsn> {
    /** PostgreSQL's InvalidXLogRecPtr. */
    public static final Lsn INVALID = new Lsn(0);

    /** The size of a WAL page (XLOG_BLCKSZ), in bytes. */
    public static final int WAL_PAGE_SIZE = 8192;

    public static Lsn of(long value) {
        return value == 0 ? INVALID : new Lsn(value);
    }

    /**
     * Reads {@code X/X}, each half 1 to 8 hex digits.
     *
     * @throws IllegalArgumentException when the text is not an LSN
     */
    public static Lsn parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 1 || slash > 8 || text.length() - slash - 1 < 1 || text.length() - slash - 1 > 8) {
            throw new IllegalArgumentException("not an LSN: '" + text + "' (expected two hex numbers, like 0/16B3748)");
        }
        try {
            long high = Hex.parseUnsigned(text, 0, slash);
            long low = Hex.parseUnsigned(text, slash + 1, text.length());
            return of(high << 32 | low);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "not an LSN: '" + text + "' (expected two hex numbers, like 0/16B3748)", e);
        }
    }

    public boolean isValid() {
        return value != 0;
    }

    public boolean isBefore(Lsn other) {
        return Long.compareUnsigned(value, other.value) < 0;
    }

    public boolean isAfter(Lsn other) {
        return Long.compareUnsigned(value, other.value) > 0;
    }

    public boolean isAtLeast(Lsn other) {
        return Long.compareUnsigned(value, other.value) >= 0;
    }

    public boolean isAtMost(Lsn other) {
        return Long.compareUnsigned(value, other.value) <= 0;
    }

    public Lsn max(Lsn other) {
        return isAtLeast(other) ? this : other;
    }

    public Lsn min(Lsn other) {
        return isAtMost(other) ? this : other;
    }

    public Lsn plus(long bytes) {
        return of(value + bytes);
    }

    /** Bytes from {@code other} to this position; negative when this one is before it. */
    public long minus(Lsn other) {
        return value - other.value;
    }

    /** The number of the WAL segment that holds the byte at this position. */
    public long segmentNumber(int segmentSizeBytes) {
        return Long.divideUnsigned(value, segmentSizeBytes);
    }

    /** Offset inside its WAL segment, in bytes. */
    public int segmentOffset(int segmentSizeBytes) {
        return (int) Long.remainderUnsigned(value, segmentSizeBytes);
    }

    /** Offset inside its WAL page, in bytes. */
    public int pageOffset() {
        return (int) (value & (WAL_PAGE_SIZE - 1));
    }

    /** The first position of a segment. */
    public static Lsn ofSegment(long segmentNumber, int segmentSizeBytes) {
        return of(segmentNumber * segmentSizeBytes);
    }

    /** Rounded up to the 8-byte alignment of WAL records. */
    public Lsn alignRecord() {
        return of((value + 7) & ~7L);
    }

    @Override
    public int compareTo(Lsn other) {
        return Long.compareUnsigned(value, other.value);
    }

    @Override
    public String toString() {
        return Long.toHexString(value >>> 32).toUpperCase(java.util.Locale.ROOT)
                + "/"
                + Long.toHexString(value & 0xFFFF_FFFFL).toUpperCase(java.util.Locale.ROOT);
    }
}
