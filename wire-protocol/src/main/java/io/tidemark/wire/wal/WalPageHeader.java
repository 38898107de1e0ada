package io.tidemark.wire.wal;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The header of a WAL page: PostgreSQL's XLogPageHeaderData, on the first page of a segment XLogLongPageHeaderData. All
 * fields little endian.
 *
 * <pre>
 *   0 u16 xlp_magic       2 u16 xlp_info     4 u32 xlp_tli     8 u64 xlp_pageaddr
 *  16 u32 xlp_rem_len    20 4 bytes padding
 *  24 u64 xlp_sysid      32 u32 xlp_seg_size                  36 u32 xlp_xlog_blcksz     (long header only)
 * </pre>
 *
 * @param magic xlp_magic, one per PostgreSQL major version
 * @param info xlp_info, a set of the flags below
 * @param tli xlp_tli, PostgreSQL's timeline
 * @param pageAddress xlp_pageaddr, the LSN of this page
 * @param remainingLength xlp_rem_len: bytes left of the record continued from the page before
 * @param systemId xlp_sysid; unknown in a short header
 * @param segmentSizeBytes xlp_seg_size; 0 in a short header
 * @param pageSizeBytes xlp_xlog_blcksz; 0 in a short header
 */
public record WalPageHeader(
        int magic,
        int info,
        int tli,
        Lsn pageAddress,
        int remainingLength,
        SystemId systemId,
        int segmentSizeBytes,
        int pageSizeBytes) {
    public static final int SHORT_SIZE_BYTES = 24;
    public static final int LONG_SIZE_BYTES = 40;
    public static final int PAGE_SIZE_BYTES = Lsn.WAL_PAGE_SIZE;

    /** The segment size that initdb chooses when it is not told another. */
    public static final int DEFAULT_SEGMENT_SIZE_BYTES = 16 << 20;

    public static final int MIN_SEGMENT_SIZE_BYTES = 1 << 20;
    public static final int MAX_SEGMENT_SIZE_BYTES = 1 << 30;

    /** XLP_FIRST_IS_CONTRECORD: the page starts with the rest of a record. */
    public static final int FIRST_IS_CONTRECORD = 0x0001;

    /** XLP_LONG_HEADER. */
    public static final int LONG_HEADER = 0x0002;

    /** XLP_BKP_REMOVABLE: archivers may drop full page images; says nothing to a reader. */
    public static final int BKP_REMOVABLE = 0x0004;

    /** XLP_FIRST_IS_OVERWRITE_CONTRECORD: the record continued from the page before was abandoned. */
    public static final int FIRST_IS_OVERWRITE_CONTRECORD = 0x0008;

    static final int ALL_FLAGS = 0x000F;

    /** A short header. */
    public static WalPageHeader shortHeader(int magic, int info, int tli, Lsn pageAddress, int remainingLength) {
        return new WalPageHeader(magic, info, tli, pageAddress, remainingLength, SystemId.UNKNOWN, 0, 0);
    }

    /** A long header; sets {@link #LONG_HEADER} in {@code info}. */
    public static WalPageHeader longHeader(
            int magic,
            int info,
            int tli,
            Lsn pageAddress,
            int remainingLength,
            SystemId systemId,
            int segmentSizeBytes) {
        return new WalPageHeader(
                magic,
                info | LONG_HEADER,
                tli,
                pageAddress,
                remainingLength,
                systemId,
                segmentSizeBytes,
                PAGE_SIZE_BYTES);
    }

    /** The magic of a major version; throws {@link IllegalArgumentException} for one outside of 14 to 18. */
    public static int magicOf(int pgMajor) {
        return switch (pgMajor) {
            case 14 -> 0xD10D;
            case 15 -> 0xD110;
            case 16 -> 0xD113;
            case 17 -> 0xD116;
            case 18 -> 0xD118;
            default -> throw new IllegalArgumentException("no WAL page magic known for PostgreSQL " + pgMajor);
        };
    }

    /** The major version that writes this magic, 0 when none of 14 to 18 does. */
    public static int majorOf(int magic) {
        return switch (magic) {
            case 0xD10D -> 14;
            case 0xD110 -> 15;
            case 0xD113 -> 16;
            case 0xD116 -> 17;
            case 0xD118 -> 18;
            default -> 0;
        };
    }

    /** The size in bytes of the header of the page that starts at {@code pageAddress}. */
    public static int sizeAt(Lsn pageAddress, int segmentSizeBytes) {
        return sizeAt(pageAddress.value(), segmentSizeBytes);
    }

    static int sizeAt(long pageAddress, int segmentSizeBytes) {
        return (pageAddress & segmentSizeBytes - 1) == 0 ? LONG_SIZE_BYTES : SHORT_SIZE_BYTES;
    }

    /** Whether PostgreSQL accepts this as a segment size: a power of two from 1 MiB to 1 GiB. */
    public static boolean isSegmentSize(int bytes) {
        return Integer.bitCount(bytes) == 1 && bytes >= MIN_SEGMENT_SIZE_BYTES && bytes <= MAX_SEGMENT_SIZE_BYTES;
    }

    static int requireSegmentSize(int bytes) {
        if (!isSegmentSize(bytes)) {
            throw new IllegalArgumentException(
                    "not a WAL segment size: " + bytes + " (a power of two from 1 MiB to 1 GiB)");
        }
        return bytes;
    }

    public boolean isLong() {
        return (info & LONG_HEADER) != 0;
    }

    public boolean isContrecord() {
        return (info & FIRST_IS_CONTRECORD) != 0;
    }

    public boolean isOverwriteContrecord() {
        return (info & FIRST_IS_OVERWRITE_CONTRECORD) != 0;
    }

    /** The size of this header in bytes. */
    public int sizeBytes() {
        return isLong() ? LONG_SIZE_BYTES : SHORT_SIZE_BYTES;
    }

    /**
     * Reads a header without judging it: the result may be nonsense until {@link #check} has passed. A header that calls
     * itself long but is not followed by 40 bytes is read as a short one.
     *
     * @param page at least 24 bytes from {@code at}; its byte order does not matter
     */
    public static WalPageHeader decode(ByteBuffer page, int at) {
        ByteBuffer in = page.order() == ByteOrder.LITTLE_ENDIAN
                ? page
                : page.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        int info = Short.toUnsignedInt(in.getShort(at + 2));
        boolean isLong = (info & LONG_HEADER) != 0 && in.limit() - at >= LONG_SIZE_BYTES;
        return new WalPageHeader(
                Short.toUnsignedInt(in.getShort(at)),
                info,
                in.getInt(at + 4),
                Lsn.of(in.getLong(at + 8)),
                in.getInt(at + 16),
                isLong ? SystemId.of(in.getLong(at + 24)) : SystemId.UNKNOWN,
                isLong ? in.getInt(at + 32) : 0,
                isLong ? in.getInt(at + 36) : 0);
    }

    /** Appends the header, 24 or 40 bytes. */
    public void encode(ByteBuf out) {
        out.writeShortLE(magic);
        out.writeShortLE(info);
        out.writeIntLE(tli);
        out.writeLongLE(pageAddress.value());
        out.writeIntLE(remainingLength);
        out.writeIntLE(0);
        if (isLong()) {
            out.writeLongLE(systemId.value());
            out.writeIntLE(segmentSizeBytes);
            out.writeIntLE(pageSizeBytes);
        }
    }

    /**
     * Checks everything that does not depend on the record under way. The tli may be any.
     *
     * @param expectedAddress where the page was found
     * @param expectedMagic the magic to insist on, or 0 for that of any known version
     */
    public void check(Lsn expectedAddress, int expectedMagic, int segmentSize) throws InvalidWalException {
        if (magic == 0 && info == 0 && pageAddress.value() == 0) {
            throw new InvalidWalException(
                    expectedAddress, InvalidWalException.Reason.NO_RECORD, "zeros where a page should start");
        }
        if (expectedMagic == 0 ? majorOf(magic) == 0 : magic != expectedMagic) {
            throw wrong(
                    expectedAddress,
                    "page magic %04X, expected %s"
                            .formatted(
                                    magic,
                                    expectedMagic == 0
                                            ? "that of PostgreSQL 14 to 18"
                                            : "%04X".formatted(expectedMagic)));
        }
        if ((info & ~ALL_FLAGS) != 0) {
            throw wrong(expectedAddress, "unknown page flags %04X".formatted(info));
        }
        if (!pageAddress.equals(expectedAddress)) {
            boolean recycled = pageAddress.isBefore(expectedAddress) && pageAddress.pageOffset() == 0;
            throw new InvalidWalException(
                    expectedAddress,
                    recycled ? InvalidWalException.Reason.STALE_PAGE : InvalidWalException.Reason.PAGE_HEADER,
                    "page header has the address " + pageAddress);
        }
        boolean atSegmentStart = (expectedAddress.value() & segmentSize - 1) == 0;
        if (isLong() != atSegmentStart) {
            throw wrong(
                    expectedAddress,
                    atSegmentStart ? "short page header at a segment start" : "long page header inside a segment");
        }
        if (atSegmentStart && (segmentSizeBytes != segmentSize || pageSizeBytes != PAGE_SIZE_BYTES)) {
            throw wrong(
                    expectedAddress,
                    "segment size %d and WAL page size %d, expected %d and %d"
                            .formatted(segmentSizeBytes, pageSizeBytes, segmentSize, PAGE_SIZE_BYTES));
        }
    }

    private static InvalidWalException wrong(Lsn at, String detail) {
        return new InvalidWalException(at, InvalidWalException.Reason.PAGE_HEADER, detail);
    }
}
