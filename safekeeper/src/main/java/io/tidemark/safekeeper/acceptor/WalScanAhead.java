package io.tidemark.safekeeper.acceptor;

import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalPageHeader;
import io.tidemark.wire.wal.WalRecordScanner;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import org.jspecify.annotations.Nullable;

/**
 * Scans the WAL that one connection brings on the connection's thread, so that the timeline's owner need not do it between one fdatasync
 * and the next. Guesses where the acceptor will be; a wrong guess costs a scan and nothing else, see {@link ScannedWal}.
 *
 * <p>Decides nothing: WAL that is invalid, or follows on nothing that was seen, is left for the acceptor to judge.
 */
public final class WalScanAhead {
    private int pgMajor;
    private int segmentSizeBytes;

    /** Where the acceptor's scanner will be when it has what was sent so far; null when that can't be guessed. */
    private @Nullable WalRecordScanner tip;

    /** To be told every message of the connection, in order. Keeps no reference to the message. */
    public @Nullable ScannedWal scan(ProposerMessage message) {
        switch (message) {
            case ProposerGreeting m -> {
                pgMajor = m.pgVersion().isSupported() ? m.pgVersion().major() : 0;
                segmentSizeBytes = m.walSegmentSizeBytes();
            }
            case VoteRequest _ -> {}
            case ProposerElected m ->
                tip = WalPageHeader.isSegmentSize(segmentSizeBytes)
                        ? WalRecordScanner.startingAt(m.startStreamingAt(), pgMajor, segmentSizeBytes)
                        : null;
            case AppendRequest m -> {
                return scanAppend(m);
            }
        }
        return null;
    }

    private @Nullable ScannedWal scanAppend(AppendRequest append) {
        WalRecordScanner before = tip;
        if (before == null || !append.wal().isReadable() || !append.beginLsn().equals(before.position())) {
            return null;
        }
        WalRecordScanner after = before.copy();
        try {
            after.feed(append.wal());
        } catch (InvalidWalException e) {
            tip = null; // the acceptor finds the same, and refuses the connection
            return null;
        }
        tip = after;
        return new ScannedWal(before, after);
    }
}
