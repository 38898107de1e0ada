package io.tidemark.wire.wal;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Finds and checks record ends in a stream of WAL that arrives in pieces of any size.
 *
 * <p>Checked: page magic, flags, address and continuation; record length, that xl_prev points backwards, CRC. Not checked:
 * the exact back link (a stream may start where the record before is unknown) and what is inside a record.
 *
 * <p>Where a piece is cut has no influence on the result. After an exception the scanner is dead: only {@link #position}
 * (somewhere in the bytes that were wrong) and {@link #lastRecordEnd} still mean something. Recovery relies on that: it feeds
 * segment files from a known record boundary until an exception or the end of the files, and takes lastRecordEnd().
 *
 * <p>Belongs to one thread at a time.
 */
public final class WalRecordScanner {
    private static final int PAGE = WalPageHeader.PAGE_SIZE_BYTES;
    private static final int RECORD_HEADER = WalRecordHeader.SIZE_BYTES;

    private final int segmentSizeBytes;
    private int pageMagic;
    private long position;
    private long lastRecordEnd;
    private long skipUntil;
    private boolean failed;

    /** Whether part of a record has been seen; then {@code received} bytes of it, out of {@code totalLength} once known. */
    private boolean inRecord;

    private int received;
    private int totalLength;
    private long recordStart;

    /** CRC of the record's bytes from 24 on, as far as earlier pieces brought them. */
    private int carriedCrc;

    /** Runs within one piece only, so that a copy of the scanner need not copy it. */
    private final CRC32C pieceCrc = new CRC32C();

    private long pieceCrcBytes;

    /** A record header, then a page header, of which only the first bytes have come; made when first needed. */
    private byte @Nullable [] partial;

    private int pageHeaderReceived;

    private WalRecordScanner(int segmentSizeBytes, int pageMagic, long start) {
        this.segmentSizeBytes = segmentSizeBytes;
        this.pageMagic = pageMagic;
        this.position = start;
        this.lastRecordEnd = start;
        this.skipUntil = start;
    }

    /**
     * A scanner that expects a record at {@code recordBoundary}, or if that is a page boundary, a page header and a record.
     * A position where no record can start is reported by the first feed.
     *
     * @param pgMajor 14 to 18, or 0 to accept whichever known version the first page header names
     * @throws IllegalArgumentException when the version or the segment size is not one of PostgreSQL's
     */
    public static WalRecordScanner startingAt(Lsn recordBoundary, int pgMajor, int segmentSizeBytes) {
        return new WalRecordScanner(
                WalPageHeader.requireSegmentSize(segmentSizeBytes),
                pgMajor == 0 ? 0 : WalPageHeader.magicOf(pgMajor),
                recordBoundary.value());
    }

    /** An independent scanner in the same state. Costs a few small objects; does not depend on the length of the WAL. */
    public WalRecordScanner copy() {
        WalRecordScanner copy = new WalRecordScanner(segmentSizeBytes, pageMagic, position);
        copy.lastRecordEnd = lastRecordEnd;
        copy.skipUntil = skipUntil;
        copy.failed = failed;
        copy.inRecord = inRecord;
        copy.received = received;
        copy.totalLength = totalLength;
        copy.recordStart = recordStart;
        copy.carriedCrc = carriedCrc;
        copy.pageHeaderReceived = pageHeaderReceived;
        copy.partial = partial == null ? null : partial.clone();
        return copy;
    }

    /**
     * Whether both go on alike: whatever they are fed next, they accept or refuse the same, and say the same of it. True of two that have been fed
     * the same from the same start, in any pieces.
     */
    public boolean isInStateOf(WalRecordScanner other) {
        return this == other
                || (segmentSizeBytes == other.segmentSizeBytes
                        && pageMagic == other.pageMagic
                        && position == other.position
                        && lastRecordEnd == other.lastRecordEnd
                        && skipUntil == other.skipUntil
                        && failed == other.failed
                        && pageHeaderReceived == other.pageHeaderReceived
                        && isPartialEqual(other, RECORD_HEADER, pageHeaderReceived)
                        && inRecord == other.inRecord
                        && (!inRecord || isRecordEqual(other)));
    }

    private boolean isRecordEqual(WalRecordScanner other) {
        return received == other.received
                && totalLength == other.totalLength
                && recordStart == other.recordStart
                && carriedCrc == other.carriedCrc
                && isPartialEqual(other, 0, Math.min(received, RECORD_HEADER));
    }

    private boolean isPartialEqual(WalRecordScanner other, int from, int length) {
        return length == 0 || Arrays.equals(partial(), from, from + length, other.partial(), from, from + length);
    }

    /** The LSN of the next byte to be fed. */
    public Lsn position() {
        return Lsn.of(position);
    }

    /**
     * The end of the last complete record, or the start of the scan when there is none: aligned to 8 bytes, so up to 7 bytes
     * ahead of {@link #position}; after XLOG_SWITCH the start of the next segment, up to a segment ahead of it.
     */
    public Lsn lastRecordEnd() {
        return Lsn.of(lastRecordEnd);
    }

    /**
     * Scans the readable bytes, which are those at {@link #position}. Moves no index of the buffer and keeps no reference.
     *
     * @throws InvalidWalException at the first byte range that is not valid WAL
     * @throws IllegalStateException when an earlier feed has failed
     */
    public void feed(ByteBuf wal) throws InvalidWalException {
        if (wal.nioBufferCount() == 1) {
            feed(wal.nioBuffer());
            return;
        }
        for (ByteBuffer piece : wal.nioBuffers()) {
            feed(piece);
        }
    }

    /** Like {@link #feed(ByteBuf)}, from the buffer's position to its limit, which stay as they are. */
    public void feed(ByteBuffer wal) throws InvalidWalException {
        if (failed) {
            throw new IllegalStateException("WAL before " + position() + " was invalid; this scan cannot go on");
        }
        failed = true; // unless scan returns
        scan(wal.duplicate().order(ByteOrder.LITTLE_ENDIAN));
        carryCrc();
        failed = false;
    }

    private void scan(ByteBuffer in) throws InvalidWalException {
        int at = in.position();
        final int end = in.limit();
        while (at < end) {
            int available = end - at;
            int taken;
            if (position != skipUntil) {
                taken = (int) Math.min(available, skipUntil - position);
            } else {
                int inPage = (int) position & PAGE - 1;
                if (inPage < WalPageHeader.LONG_SIZE_BYTES
                        && inPage < WalPageHeader.sizeAt(position - inPage, segmentSizeBytes)) {
                    taken = takePageHeader(in, at, available, inPage);
                } else if (inRecord) {
                    taken = continueRecord(in, at, Math.min(available, PAGE - inPage));
                } else {
                    taken = startRecord(in, at, end, Math.min(available, PAGE - inPage));
                }
            }
            at += taken;
            position += taken;
            if (Long.compareUnsigned(skipUntil, position) < 0) {
                skipUntil = position;
            }
        }
    }

    private int takePageHeader(ByteBuffer in, int at, int available, int inPage) throws InvalidWalException {
        if (inPage != pageHeaderReceived) {
            throw invalid(Reason.NOT_A_RECORD_BOUNDARY, position, "a record cannot start inside a page header");
        }
        long pageAddress = position - inPage;
        int size = WalPageHeader.sizeAt(pageAddress, segmentSizeBytes);
        if (inPage == 0 && available >= size) {
            checkPageHeader(WalPageHeader.decode(in, at), pageAddress);
            return size;
        }
        byte[] bytes = partial();
        int taken = Math.min(available, size - inPage);
        in.get(at, bytes, RECORD_HEADER + inPage, taken);
        pageHeaderReceived += taken;
        if (pageHeaderReceived == size) {
            pageHeaderReceived = 0;
            ByteBuffer header = ByteBuffer.wrap(bytes, 0, RECORD_HEADER + size).order(ByteOrder.LITTLE_ENDIAN);
            checkPageHeader(WalPageHeader.decode(header, RECORD_HEADER), pageAddress);
        }
        return taken;
    }

    private void checkPageHeader(WalPageHeader header, long pageAddress) throws InvalidWalException {
        header.check(Lsn.of(pageAddress), pageMagic, segmentSizeBytes);
        pageMagic = header.magic();
        if (inRecord && header.isOverwriteContrecord() && !header.isContrecord()) {
            // The writer crashed inside the record and, when it came back, could not finish it: the next record starts
            // here.
            abandonRecord();
        }
        if (inRecord != header.isContrecord()) {
            throw invalid(
                    Reason.CONTINUATION,
                    pageAddress,
                    inRecord
                            ? "the record at " + Lsn.of(recordStart) + " does not continue on this page"
                            : "the page continues a record, but the one before it is complete");
        }
        int missing = inRecord ? totalLength - received : 0;
        if (header.remainingLength() != missing) {
            throw invalid(
                    Reason.CONTINUATION,
                    pageAddress,
                    "page says that "
                            + Integer.toUnsignedString(header.remainingLength())
                            + " bytes of a record follow, expected "
                            + missing);
        }
    }

    /** At a record boundary, with {@code inPage} bytes available before the next page header. */
    private int startRecord(ByteBuffer in, int at, int end, int inPage) throws InvalidWalException {
        if ((position & WalRecordHeader.ALIGNMENT - 1) != 0) {
            throw invalid(Reason.NOT_A_RECORD_BOUNDARY, position, "records start at multiples of 8");
        }
        recordStart = position;
        if (inPage >= RECORD_HEADER) {
            int length = in.getInt(at);
            checkLength(length);
            if (length <= inPage) {
                checkPrev(in.getLong(at + WalRecordHeader.PREV));
                pieceCrc.reset();
                pieceCrc.update(in.limit(at + length).position(at + RECORD_HEADER));
                pieceCrc.update(in.limit(at + WalRecordHeader.CRC).position(at));
                in.limit(end);
                checkCrc((int) pieceCrc.getValue(), in.getInt(at + WalRecordHeader.CRC));
                completeRecord(position + length, in.get(at + WalRecordHeader.RMID), in.get(at + WalRecordHeader.INFO));
                return length;
            }
        }
        inRecord = true;
        received = 0;
        totalLength = 0;
        carriedCrc = 0;
        pieceCrc.reset();
        pieceCrcBytes = 0;
        return continueRecord(in, at, inPage);
    }

    private int continueRecord(ByteBuffer in, int at, int inPage) throws InvalidWalException {
        int taken;
        byte[] header = partial();
        if (received < RECORD_HEADER) {
            taken = Math.min(RECORD_HEADER - received, inPage);
            in.get(at, header, received, taken);
            boolean lengthArrived = received < Integer.BYTES && received + taken >= Integer.BYTES;
            received += taken;
            ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
            if (lengthArrived) {
                totalLength = fields.getInt(WalRecordHeader.TOTAL_LENGTH);
                checkLength(totalLength);
            }
            if (received == RECORD_HEADER) {
                checkPrev(fields.getLong(WalRecordHeader.PREV));
            }
        } else {
            taken = Math.min(totalLength - received, inPage);
            int limit = in.limit();
            pieceCrc.update(in.limit(at + taken).position(at));
            in.limit(limit);
            pieceCrcBytes += taken;
            received += taken;
        }
        if (received == totalLength) {
            pieceCrc.update(header, 0, WalRecordHeader.CRC);
            pieceCrcBytes += WalRecordHeader.CRC;
            carryCrc();
            checkCrc(
                    carriedCrc,
                    ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt(WalRecordHeader.CRC));
            completeRecord(position + taken, header[WalRecordHeader.RMID], header[WalRecordHeader.INFO]);
        }
        return taken;
    }

    /** Moves what {@code pieceCrc} has seen of the current record into {@code carriedCrc}. */
    private void carryCrc() {
        if (inRecord) {
            carriedCrc = Crc32c.combine(carriedCrc, (int) pieceCrc.getValue(), pieceCrcBytes);
            pieceCrc.reset();
            pieceCrcBytes = 0;
        }
    }

    private void completeRecord(long end, byte rmid, byte info) {
        inRecord = false;
        long next = end + WalRecordHeader.ALIGNMENT - 1 & -WalRecordHeader.ALIGNMENT;
        if (WalRecordHeader.isSwitch(rmid & 0xFF, info & 0xFF)) {
            next = next + segmentSizeBytes - 1 & -(long) segmentSizeBytes;
        }
        lastRecordEnd = next;
        skipUntil = next;
    }

    private void abandonRecord() {
        inRecord = false;
        received = 0;
        totalLength = 0;
    }

    private void checkLength(int length) throws InvalidWalException {
        if (length == 0) {
            throw invalid(Reason.NO_RECORD, recordStart, "zeros where a record should start");
        }
        if (length < RECORD_HEADER || length > WalRecordHeader.MAX_RECORD_BYTES) {
            throw invalid(
                    Reason.RECORD_LENGTH,
                    recordStart,
                    "record length " + Integer.toUnsignedString(length) + " is not possible");
        }
    }

    private void checkPrev(long prev) throws InvalidWalException {
        if (Long.compareUnsigned(prev, recordStart) >= 0) {
            throw invalid(Reason.PREV_LINK, recordStart, "the record names " + Lsn.of(prev) + " as the one before it");
        }
    }

    private void checkCrc(int actual, int expected) throws InvalidWalException {
        if (actual != expected) {
            throw invalid(
                    Reason.RECORD_CRC,
                    recordStart,
                    "record CRC is %08X, its bytes have %08X".formatted(expected, actual));
        }
    }

    private byte[] partial() {
        if (partial == null) {
            partial = new byte[RECORD_HEADER + WalPageHeader.LONG_SIZE_BYTES];
        }
        return partial;
    }

    private static InvalidWalException invalid(Reason reason, long lsn, String detail) {
        return new InvalidWalException(Lsn.of(lsn), reason, detail);
    }
}
