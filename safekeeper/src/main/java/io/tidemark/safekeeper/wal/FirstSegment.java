package io.tidemark.safekeeper.wal;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.wal.WalPageHeader;
import java.nio.ByteBuffer;

/**
 * The bytes of a timeline's first segment before its first record, where WAL of this timeline never was.
 *
 * <p>Every page up to the start has a valid header which says that a record of an earlier page goes on, to end exactly at the start.
 * So whatever looks for the first record from the beginning of the segment (a standby, pg_waldump) finds the one at the start.
 * The "record" itself is zeros. Of a PostgreSQL version without a known page magic, all is zeros.
 */
final class FirstSegment {
    private static final int PAGE = Lsn.WAL_PAGE_SIZE;
    private static final int TLI = 1;

    private final Lsn segmentStart;
    private final int startOffset;
    private final PgVersion pgVersion;
    private final SystemId systemId;
    private final int segmentSizeBytes;

    FirstSegment(Lsn start, PgVersion pgVersion, SystemId systemId, int segmentSizeBytes) {
        this.startOffset = start.segmentOffset(segmentSizeBytes);
        this.segmentStart = start.plus(-startOffset);
        this.pgVersion = pgVersion;
        this.systemId = systemId;
        this.segmentSizeBytes = segmentSizeBytes;
    }

    /** How many bytes there are before the start. */
    int lengthBytes() {
        return startOffset;
    }

    /** Appends the {@code count} bytes from {@code offset} on; both within {@link #lengthBytes}. */
    void copy(int offset, int count, ByteBuf out) {
        int end = offset + count;
        for (int at = offset; at < end; ) {
            int page = at / PAGE;
            ByteBuf header = header(page);
            int inPage = at - page * PAGE;
            int headerBytes = Math.max(0, Math.min(header.readableBytes(), end - page * PAGE) - inPage);
            out.writeBytes(header, inPage * Integer.signum(headerBytes), headerBytes);
            at += headerBytes;
            int zeros = Math.min(end, (page + 1) * PAGE) - at;
            out.writeZero(zeros);
            at += zeros;
        }
    }

    private ByteBuf header(int page) {
        if (!pgVersion.isSupported()) {
            return Unpooled.EMPTY_BUFFER;
        }
        int magic = WalPageHeader.magicOf(pgVersion.major());
        int ahead = startOffset - page * PAGE;
        int laterHeaders = (ahead - 1) / PAGE * WalPageHeader.SHORT_SIZE_BYTES;
        int ownHeader = page == 0 ? WalPageHeader.LONG_SIZE_BYTES : WalPageHeader.SHORT_SIZE_BYTES;
        int remaining = Math.max(0, ahead - laterHeaders - ownHeader);
        int info = remaining > 0 ? WalPageHeader.FIRST_IS_CONTRECORD : 0;
        Lsn address = segmentStart.plus((long) page * PAGE);
        WalPageHeader header = page == 0
                ? WalPageHeader.longHeader(magic, info, TLI, address, remaining, systemId, segmentSizeBytes)
                : WalPageHeader.shortHeader(magic, info, TLI, address, remaining);
        ByteBuf bytes = Unpooled.buffer(WalPageHeader.LONG_SIZE_BYTES);
        header.encode(bytes);
        return bytes;
    }

    /** The same bytes for a file, {@code count} of them. */
    ByteBuffer bytes(int offset, int count) {
        ByteBuf out = Unpooled.buffer(count, count);
        copy(offset, count, out);
        return out.nioBuffer();
    }
}
