package io.tidemark.wire.wal;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Reads record after record from a {@link WalSource}, checking all that a {@link WalRecordScanner} checks and also that every
 * record names the one before it.
 *
 * <p>A record that lies on one page is decoded where the source put it; others are put together first. All are decoded into the same
 * {@link WalRecord}. Memory: a window of a few pages and a buffer that grows with the longest record, as its bytes arrive. Belongs to
 * one thread at a time.
 */
public final class WalRecordReader {
    private static final int PAGE = WalPageHeader.PAGE_SIZE_BYTES;
    private static final int HEADER = WalRecordHeader.SIZE_BYTES;
    /** Small enough for a core's own cache and for one per timeline, long enough that what is kept of a window hardly counts. */
    private static final int WINDOW = 8 * PAGE;

    private final WalSource source;
    private final int segmentSizeBytes;
    private int pageMagic;
    private @Nullable WalDecoder decoder;

    private long next;
    private long last;

    /** The bytes at [windowStart, windowStart + windowLength); the start is a page boundary. */
    private final byte[] window = new byte[WINDOW];

    private final ByteBuffer windowBuffer = ByteBuffer.wrap(window).order(ByteOrder.LITTLE_ENDIAN);
    private long windowStart;
    private int windowLength;

    private byte[] assembled = new byte[0];

    // The record over several pages that is being put together; partTotal is 0 when there is none.
    private long partStart;
    private long partAt;
    private int partTotal;
    private int partLength;
    private boolean atPageHeader;
    private final CRC32C crc = new CRC32C();

    /** Given out for each record. */
    private final WalRecord record = new WalRecord();

    /**
     * A reader whose first record is the one at {@code recordBoundary}.
     *
     * @param pgMajor 14 to 18, or 0 to find out from the first page header; then the start must be a page boundary, or
     *     the source must have the beginning of its page
     * @throws IllegalArgumentException when the version or the segment size is not one of PostgreSQL's
     */
    public WalRecordReader(WalSource source, int pgMajor, int segmentSizeBytes, Lsn recordBoundary) {
        this.source = source;
        this.segmentSizeBytes = WalPageHeader.requireSegmentSize(segmentSizeBytes);
        this.next = recordBoundary.value();
        this.windowStart = next;
        if (pgMajor != 0) {
            useMagic(WalPageHeader.magicOf(pgMajor));
        }
    }

    /** Where the next record is expected: a record end, maybe with a page header still to skip. */
    public Lsn position() {
        return Lsn.of(next);
    }

    /** The start of the record that was read last, {@link Lsn#INVALID} before the first. */
    public Lsn lastRecordStart() {
        return Lsn.of(last);
    }

    /** The version whose WAL this is, 0 while it is not known. */
    public int pgMajor() {
        return WalPageHeader.majorOf(pageMagic);
    }

    /**
     * Finds where the first record starts in the page that holds {@code from} or, when a record longer than that page
     * fills it, in a later one.
     *
     * @return a record boundary, maybe before {@code from}; empty when the source ends before one
     */
    public static Optional<Lsn> findRecordBoundary(WalSource source, int segmentSizeBytes, Lsn from)
            throws IOException, InvalidWalException {
        byte[] bytes = new byte[WalPageHeader.LONG_SIZE_BYTES];
        long page = from.value() & -PAGE;
        while (true) {
            int size = WalPageHeader.sizeAt(page, segmentSizeBytes);
            if (!readFully(source, page, bytes, size)) {
                return Optional.empty();
            }
            WalPageHeader header = WalPageHeader.decode(ByteBuffer.wrap(bytes, 0, size), 0);
            header.check(Lsn.of(page), 0, segmentSizeBytes);
            if (!header.isContrecord()) {
                return Optional.of(Lsn.of(page));
            }
            int rest = header.remainingLength();
            if (rest <= 0 || rest > WalRecordHeader.MAX_RECORD_BYTES) {
                throw invalid(Reason.CONTINUATION, page, "page says that " + rest + " bytes of a record follow");
            }
            if (align(rest) < PAGE - size) {
                return Optional.of(Lsn.of(page + size + align(rest)));
            }
            page += PAGE;
        }
    }

    private static boolean readFully(WalSource source, long at, byte[] into, int length) throws IOException {
        int done = 0;
        while (done < length) {
            int n = source.read(Lsn.of(at + done), into, done, length - done);
            if (n <= 0) {
                return false;
            }
            done += n;
        }
        return true;
    }

