package io.tidemark.wire.client;

import io.tidemark.wire.frame.BackendMessage;

/** A command that the server is working on. Belongs to the event loop. */
sealed interface PendingCommand permits PendingQuery, PendingCopy {

    /** One message of the answer; returns true for the last one, ReadyForQuery. */
    boolean on(BackendMessage message);

    /** The last message has been seen, and the connection is ready for another command. */
    void complete();

    /** The connection is gone before the last message. */
    void lost(Throwable cause);

    /** True while nothing else can be asked for as long as this goes on. */
    default boolean holdsConnection() {
        return false;
    }

    default void onReadComplete() {}

    default void onWritabilityChanged(boolean writable) {}
}
