package io.tidemark.safekeeper.timeline;

import io.tidemark.safekeeper.acceptor.ConnectionId;
import io.tidemark.safekeeper.acceptor.Refusal;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.AcceptorMessage;

/** The way back to one proposer. Called by the timeline's owner, in the order of what happened; never blocks. */
public interface ProposerLink {
    ConnectionId id();

    void send(AcceptorMessage message);

    /** Says no to the last message, with an ErrorResponse, and closes. */
    void refuse(Refusal refusal, String reason);

    /** The timeline can't go on here: an ErrorResponse, and closes. */
    void fail(String reason);

    /** The timeline is gone or the process ends: closes without a word. */
    void closeSilently();

    /** The proposer of this connection is the elected one of {@code term}. */
    void elected(Term term);
}
