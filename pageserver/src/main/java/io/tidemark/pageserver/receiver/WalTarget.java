package io.tidemark.pageserver.receiver;

import io.tidemark.pageserver.ingest.IngestException;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;

/** The timeline that a {@link WalReceiver} feeds, called on the receiver's thread only. */
public interface WalTarget {
    TenantTimelineId id();

    /** Whose WAL it takes; unknown: anybody's. */
    default SystemId systemId() {
        return SystemId.UNKNOWN;
    }

    /** 14 to 18. */
    int pgMajor();

    int walSegmentSizeBytes();

    /** Whether it is a branch that has nothing of its own yet, as far as it knows. */
    default boolean isUntouched() {
        return false;
    }

    /**
     * A new connection begins: forgets what was ingested of an interrupted batch in memory only, and answers where to go on.
     *
     * @return last_record_lsn
     */
    Lsn resume() throws IOException;

    /**
     * Ingests the next record, which is valid during the call only.
     *
     * @throws IngestException when nobody can: the receiver stops for good
     * @throws IOException when storage fails, which may pass: the receiver connects anew
     */
    void ingest(WalRecord record) throws IngestException, IOException;

    /** What was ingested so far becomes readable. */
    void endBatch() throws IOException;

    /**
     * Waits a little, when storage has fallen behind, until there is room for more.
     *
     * @return false when there is none yet
     * @throws IOException when storage fails, which may pass
     */
    default boolean awaitRoom() throws IOException {
        return true;
    }

    /** How far the timeline is, for the safekeeper. */
    PageserverFeedback feedback();

    /** The receiver has stopped for good. */
    void stopped(IngestException cause);
}
