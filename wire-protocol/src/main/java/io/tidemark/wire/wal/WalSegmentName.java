package io.tidemark.wire.wal;

import io.tidemark.wire.id.Lsn;
import java.util.Locale;
import java.util.Optional;

/**
 * The name of a WAL segment file: 24 upper-case hex digits, 8 each for PostgreSQL's timeline, the high part and the low part
 * of the segment number (the low part counts up to 4 GiB of WAL), and {@code .partial} while the file is being filled.
 *
 * @param tli PostgreSQL's timeline, always 1 in a storage we own
 * @param segmentNumber LSN / segment size
 * @param segmentSizeBytes needed to split the segment number
 */
public record WalSegmentName(int tli, long segmentNumber, int segmentSizeBytes, boolean partial) {
    public static final String PARTIAL_SUFFIX = ".partial";
    private static final int DIGITS = 24;

    public WalSegmentName {
        WalPageHeader.requireSegmentSize(segmentSizeBytes);
    }

    /** The complete segment of PostgreSQL timeline 1 that holds the byte at {@code lsn}. */
    public static WalSegmentName holding(Lsn lsn, int segmentSizeBytes) {
        return new WalSegmentName(1, lsn.segmentNumber(segmentSizeBytes), segmentSizeBytes, false);
    }

    /** Reads a file name; empty when it is not that of a WAL segment. */
    public static Optional<WalSegmentName> find(String fileName, int segmentSizeBytes) {
        boolean partial = fileName.endsWith(PARTIAL_SUFFIX);
        int length = partial ? fileName.length() - PARTIAL_SUFFIX.length() : fileName.length();
        if (length != DIGITS || !isUpperHex(fileName, length)) {
            return Optional.empty();
        }
        long tli = Long.parseLong(fileName, 0, 8, 16);
        long high = Long.parseLong(fileName, 8, 16, 16);
        long low = Long.parseLong(fileName, 16, 24, 16);
        long perHigh = (1L << 32) / segmentSizeBytes;
        if (low >= perHigh) {
            return Optional.empty();
        }
        return Optional.of(new WalSegmentName((int) tli, high * perHigh + low, segmentSizeBytes, partial));
    }

    private static boolean isUpperHex(String text, int length) {
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            boolean digit = c >= '0' && c <= '9';
            if (!digit && (c < 'A' || c > 'F')) {
                return false;
            }
        }
        return true;
    }

    /** The LSN of the first byte of the segment. */
    public Lsn startLsn() {
        return Lsn.ofSegment(segmentNumber, segmentSizeBytes);
    }

    /** The LSN after the last byte of the segment. */
    public Lsn endLsn() {
        return Lsn.ofSegment(segmentNumber + 1, segmentSizeBytes);
    }

    public WalSegmentName asPartial() {
        return new WalSegmentName(tli, segmentNumber, segmentSizeBytes, true);
    }

    public WalSegmentName asComplete() {
        return new WalSegmentName(tli, segmentNumber, segmentSizeBytes, false);
    }

    public WalSegmentName next() {
        return new WalSegmentName(tli, segmentNumber + 1, segmentSizeBytes, partial);
    }

    public String fileName() {
        long perHigh = (1L << 32) / segmentSizeBytes;
        return String.format(
                Locale.ROOT,
                "%08X%08X%08X%s",
                tli,
                Long.divideUnsigned(segmentNumber, perHigh),
                Long.remainderUnsigned(segmentNumber, perHigh),
                partial ? PARTIAL_SUFFIX : "");
    }
}
