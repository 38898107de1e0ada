package io.tidemark.runtime.owner;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One thread's worth of state with a bounded mailbox, on borrowed threads: while the mailbox is empty there is no thread. Who has brought a
 * message and may wait can lend its own ({@link #work}), which saves waking another one.
 *
 * <p>The atomics are the mailbox itself. {@code scheduled} is the token of ownership: whoever turned it from false to true has the
 * owner run, and it turns false again only when the mailbox was seen empty.
 *
 * @param <M> the messages
 */
public final class Owner<M> {
    /** After this many batches in a row an owner steps back in line, so that others get a thread too. */
    private static final int BATCHES_PER_TURN = 8;

    private record Mail<M>(M message, long bytes) {}

    private final Executor threads;
    private final OwnerBehavior<M> behavior;
    private final OwnerLimits limits;
    private final ConcurrentLinkedQueue<Mail<M>> mailbox = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Runnable> waitingForRoom = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waitingMessages = new AtomicInteger();
    private final AtomicLong waitingBytes = new AtomicLong();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private volatile boolean closed;

    /** {@code threads} must run every task, in any order; see {@link OwnerThreads}. */
    public Owner(Executor threads, OwnerLimits limits, OwnerBehavior<M> behavior) {
        this.threads = threads;
        this.limits = limits;
        this.behavior = behavior;
    }

    /**
     * Hands a message over; always takes it. From any thread.
     *
     * @param bytes what the message holds in memory, for the limit; 0 for what is small
     * @return true to go on; false when the mailbox is full, so that the teller stops until {@link #whenRoom} calls back
     */
    public boolean tell(M message, long bytes) {
        boolean room = leave(message, bytes);
        wake();
        return room;
    }

    /** As {@link #tell}, for one who has more to say and then calls {@link #wake} or {@link #work}; until then it may just wait. */
    public boolean leave(M message, long bytes) {
        waitingBytes.addAndGet(bytes);
        waitingMessages.incrementAndGet();
        mailbox.add(new Mail<>(message, bytes));
        return hasRoom();
    }

    /** Handles in the calling thread what waits, as long as a turn takes; does nothing when another thread is at it. */
    public void work() {
        if (takesToken()) {
            run();
        }
    }

    /** True while nobody has to stop telling. */
    public boolean hasRoom() {
        return waitingMessages.get() < limits.mailboxMessages() && waitingBytes.get() < limits.mailboxBytes();
    }

    /**
     * Calls back once, when the mailbox is at most half full: at once, or from the owner's thread. Also when the owner is
     * closed meanwhile.
     */
    public void whenRoom(Runnable callback) {
        waitingForRoom.add(callback);
        // The owner may have emptied the mailbox before the line above, and then it would not look again.
        if (isAtMostHalfFull()) {
            callWaiting();
        }
    }

    /** Messages waiting now. */
    public int waitingMessages() {
        return waitingMessages.get();
    }

    /**
     * Handles no more messages: what waits and what comes is discarded. May be called by the behaviour itself. A message that is being
     * handled by another thread is finished.
     */
    public void close() {
        closed = true;
        wake();
    }

    /** Sees to it that a thread handles what waits. */
    public void wake() {
        if (takesToken()) {
            submit();
        }
    }

    private boolean takesToken() {
        return !mailbox.isEmpty() && scheduled.compareAndSet(false, true);
    }

    private void submit() {
        try {
            threads.execute(this::run);
        } catch (RejectedExecutionException e) {
            // The process is going down: nobody will handle anything any more, so release what waits, here and now.
            closed = true;
            run();
        }
    }

    private void run() {
        for (int batch = 0; batch < BATCHES_PER_TURN; batch++) {
            runBatch();
            if (mailbox.isEmpty()) {
                scheduled.set(false);
                // Somebody may have added between the look and the set, and found the token taken.
                if (mailbox.isEmpty() || !scheduled.compareAndSet(false, true)) {
                    return;
                }
            }
        }
        submit();
    }

    private void runBatch() {
        int messages = 0;
        long bytes = 0;
        boolean handled = false;
        while (messages < limits.batchMessages() && bytes < limits.batchBytes()) {
            Mail<M> mail = mailbox.poll();
            if (mail == null) {
                break;
            }
            messages++;
            bytes += mail.bytes();
            handled |= handle(mail);
        }
        if (handled && !closed) {
            try {
                behavior.batchEnd();
            } catch (Throwable cause) {
                fail(cause);
            }
        }
        if (!waitingForRoom.isEmpty() && (closed || isAtMostHalfFull())) {
            callWaiting();
        }
    }

    private boolean handle(Mail<M> mail) {
        waitingMessages.decrementAndGet();
        waitingBytes.addAndGet(-mail.bytes());
        if (closed) {
            behavior.discard(mail.message());
            return false;
        }
        try {
            behavior.on(mail.message());
        } catch (Throwable cause) {
            fail(cause);
        }
        return true;
    }

    private void fail(Throwable cause) {
        closed = true;
        behavior.failed(cause);
    }

    private boolean isAtMostHalfFull() {
        return waitingMessages.get() <= limits.mailboxMessages() / 2 && waitingBytes.get() <= limits.mailboxBytes() / 2;
    }

    private void callWaiting() {
        Runnable callback;
        while ((callback = waitingForRoom.poll()) != null) {
            callback.run();
        }
    }
}
