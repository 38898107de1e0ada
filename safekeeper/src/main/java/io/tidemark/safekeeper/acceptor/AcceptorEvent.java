package io.tidemark.safekeeper.acceptor;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage;
import org.jspecify.annotations.Nullable;

/** What happens to an acceptor. */
public sealed interface AcceptorEvent {
    /**
     * A message of a proposer. Greetings included; the caller has checked only that the timeline exists.
     *
     * @param scanned the scan of an append request's WAL, if it was made already
     */
    record Received(
            ConnectionId connection,
            ProposerMessage message,
            @Nullable ScannedWal scanned) implements AcceptorEvent {
        public Received(ConnectionId connection, ProposerMessage message) {
            this(connection, message, null);
        }
    }

    /** The connection is gone. What it brought stays, and is flushed with the next {@link BatchEnd}. */
    record Disconnected(ConnectionId connection) implements AcceptorEvent {}

    /** Everything that had arrived is in: flush once and answer everybody who appended or beat since the last one. */
    record BatchEnd() implements AcceptorEvent {}

    /** Another membership configuration, from the HTTP API; applied only when its generation is higher. */
    record SwitchMembership(MembershipConfig membership) implements AcceptorEvent {}

    /** Raise the term to {@code term}, or by one when null; a lower value changes nothing. */
    record BumpTerm(@Nullable Term term) implements AcceptorEvent {}

    /** What standbys connected here need kept, aggregated. */
    record StandbyFeedback(HotStandbyFeedback feedback) implements AcceptorEvent {}

    /** A pageserver's progress; kept, and sent to proposers on top of their last response. */
    record PageserverProgress(PageserverFeedback feedback) implements AcceptorEvent {}

    /** LSNs another safekeeper of this timeline has told us, e.g. through the broker. */
    record PeerProgress(Term lastLogTerm, Lsn commitLsn, Lsn backupLsn, Lsn remoteConsistentLsn, Lsn peerHorizonLsn)
            implements AcceptorEvent {}

    /** Time to save the lazily persisted LSNs, if they changed. */
    record SaveLsns() implements AcceptorEvent {}
}