    /**
     * The next record, valid until the next call; null when the source has no more, which may change later.
     *
     * @throws InvalidWalException when the bytes at {@link #position} are no record
     */
    public @Nullable WalRecord next() throws IOException, InvalidWalException {
        WalRecord common = nextInWindow();
        if (common != null) {
            return common;
        }
        while (true) {
            long boundary = next;
            WalRecord read = readRecord();
            if (read != null || next == boundary) {
                return read;
            }
        }
    }

    /**
     * The common case of {@link #readRecord}: behind another record, on the same page as its end, and in the window as a whole. Null when it
     * is another case, or no record at all.
     */
    private @Nullable WalRecord nextInWindow() throws InvalidWalException {
        long from = next - windowStart;
        if (last != 0 && partTotal == 0 && from >= 0 && from <= windowLength - HEADER) {
            int at = (int) from;
            int inPage = (int) next & PAGE - 1;
            int total = LittleEndian.i32(window, at);
            if (inPage != 0 && total >= HEADER && total <= Math.min(PAGE - inPage, windowLength - at)) {
                return complete(window, at, total, next, next + total);
            }
        }
        return null;
    }

    /** Returns null and moves {@code next} when the record was abandoned by its writer; null only when bytes are missing. */
    private @Nullable WalRecord readRecord() throws IOException, InvalidWalException {
        if (partTotal != 0) {
            return assemble();
        }
        long at = next;
        if ((at & PAGE - 1) == 0) {
            WalPageHeader header = readPageHeader(at);
            if (header == null) {
                return null;
            }
            if (header.isContrecord() || header.remainingLength() != 0) {
                throw invalid(
                        Reason.CONTINUATION, at, "the page continues a record, but the one before it is complete");
            }
            at += header.sizeBytes();
        } else if (pageMagic == 0) {
            WalPageHeader header = readPageHeader(at & -PAGE);
            if (header == null) {
                return null;
            }
        }
        checkBoundary(at);
        int inPage = PAGE - (int) (at & PAGE - 1);
        int wanted = Math.min(HEADER, inPage);
        if (load(at, wanted) < wanted) {
            return null;
        }
        int total = LittleEndian.i32(window, indexOf(at));
        checkLength(total, at);
        if (total > inPage) {
            partStart = at;
            partAt = at;
            partTotal = total;
            partLength = 0;
            atPageHeader = false;
            return assemble();
        }
        return load(at, total) < total ? null : complete(window, indexOf(at), total, at, at + total);
    }

    /**
     * Goes on with the record over several pages at {@link #next}: takes over what is there, and keeps its place when bytes are missing, since
     * a source gives each byte once.
     */
    private @Nullable WalRecord assemble() throws IOException, InvalidWalException {
        while (true) {
            if (atPageHeader && !continueOnNextPage()) {
                return null;
            }
            int n = Math.min(partTotal - partLength, PAGE - (int) (partAt & PAGE - 1));
            if (load(partAt, n) < n) {
                return null;
            }
            if (assembled.length < partLength + n) {
                // Grows with what has arrived: xl_tot_len is not to be believed before the CRC.
                assembled =
                        Arrays.copyOf(assembled, Math.min(partTotal, Math.max(partLength + n, 2 * assembled.length)));
            }
            System.arraycopy(window, indexOf(partAt), assembled, partLength, n);
            if (partLength < HEADER && partLength + n >= HEADER) {
                checkPrev(LittleEndian.i64(assembled, WalRecordHeader.PREV), partStart);
            }
            partLength += n;
            partAt += n;
            atPageHeader = true;
            if (partLength == partTotal) {
                partTotal = 0;
                return complete(assembled, 0, partLength, partStart, partAt);
            }
        }
    }

    /** Steps over the header of a page that continues the record; false when it is missing or the record was abandoned. */
    private boolean continueOnNextPage() throws IOException, InvalidWalException {
        WalPageHeader header = readPageHeader(partAt);
        if (header == null) {
            return false;
        }
        if (header.isOverwriteContrecord() && !header.isContrecord()) {
            partTotal = 0;
            next = partAt; // the writer came back after a crash and goes on without the rest of this record
            return false;
        }
        if (!header.isContrecord() || header.remainingLength() != partTotal - partLength) {
            throw invalid(
                    Reason.CONTINUATION,
                    partAt,
                    "%d bytes are missing of the record at %s, but this page continues one by %s"
                            .formatted(
                                    partTotal - partLength,
                                    Lsn.of(partStart),
                                    Integer.toUnsignedString(header.remainingLength())));
        }
        partAt += header.sizeBytes();
        atPageHeader = false;
        return true;
    }

