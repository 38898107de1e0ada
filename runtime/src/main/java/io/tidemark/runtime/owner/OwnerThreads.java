package io.tidemark.runtime.owner;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads that owners borrow; the one that was busy last is the first to be busy again, so that few timelines keep few threads warm.
 * Platform threads: an owner's batch ends in an fdatasync, which a virtual thread can only do by holding its carrier (measured: see
 * docs/decisions/0060-owner-on-borrowed-threads.md). They end after some seconds without work.
 *
 * <p>The queue needs no limit of its own: each owner stands in it at most once.
 */
public final class OwnerThreads implements Executor, AutoCloseable {
    private static final Duration IDLE_LIFE = Duration.ofSeconds(10);

    private final ThreadPoolExecutor pool;
    private final ThreadPoolExecutor overflow;

    /** {@code maxThreads} is how many owners can wait for their disk at the same time. */
    public OwnerThreads(String name, int maxThreads) {
        ThreadFactory factory = Thread.ofPlatform().daemon().name(name + "-", 1).factory();
        int queued = Math.max(1, maxThreads / 4);
        overflow = new ThreadPoolExecutor(
                queued, queued, IDLE_LIFE.toMillis(), TimeUnit.MILLISECONDS, new LinkedBlockingQueue<>(), factory);
        overflow.allowCoreThreadTimeOut(true);
        // An unfair SynchronousQueue hands to the thread that has waited least. When all are busy, tasks stand in line.
        pool = new ThreadPoolExecutor(
                0,
                Math.max(1, maxThreads - queued),
                IDLE_LIFE.toMillis(),
                TimeUnit.MILLISECONDS,
                new SynchronousQueue<>(),
                factory,
                (task, full) -> overflow.execute(task));
    }

    @Override
    public void execute(Runnable task) {
        pool.execute(task);
    }

    /**
     * Finishes what is queued, for at most ten seconds, and takes nothing more. Interrupts nobody: an interrupt closes the file that
     * is being written under everybody who uses it.
     */
    @Override
    public void close() {
        pool.shutdown();
        overflow.shutdown();
        try {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
            pool.awaitTermination(10, TimeUnit.SECONDS);
            overflow.awaitTermination(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
