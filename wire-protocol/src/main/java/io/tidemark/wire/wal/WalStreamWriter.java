package io.tidemark.wire.wal;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * Makes valid WAL: page headers, records with length, back link and CRC, padding. PostgreSQL's timeline is always 1.
 *
 * <p>Written bytes gather in memory until {@link #drain}. Belongs to one thread at a time.
 */
public final class WalStreamWriter {
    private static final int PAGE = WalPageHeader.PAGE_SIZE_BYTES;
    private static final int TLI = 1;
    private static final int MAIN_DATA_SHORT = 255;
    private static final int MAIN_DATA_LONG = 254;

    private final int magic;
    private final SystemId systemId;
    private final int segmentSizeBytes;
    private long position;
    private long prev;
    private ByteBuf pending = Unpooled.buffer();

    /**
     * @param start a record boundary: a multiple of 8, not inside a page header
     * @param prevRecordLsn the start of the record that ends at {@code start}; {@link Lsn#INVALID} for the first one ever
     * @throws IllegalArgumentException when one of these cannot be
     */
    public WalStreamWriter(int pgMajor, SystemId systemId, int segmentSizeBytes, Lsn start, Lsn prevRecordLsn) {
        this.magic = WalPageHeader.magicOf(pgMajor);
        this.systemId = systemId;
        this.segmentSizeBytes = WalPageHeader.requireSegmentSize(segmentSizeBytes);
        int inPage = start.pageOffset();
        int headerSize = WalPageHeader.sizeAt(start.value() - inPage, segmentSizeBytes);
        if (!start.alignRecord().equals(start) || (inPage != 0 && inPage < headerSize)) {
            throw new IllegalArgumentException("no record can start at " + start);
        }
        this.position = start.value();
        this.prev = prevRecordLsn.value();
    }

    /** The end of what was appended: where the next record starts, or the page header before it. */
    public Lsn position() {
        return Lsn.of(position);
    }

    /** The start of the record that was appended last, else what the constructor was given. */
    public Lsn lastRecordStart() {
        return Lsn.of(prev);
    }

    /**
     * Appends a record that consists of main data only.
     *
     * @param info xl_info, with the opcode in the high nibble
     * @return the record's end
     */
    public Lsn append(int rmgrId, int info, int xid, byte[] mainData) {
        if (mainData.length == 0) {
            return appendBody(rmgrId, info, xid, mainData);
        }
        int headerSize = mainData.length <= 255 ? 2 : 5;
        ByteBuffer body = ByteBuffer.allocate(headerSize + mainData.length).order(ByteOrder.LITTLE_ENDIAN);
        if (mainData.length <= 255) {
            body.put((byte) MAIN_DATA_SHORT).put((byte) mainData.length);
        } else {
            body.put((byte) MAIN_DATA_LONG).putInt(mainData.length);
        }
        return appendBody(rmgrId, info, xid, body.put(mainData).array());
    }

    /**
     * Appends a record from everything that follows its 24 byte header: block headers, data headers and data.
     *
     * @return the record's end
     */
    public Lsn appendBody(int rmgrId, int info, int xid, byte[] body) {
        byte[] record = new byte[Math.addExact(WalRecordHeader.SIZE_BYTES, body.length)];
        ByteBuffer fields = ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN);
        fields.putInt(record.length).putInt(xid).putLong(prev).put((byte) info).put((byte) rmgrId);
        fields.put(WalRecordHeader.SIZE_BYTES, body);
        CRC32C crc = new CRC32C();
        crc.update(body);
        crc.update(record, 0, WalRecordHeader.CRC);
        fields.putInt(WalRecordHeader.CRC, (int) crc.getValue());
        startPageIfAtBoundary(0);
        prev = position;
        int written = 0;
        while (written < record.length) {
            startPageIfAtBoundary(record.length - written);
            int n = Math.min(record.length - written, PAGE - (int) (position & PAGE - 1));
            write(record, written, n);
            written += n;
        }
        writeZeros((int) (-position & WalRecordHeader.ALIGNMENT - 1));
        return position();
    }

    /**
     * Appends an XLOG_SWITCH record and zeros up to the end of the segment. Where a segment has just begun, does nothing,
     * as PostgreSQL.
     *
     * @return the start of the next segment
     */
    public Lsn switchSegment() {
        long inSegment = position & segmentSizeBytes - 1;
        if (inSegment == 0 || inSegment == WalPageHeader.LONG_SIZE_BYTES) {
            return position();
        }
        append(WalRecordHeader.RM_XLOG, WalRecordHeader.XLOG_SWITCH, 0, new byte[0]);
        writeZeros((int) (-position & segmentSizeBytes - 1));
        return position();
    }

    /** The bytes written since the last drain; the caller owns the buffer. */
    public ByteBuf drain() {
        ByteBuf drained = pending;
        pending = Unpooled.buffer();
        return drained;
    }

    private void startPageIfAtBoundary(int remainingLength) {
        if ((position & PAGE - 1) != 0) {
            return;
        }
        int info = remainingLength > 0 ? WalPageHeader.FIRST_IS_CONTRECORD : 0;
        Lsn address = Lsn.of(position);
        WalPageHeader header = (position & segmentSizeBytes - 1) == 0
                ? WalPageHeader.longHeader(magic, info, TLI, address, remainingLength, systemId, segmentSizeBytes)
                : WalPageHeader.shortHeader(magic, info, TLI, address, remainingLength);
        header.encode(pending);
        position += header.sizeBytes();
    }

    private void write(byte[] bytes, int from, int length) {
        pending.writeBytes(bytes, from, length);
        position += length;
    }

    private void writeZeros(int length) {
        pending.writeZero(length);
        position += length;
    }
}
