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
 * piece ends with a record, or with a page inside the record run that was checked; it never ends inside a page whose rest is
 * available. Padding behind an XLOG_SWITCH has no CRC. After an exception the reader is of no use any more.
 */
public final class VerifyingWalReader implements Closeable {
    private static final int SCAN_AHEAD_BYTES = 128 << 10;

    private final WalReader reader;
    private Lsn position;
    private @Nullable WalRecordScanner scanner;

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
        if (count == 0) {
            return 0;
        }
        if (!position.isBefore(reader.layout().timelineStartLsn())) {
            count = verified(end, out, before, count);
            out.writerIndex(before + count);
        }
        position = position.plus(count);
        return count;
    }

    /** How many of the bytes that were just read may be handed out. */
    private int verified(Lsn end, ByteBuf bytes, int index, int count) throws IOException {
        WalRecordScanner scan = scanner;
        if (scan == null) {
            scan = reader.scan().scannerAt(position);
            scanner = scan;
        }
        Lsn readEnd = position.plus(count);
        long known = scan.position().minus(position);
        if (known < count) {
            feed(scan, bytes.slice(index + (int) known, count - (int) known));
        }
        if (!scan.lastRecordEnd().isAfter(position)) {
            scanAhead(scan, end);
        }
        Lsn checked = scan.lastRecordEnd().min(end);
        if (checked.isAtMost(position)) {
            return 0;
        }
        if (checked.isAtLeast(readEnd)) {
            return count;
        }
        Lsn pageEnd = checked.plus(-checked.pageOffset());
        boolean more = readEnd.isBefore(end) || readEnd.isAfter(checked);
        return (int) (more && pageEnd.isAfter(position) ? pageEnd : checked).minus(position);
    }

    /** The record under way is longer than what was read: follow it to its end before the first byte leaves. */
    private void scanAhead(WalRecordScanner scan, Lsn end) throws IOException {
        ByteBuf ahead = Unpooled.buffer(SCAN_AHEAD_BYTES);
        while (!scan.lastRecordEnd().isAfter(position)
                && reader.read(scan.position(), end, SCAN_AHEAD_BYTES, ahead.clear()) > 0) {
            feed(scan, ahead);
        }
    }

    private void feed(WalRecordScanner scan, ByteBuf bytes) throws CorruptWalException {
        try {
            scan.feed(bytes);
        } catch (InvalidWalException e) {
            throw new CorruptWalException(reader.describe(e.lsn()) + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
