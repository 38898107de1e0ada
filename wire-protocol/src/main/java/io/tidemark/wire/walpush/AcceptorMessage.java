package io.tidemark.wire.walpush;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import org.jspecify.annotations.Nullable;

/** What an acceptor answers to a proposer. */
public sealed interface AcceptorMessage {
    record AcceptorGreeting(NodeId nodeId, MembershipConfig membership, Term term) implements AcceptorMessage {}

    /** {@code termHistory} is cut at {@code flushLsn}. {@code term} is the acceptor's, after this vote. */
    record VoteResponse(
            long membershipGeneration,
            Term term,
            boolean voteGiven,
            Lsn flushLsn,
            Lsn truncateLsn,
            TermHistory termHistory)
            implements AcceptorMessage {}

    /**
     * How far the acceptor is. A refusal of an old term has the acceptor's term and zeros everywhere else.
     *
     * @param flushLsn end of the last complete record that is fsynced
     * @param commitLsn the persisted commit_lsn, not the one in memory
     * @param pageserverFeedback attached when there is news
     */
    record AppendResponse(
            long membershipGeneration,
            Term term,
            Lsn flushLsn,
            Lsn commitLsn,
            HotStandbyFeedback hotStandbyFeedback,
            @Nullable PageserverFeedback pageserverFeedback)
            implements AcceptorMessage {}
}
