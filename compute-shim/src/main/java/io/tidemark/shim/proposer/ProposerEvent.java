package io.tidemark.shim.proposer;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.walpush.AcceptorMessage;

/**
 * What happens to a proposer. Each comes with the time: {@code on(event, nowMillis)}.
 *
 * <p>Events of a connection come only while it is open from the proposer's view: between the answer to {@link
 * ProposerEffect.Connect} and the effect {@link ProposerEffect.Disconnect} or the event {@link Disconnected}, whichever is first. The
 * driver drops what an older connection still has to say, as the proposer could not tell it from the new one's.
 */
public sealed interface ProposerEvent {
    /** Time passes: reconnects, heartbeats and timeouts are due. The first one starts the proposer. */
    record Tick() implements ProposerEvent {}

    /** The safekeeper answered START_WAL_PUSH with CopyBoth. */
    record Connected(SafekeeperRef safekeeper) implements ProposerEvent {}

    /** The connection, or the attempt at one, is gone. */
    record Disconnected(SafekeeperRef safekeeper, String reason) implements ProposerEvent {}

    record Received(SafekeeperRef safekeeper, AcceptorMessage message) implements ProposerEvent {}

    /**
     * The source has WAL up to here, flushed by the PostgreSQL that wrote it. Ignored before the election: until then nobody can
     * have checked that it continues the log.
     */
    record WalAvailable(Lsn endLsn) implements ProposerEvent {}

    /** The socket has taken this connection's WAL up to here (not: it waits in a buffer of ours), so more may be scheduled. */
    record WalSent(SafekeeperRef safekeeper, Lsn endLsn) implements ProposerEvent {}
}
