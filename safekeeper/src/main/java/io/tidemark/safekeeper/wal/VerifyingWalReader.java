package io.tidemark.safekeeper.wal;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecordScanner;
import java.io.Closeable;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Reads WAL in order and hands out only bytes whose records have passed their CRC: a flipped byte on disk becomes an error here, and
 * never a wrong page somewhere else.
 *
 * <p>Checking starts at a record boundary before the first position, so the rest of a record that began before it is covered too. A
 * piece ends with a page, or where the checked WAL ends. Padding behind an XLOG_SWITCH has no CRC. After an exception the reader is of no use any more.
 */
public final class VerifyingWalReader implements Closeable {
    private static final int SCAN_AHEAD_BYTES = 128 << 10;

    private final WalReader reader;
    private Lsn position;
    private @Nullable WalRecordScanner scanner;
    /** Thrown when all sound records before it have been handed out. */
    private @Nullable CorruptWalException damage;

    /** Takes the reader over; the first byte to be read is at {@code start}. */
    public VerifyingWalReader(WalReader reader, Lsn start) {
        this.reader = reader;
        this.position = start;
    }

    /** The next byte to be read. */
    public Lsn position() {
        return position;
    }

    /**
     * Appends up to {@code maxBytes}, at least a WAL page, of the checked WAL before {@code end}, within one segment.
     *
     * @param end where WAL that may be handed out ends: a record boundary, never less than before
     * @return how many; 0 when there is no complete record before {@code end}
     * @throws CorruptWalException when the WAL on disk is damaged; the message names file and LSN
     * @throws MissingWalException when it is not here
     */
    public int read(Lsn end, int maxBytes, ByteBuf out) throws IOException {
        if (maxBytes < Lsn.WAL_PAGE_SIZE) {
            throw new IllegalArgumentException("room for " + maxBytes + " bytes, less than a WAL page");
        }
        int before = out.writerIndex();
        int max = maxBytes - position.plus(maxBytes).pageOffset();
        int count = reader.read(position, end, max, out);
        if (count > 0 && !position.isBefore(reader.layout().timelineStartLsn())) {
            ByteBuf bytes = out.slice(before, count);
            out.writerIndex(before); // until they are checked, they are not there
            count = verified(end, bytes);
            out.writerIndex(before + count);
        }
        position = position.plus(count);
        return count;
    }

    /** How many of the bytes that were just read may be handed out. */
    private int verified(Lsn end, ByteBuf bytes) throws IOException {
        WalRecordScanner scan = scanner;
        if (scan == null) {
            scan = reader.scan().scannerAt(position);
            scanner = scan;
        }
        int count = bytes.readableBytes();
        long known = scan.position().minus(position);
        if (damage == null && known < count) {
            feed(scan, bytes.skipBytes((int) known));
        }
        scanAhead(scan, position.plus(Lsn.WAL_PAGE_SIZE - position.pageOffset()), end);
        Lsn checked = scan.lastRecordEnd().min(end);
        if (damage != null && checked.isAtMost(position)) {
            throw damage;
        }
        if (checked.isAtLeast(position.plus(count))) {
            return count;
        }
        Lsn pageEnd = checked.plus(-checked.pageOffset());
        return (int) Math.max(0, (pageEnd.isAfter(position) ? pageEnd : checked).minus(position));
    }

    /** A record that starts in this page may be longer than what was read: follow it to its end before its first byte leaves. */
    private void scanAhead(WalRecordScanner scan, Lsn pageEnd, Lsn end) throws IOException {
        ByteBuf ahead = Unpooled.buffer(0);
        while (damage == null
                && scan.lastRecordEnd().isBefore(pageEnd)
                && reader.read(scan.position(), end, SCAN_AHEAD_BYTES, ahead.clear()) > 0) {
            feed(scan, ahead);
        }
    }

    private void feed(WalRecordScanner scan, ByteBuf bytes) {
        try {
            scan.feed(bytes);
        } catch (InvalidWalException e) {
            damage = new CorruptWalException(reader.describe(e.lsn()) + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
