package io.tidemark.cli.wal;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalPageHeader;
import io.tidemark.wire.wal.WalRecord;
import io.tidemark.wire.wal.WalRecordReader;
import io.tidemark.wire.wal.WalSource;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Walks the records of a range and decides whether the WAL ended well.
 *
 * @param pgMajor 14 to 18, or 0 to believe the first page header
 * @param start records before it are passed over
 * @param end records that do not end by it are not shown; null for as far as there is WAL
 * @param continuesAfter whether there is valid WAL after a position; an end of WAL before such is a hole
 */
record WalDump(
        WalSource source,
        int segmentSizeBytes,
        int pgMajor,
        Lsn start,
        @Nullable Lsn end,
        Predicate<Lsn> continuesAfter) {
    /**
     * How a walk ended that found nothing wrong.
     *
     * @param position the end of the last record read
     * @param remark why there is no more; empty when {@code end} was reached
     */
    record Ending(Lsn position, String remark) {}

    /**
     * @throws InvalidWalException when a record or page is wrong, and it is not just the end of WAL
     * @throws IOException when reading fails, or WAL ends before {@code end}
     */
    Ending walk(RecordSink sink) throws IOException, InvalidWalException {
        Optional<Lsn> boundary = findBoundary();
        if (boundary.isEmpty()) {
            throw new IOException("no record starts at or after " + start);
        }
        WalRecordReader reader = new WalRecordReader(source, pgMajor, segmentSizeBytes, boundary.get());
        try {
            while (end == null || !isReached(end, reader.position())) {
                WalRecord record = reader.next();
                if (record == null) {
                    sink.finish();
                    return ended(reader.position(), "no more bytes");
                }
                if (end != null && record.end().isAfter(end)) {
                    break;
                }
                if (record.start().isAtLeast(start)) {
                    sink.accept(record);
                }
            }
        } catch (InvalidWalException e) {
            sink.finish();
            if (!e.reason().isEndOfWal() || continuesAfter.test(reader.position())) {
                throw e;
            }
            return ended(reader.position(), String.valueOf(e.getMessage()));
        }
        sink.finish();
        return new Ending(reader.position(), "");
    }

    private Optional<Lsn> findBoundary() throws IOException, InvalidWalException {
        try {
            return WalRecordReader.findRecordBoundary(source, segmentSizeBytes, start);
        } catch (InvalidWalException e) {
            if (e.reason().isEndOfWal() && !continuesAfter.test(start)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private Ending ended(Lsn position, String remark) throws IOException {
        if (end != null && !isReached(end, position)) {
            throw new IOException(
                    "WAL ends at " + position + ", before the requested end " + end + " (" + remark + ")");
        }
        return new Ending(position, remark);
    }

    /** PostgreSQL often reports the end of a record that fills its page as the position after the next page's header. */
    private boolean isReached(Lsn wanted, Lsn position) {
        int header = position.pageOffset() == 0 ? WalPageHeader.sizeAt(position, segmentSizeBytes) : 0;
        return position.plus(header).isAtLeast(wanted);
    }
}
