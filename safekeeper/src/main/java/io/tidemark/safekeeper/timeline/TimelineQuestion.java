package io.tidemark.safekeeper.timeline;

import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import java.io.IOException;

/** Something that is asked of a timeline in its owner, between two batches. */
@FunctionalInterface
interface TimelineQuestion<R> {
    R ask(Desk desk) throws IOException, TimelineException;

    /** The timeline, as a question sees it. */
    interface Desk {
        TimelineSnapshot snapshot();

        /** Lets something happen to the acceptor; durable when it returns, as far as the acceptor wants it durable. */
        void apply(AcceptorEvent event) throws IOException;
    }
}
