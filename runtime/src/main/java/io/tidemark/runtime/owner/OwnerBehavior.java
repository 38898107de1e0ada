package io.tidemark.runtime.owner;

/** What an owner does with its messages. Called by one thread at a time; throws nothing that it could have handled. */
public interface OwnerBehavior<M> {
    /** Handles one message. */
    void on(M message);

    /** All that had arrived is handled, or a batch is full. Called after at least one {@link #on}. */
    void batchEnd();

    /** The owner is closed, and this message was never handled: releases what it holds, and tells who waits for it. */
    void discard(M message);

    /** Something escaped {@link #on} or {@link #batchEnd}: a bug. The owner is closed already; called once. */
    void failed(Throwable cause);
}
