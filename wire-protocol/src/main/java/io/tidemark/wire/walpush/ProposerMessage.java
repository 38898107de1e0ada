package io.tidemark.wire.walpush;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;

/** What a proposer says to an acceptor. */
public sealed interface ProposerMessage {
    /** The first message of a connection: who I am and which WAL I bring. {@code systemId} is unknown in sync mode. */
    record ProposerGreeting(
            TenantId tenantId,
            TimelineId timelineId,
            MembershipConfig membership,
            PgVersion pgVersion,
            SystemId systemId,
            int walSegmentSizeBytes)
            implements ProposerMessage {}

    /** Asks for a vote for {@code term}. */
    record VoteRequest(long membershipGeneration, Term term) implements ProposerMessage {}

    /** I am elected; WAL follows from {@code startStreamingAt}, so whatever is behind it and not mine goes. */
    record ProposerElected(long membershipGeneration, Term term, Lsn startStreamingAt, TermHistory termHistory)
            implements ProposerMessage {}

    /**
     * WAL {@code [beginLsn, endLsn)}; empty as a heartbeat, or to spread commit_lsn.
     *
     * @param commitLsn 0 when unknown
     * @param truncateLsn 0 when unknown; min flush_lsn of all safekeepers
     * @param wal exactly {@code endLsn - beginLsn} readable bytes; whoever holds the message owns one reference
     */
    record AppendRequest(
            long membershipGeneration, Term term, Lsn beginLsn, Lsn endLsn, Lsn commitLsn, Lsn truncateLsn, ByteBuf wal)
            implements ProposerMessage {
        /** The longest WAL payload of one message: Neon's MAX_SEND_SIZE, in bytes. */
        public static final int MAX_WAL_BYTES = 131_072;
    }
}
