package io.tidemark.shim.proposer;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.walpush.AcceptorMessage;

/** What happens to a proposer. Each comes with the time: {@code on(event, nowMillis)}. */
public sealed interface ProposerEvent {
    /** Time passes: reconnects, heartbeats and timeouts are due. The first one starts the proposer. */
    record Tick() implements ProposerEvent {}

    /** The safekeeper answered START_WAL_PUSH with CopyBoth. */
    record Connected(SafekeeperRef safekeeper) implements ProposerEvent {}

    /** The connection, or the attempt at one, is gone. */
    record Disconnected(SafekeeperRef safekeeper, String reason) implements ProposerEvent {}

    record Received(SafekeeperRef safekeeper, AcceptorMessage message) implements ProposerEvent {}

    /** The source has WAL up to here, flushed by the PostgreSQL that wrote it. */
    record WalAvailable(Lsn endLsn) implements ProposerEvent {}

    /** The driver handed this connection's WAL up to here to the socket, so more may be scheduled. */
    record WalSent(SafekeeperRef safekeeper, Lsn endLsn) implements ProposerEvent {}
}
