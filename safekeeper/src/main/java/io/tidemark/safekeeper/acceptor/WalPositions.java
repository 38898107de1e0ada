package io.tidemark.safekeeper.acceptor;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecordScanner;
import org.jspecify.annotations.Nullable;

/**
 * How far the WAL of one acceptor is, as the effects that were emitted so far leave it.
 *
 * <p>Always: flush_lsn <= write_record_lsn. write_record_lsn <= write_lsn, except behind an XLOG_SWITCH record, whose end is the
 * start of the next segment, and its padding has perhaps not arrived.
 */
final class WalPositions {
    private Lsn writeLsn;
    private Lsn writeRecordLsn;
    private Lsn flushLsn;
    private boolean unflushed;

    /** No write is accepted between the start of the process and the first truncation; see AcceptorJudgement.mustTruncate. */
    private boolean truncationPending = true;

    /** Not fed any more, since others may hold it: a copy is. */
    private @Nullable WalRecordScanner scanner;

    WalPositions(Lsn recovered) {
        writeLsn = recovered;
        writeRecordLsn = recovered;
        flushLsn = recovered;
    }

    Lsn writeLsn() {
        return writeLsn;
    }

    Lsn writeRecordLsn() {
        return writeRecordLsn;
    }

    /** write_record_lsn at the time of the last fsync. */
    Lsn flushLsn() {
        return flushLsn;
    }

    boolean isTruncationPending() {
        return truncationPending;
    }

    boolean hasUnflushedBytes() {
        return unflushed;
    }

    /** Everything written is durable now. */
    void flushed() {
        flushLsn = writeRecordLsn;
        unflushed = false;
    }

    /** The log ends at this record boundary, and writing goes on there. */
    void truncatedTo(Lsn endLsn, WalRecordScanner freshScanner) {
        writeLsn = endLsn;
        writeRecordLsn = endLsn;
        flushLsn = endLsn;
        unflushed = false;
        truncationPending = false;
        scanner = freshScanner;
    }

    /**
     * Takes WAL in at write_lsn. Works on a copy of the scanner, so that WAL that is not valid changes nothing.
     *
     * @param scanned a scan of just these bytes, maybe from another position or state: then they are scanned again
     * @throws InvalidWalException when it is not the continuation of a valid log
     */
    void append(ByteBuf wal, @Nullable ScannedWal scanned) throws InvalidWalException {
        if (scanner == null) {
            throw new IllegalStateException("append at " + writeLsn + " before the first truncation");
        }
        Lsn endLsn = writeLsn.plus(wal.readableBytes());
        WalRecordScanner ahead;
        if (scanned != null
                && scanned.before().isInStateOf(scanner)
                && scanned.after().position().equals(endLsn)) {
            ahead = scanned.after();
        } else {
            ahead = scanner.copy();
            ahead.feed(wal);
        }
        scanner = ahead;
        writeLsn = endLsn;
        writeRecordLsn = ahead.lastRecordEnd();
        unflushed = true;
    }
}