    private WalRecord complete(byte[] bytes, int offset, int total, long start, long lastByteEnd)
            throws InvalidWalException {
        checkPrev(LittleEndian.i64(bytes, offset + WalRecordHeader.PREV), start);
        crc.reset();
        crc.update(bytes, offset + HEADER, total - HEADER);
        crc.update(bytes, offset, WalRecordHeader.CRC);
        int expected = LittleEndian.i32(bytes, offset + WalRecordHeader.CRC);
        if ((int) crc.getValue() != expected) {
            throw invalid(Reason.RECORD_CRC, start, "record CRC is %08X, its bytes have %08X".formatted(expected, (int)
                            crc.getValue()));
        }
        long end = align(lastByteEnd);
        if (WalRecordHeader.isSwitch(
                LittleEndian.u8(bytes, offset + WalRecordHeader.RMID),
                LittleEndian.u8(bytes, offset + WalRecordHeader.INFO))) {
            end = end + segmentSizeBytes - 1 & -(long) segmentSizeBytes;
        }
        requireDecoder().decode(record, bytes, offset, total, start, end);
        last = start;
        next = end;
        return record;
    }

    /** Reads and checks a page header; null when the source does not have it. */
    private @Nullable WalPageHeader readPageHeader(long page) throws IOException, InvalidWalException {
        int size = WalPageHeader.sizeAt(page, segmentSizeBytes);
        if (load(page, size) < size) {
            return null;
        }
        WalPageHeader header = WalPageHeader.decode(windowBuffer, indexOf(page));
        header.check(Lsn.of(page), pageMagic, segmentSizeBytes);
        useMagic(header.magic());
        return header;
    }

    private void useMagic(int magic) {
        if (pageMagic == 0) {
            pageMagic = magic;
            decoder = new WalDecoder(WalPageHeader.majorOf(magic));
        }
    }

    private WalDecoder requireDecoder() {
        return Objects.requireNonNull(decoder, "a page header comes before the first record");
    }

    /** Makes as many as possible of the {@code wanted} bytes at {@code at} present, and returns how many are. */
    private int load(long at, int wanted) throws IOException {
        long from = at - windowStart;
        if (from < 0 || from > windowLength) {
            windowStart = at;
            windowLength = 0;
        } else if (from + wanted > WINDOW) {
            // With what is before it on its page: when bytes are missing, the page's header is read again.
            int kept = (int) Math.max(0, from - (at & PAGE - 1));
            System.arraycopy(window, kept, window, 0, windowLength - kept);
            windowStart += kept;
            windowLength -= kept;
        }
        int have = (int) (windowStart + windowLength - at);
        while (have < wanted) {
            int n = source.read(Lsn.of(windowStart + windowLength), window, windowLength, WINDOW - windowLength);
            if (n <= 0) {
                break;
            }
            windowLength += n;
            have += n;
        }
        return have;
    }

    private int indexOf(long lsn) {
        return (int) (lsn - windowStart);
    }

    private void checkBoundary(long at) throws InvalidWalException {
        if (align(at) != at || (at & PAGE - 1) < WalPageHeader.sizeAt(at & -PAGE, segmentSizeBytes)) {
            throw invalid(Reason.NOT_A_RECORD_BOUNDARY, at, "no record can start here");
        }
    }

    private static void checkLength(int total, long at) throws InvalidWalException {
        if (total == 0) {
            throw invalid(Reason.NO_RECORD, at, "zeros where a record should start");
        }
        if (total < HEADER || total > WalRecordHeader.MAX_RECORD_BYTES) {
            throw invalid(
                    Reason.RECORD_LENGTH, at, "record length " + Integer.toUnsignedString(total) + " is not possible");
        }
    }

    private void checkPrev(long prev, long start) throws InvalidWalException {
        if (last != 0 ? prev != last : Long.compareUnsigned(prev, start) >= 0) {
            throw invalid(
                    Reason.PREV_LINK,
                    start,
                    "the record names " + Lsn.of(prev) + " as the one before it"
                            + (last != 0 ? ", but that is " + Lsn.of(last) : ""));
        }
    }

    private static long align(long position) {
        return position + WalRecordHeader.ALIGNMENT - 1 & -WalRecordHeader.ALIGNMENT;
    }

    private static InvalidWalException invalid(Reason reason, long lsn, String detail) {
        return new InvalidWalException(Lsn.of(lsn), reason, detail);
    }
}
