package io.tidemark.pageserver.timeline;

import io.tidemark.wire.id.Lsn;
import java.time.Duration;
import java.util.PriorityQueue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * An LSN that only grows, and those who wait until it has reached theirs.
 *
 * <p>One writer, any number of readers and waiters. Reading takes no lock; advancing takes one only while somebody waits for an
 * LSN that has now been reached.
 */
final class LsnWaitQueue {
    /** How a wait ended. */
    enum Outcome {
        REACHED,
        TIMED_OUT,
        CLOSED
    }

    private static final class Waiter implements Comparable<Waiter> {
        private final Lsn lsn;
        private final Condition woken;

        private Waiter(Lsn lsn, Condition woken) {
            this.lsn = lsn;
            this.woken = woken;
        }

        @Override
        public int compareTo(Waiter other) {
            return lsn.compareTo(other.lsn);
        }
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final PriorityQueue<Waiter> waiters = new PriorityQueue<>();
    private volatile long current;

    /** The lowest LSN that anybody waits for; unsigned maximum while nobody does. */
    private volatile long lowestWaited = -1;

    private volatile boolean closed;

    LsnWaitQueue(Lsn start) {
        current = start.value();
    }

    Lsn current() {
        return Lsn.of(current);
    }

    /** Moves the LSN and wakes who waited for it; an LSN that is not higher is ignored. From the one writer. */
    void advance(Lsn lsn) {
        if (Long.compareUnsigned(lsn.value(), current) <= 0) {
            return;
        }
        current = lsn.value();
        // A waiter publishes lowestWaited before it looks at current, so one of the two sees the other.
        if (Long.compareUnsigned(lsn.value(), lowestWaited) >= 0) {
            wake(lsn);
        }
    }

    private void wake(Lsn lsn) {
        lock.lock();
        try {
            while (!waiters.isEmpty() && waiters.peek().lsn.isAtMost(lsn)) {
                waiters.remove().woken.signal();
            }
            publishLowest();
        } finally {
            lock.unlock();
        }
    }

    private void publishLowest() {
        Waiter first = waiters.peek();
        lowestWaited = first == null ? -1 : first.lsn.value();
    }

    /** How many wait now. */
    int waiting() {
        lock.lock();
        try {
            return waiters.size();
        } finally {
            lock.unlock();
        }
    }

    /** Wakes everybody for good. */
    void close() {
        lock.lock();
        try {
            closed = true;
            waiters.forEach(waiter -> waiter.woken.signal());
        } finally {
            lock.unlock();
        }
    }

    /** Waits until the LSN has been reached; an interruption counts as closed and stays set. */
    Outcome await(Lsn lsn, Duration limit) {
        if (current().isAtLeast(lsn)) {
            return Outcome.REACHED;
        }
        lock.lock();
        try {
            Waiter waiter = new Waiter(lsn, lock.newCondition());
            waiters.add(waiter);
            publishLowest();
            try {
                long nanos = limit.toNanos();
                while (!closed && current().isBefore(lsn) && nanos > 0) {
                    nanos = waiter.woken.awaitNanos(nanos);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return Outcome.CLOSED;
            } finally {
                waiters.remove(waiter);
                publishLowest();
            }
        } finally {
            lock.unlock();
        }
        if (current().isAtLeast(lsn)) {
            return Outcome.REACHED;
        }
        return closed ? Outcome.CLOSED : Outcome.TIMED_OUT;
    }
}
