package io.tidemark.safekeeper.acceptor;

import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import org.jspecify.annotations.Nullable;

/** What an acceptor knows of one proposer connection. */
final class ProposerConnection {
    final ConnectionId id;

    /** The first message was a greeting that fits. */
    boolean greeted;

    /** Refused: the owner closes it, what is still in the mailbox is dropped. */
    boolean refused;

    /** The term of the last elected message that was processed on this connection. */
    @Nullable
    Term electedTerm;

    /** Appended or beat since the last BatchEnd, under this generation. */
    boolean awaitsResponse;

    long generation;

    /** What it was told last; feedback of pageservers is pushed on top of it. */
    @Nullable
    AppendResponse lastResponse;

    ProposerConnection(ConnectionId id) {
        this.id = id;
    }
}
