package io.tidemark.shim.proposer;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.TermHistory;
import java.util.List;

/** What a proposer wants done, in list order. */
public sealed interface ProposerEffect {
    /** Open a connection and send START_WAL_PUSH; answer with Connected or Disconnected. */
    record Connect(SafekeeperRef safekeeper) implements ProposerEffect {}

    record Disconnect(SafekeeperRef safekeeper, String reason) implements ProposerEffect {}

    /** Send a message that carries no WAL: greeting, vote request, elected, heartbeat. */
    record Send(SafekeeperRef safekeeper, ProposerMessage message) implements ProposerEffect {}

    /**
     * Send one AppendRequest with WAL {@code [beginLsn, endLsn)}; the driver brings the bytes, from its buffer, the source or a donor,
     * and keeps the order per safekeeper, also with {@link Send}. WAL before Elected.startLsn comes in messages of its own.
     */
    record SendWal(
            SafekeeperRef safekeeper,
            long membershipGeneration,
            Term term,
            Lsn beginLsn,
            Lsn endLsn,
            Lsn commitLsn,
            Lsn truncateLsn)
            implements ProposerEffect {}

    /**
     * A quorum voted for us. WAL continues at {@code startLsn}; the driver may now let the source begin there.
     *
     * @param donors safekeepers that have the log up to startLsn, best first; WAL older than the source has comes from them
     */
    record Elected(Term term, Lsn startLsn, TermHistory termHistory, List<SafekeeperRef> donors)
            implements ProposerEffect {}

    /** A quorum has everything up to here, in our term. */
    record CommitAdvanced(Lsn commitLsn) implements ProposerEffect {}

    /** Every safekeeper has everything up to here: WAL below may be dropped from buffers. */
    record TruncateAdvanced(Lsn truncateLsn) implements ProposerEffect {}

    /** A {@link ProposerEvent.Tick} is wanted so soon, besides those that come anyway. */
    record TickSoon(long millis) implements ProposerEffect {}

    record StandbyFeedback(HotStandbyFeedback feedback) implements ProposerEffect {}

    record PageserverProgress(PageserverFeedback feedback) implements ProposerEffect {}

    /** Sync mode is done: the log is level on a quorum (and all who are online), its last committed LSN is this. */
    record SyncFinished(Lsn lsn) implements ProposerEffect {}

    /** Somebody else owns a higher term. Terminal: confirm nothing any more. */
    record Fenced(Term higherTerm, SafekeeperRef seenOn) implements ProposerEffect {}

    /**
     * This proposer cannot go on, but a new one with the same configuration may. Terminal. The driver must look at the new one's
     * {@link Elected}: when the term before the new one is not this proposer's, somebody else has written in between.
     */
    record Restart(String reason) implements ProposerEffect {}
}
