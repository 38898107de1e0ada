package io.tidemark.safekeeper.wal;

import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;

/**
 * What a reader must know of a timeline to find its way in the files.
 *
 * @param timelineStartLsn where the timeline begins; 0 when not known yet
 * @param localStartLsn since where its WAL is here; 0 when not known yet
 */
public record WalLayout(
        int segmentSizeBytes, Lsn timelineStartLsn, Lsn localStartLsn, PgVersion pgVersion, SystemId systemId) {
    public static WalLayout of(AcceptorState state) {
        return new WalLayout(
                state.walSegmentSizeBytes(),
                state.timelineStartLsn(),
                state.localStartLsn(),
                state.pgVersion(),
                state.systemId());
    }

    /** The major version whose WAL is expected; 0 when any known one is. */
    int pgMajor() {
        return pgVersion.isSupported() ? pgVersion.major() : 0;
    }
}
