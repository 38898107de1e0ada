package io.tidemark.safekeeper.wal;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalPageHeader;
import io.tidemark.wire.wal.WalRecordScanner;
import java.io.IOException;

/**
 * Finds a place from which the WAL in the files can be checked up to a position, and checks it.
 *
 * <p>Where a record starts is known from page headers only: one says how much of a record goes on in its page, so what follows that
 * is a record. The search walks back from the position, page by page, to such a place, at the furthest to the oldest WAL, which
 * starts with a record.
 */
final class WalScan {
    private static final int PAGE = Lsn.WAL_PAGE_SIZE;
    private static final int CHUNK_BYTES = 128 << 10;

    private final SegmentReader reader;
    private final Lsn oldest;
    private final int pgMajor;

    /** {@code oldest} is where the local WAL starts, a record boundary. */
    WalScan(SegmentReader reader, Lsn oldest, int pgMajor) {
        this.reader = reader;
        this.oldest = oldest;
        this.pgMajor = pgMajor;
    }

    /**
     * A scanner that has been fed everything from a record boundary before {@code target} up to it.
     *
     * @throws CorruptWalException when the WAL before the target is not valid
     */
    WalRecordScanner scannerAt(Lsn target) throws IOException {
        if (target.isAtMost(oldest)) {
            return startingAt(target);
        }
        Lsn page = pageOf(target.plus(-1));
        while (true) {
            page = lastPageWithStart(page, target);
            Lsn start = recordStart(page);
            WalRecordScanner scanner = startingAt(start);
            try {
                feedUpTo(scanner, target);
                return scanner;
            } catch (InvalidWalException e) {
                boolean isPadding = e.reason() == InvalidWalException.Reason.NO_RECORD
                        && e.lsn().equals(start);
                if (!isPadding || start.isAtMost(oldest)) {
                    throw corrupt(e);
                }
                // Behind an XLOG_SWITCH the pages up to the segment's end may have headers, and hold no record.
                page = page.plus(-PAGE);
            }
        }
    }

    private WalRecordScanner startingAt(Lsn boundary) {
        return WalRecordScanner.startingAt(boundary, pgMajor, reader.segmentSizeBytes());
    }

    private Lsn lastPageWithStart(Lsn from, Lsn target) throws IOException {
        Lsn page = from;
        while (page.isAfter(oldest)) {
            Lsn start = recordStart(page);
            if (start.isValid() && start.isBefore(target)) {
                return page;
            }
            page = page.plus(-PAGE);
        }
        return page;
    }

    /** The first record start in a page; 0 when there is none, or no page. */
    private Lsn recordStart(Lsn page) throws IOException {
        if (page.isAtMost(oldest)) {
            return oldest;
        }
        ByteBuf bytes = Unpooled.buffer(WalPageHeader.LONG_SIZE_BYTES);
        if (reader.read(page, WalPageHeader.LONG_SIZE_BYTES, bytes) < WalPageHeader.LONG_SIZE_BYTES) {
            throw new CorruptWalException(reader.describe(page) + " is missing or ends before " + page);
        }
        WalPageHeader header = WalPageHeader.decode(bytes.nioBuffer(), 0);
        try {
            header.check(page, 0, reader.segmentSizeBytes());
        } catch (InvalidWalException e) {
            return Lsn.INVALID;
        }
        long continued = header.isContrecord() ? Integer.toUnsignedLong(header.remainingLength()) + 7 & ~7L : 0;
        long offset = header.sizeBytes() + continued;
        return offset < PAGE ? page.plus(offset) : Lsn.INVALID;
    }

    private static Lsn pageOf(Lsn position) {
        return position.plus(-position.pageOffset());
    }

    private void feedUpTo(WalRecordScanner scanner, Lsn target) throws IOException, InvalidWalException {
        ByteBuf chunk = Unpooled.buffer(CHUNK_BYTES);
        while (scanner.position().isBefore(target)) {
            int max = (int) Math.min(CHUNK_BYTES, target.minus(scanner.position()));
            if (reader.read(scanner.position(), max, chunk.clear()) == 0) {
                throw new CorruptWalException(
                        reader.describe(scanner.position()) + " is missing or ends before " + scanner.position());
            }
            scanner.feed(chunk);
        }
    }

    /** Goes on to the first byte that is not WAL, or the end of the files. */
    void feedToEnd(WalRecordScanner scanner) throws IOException {
        ByteBuf chunk = Unpooled.buffer(CHUNK_BYTES);
        try {
            while (reader.read(scanner.position(), CHUNK_BYTES, chunk.clear()) > 0) {
                scanner.feed(chunk);
            }
        } catch (InvalidWalException e) {
            // The ordinary end of WAL: zeros, the torn tail of a write, or what an older write left there.
        }
    }

    CorruptWalException corrupt(InvalidWalException e) {
        return new CorruptWalException(reader.describe(e.lsn()) + ": " + e.getMessage(), e);
    }
}
