package io.tidemark.runtime.owner;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The threads that owners borrow. Platform threads: an owner's batch ends in an fdatasync, which a virtual thread can only do by
 * holding its carrier (measured: see docs/decisions/0060-owner-on-borrowed-threads.md). They end after some seconds without work.
 *
 * <p>The queue needs no limit of its own: each owner stands in it at most once.
 */
public final class OwnerThreads implements Executor, AutoCloseable {
    private static final Duration IDLE_LIFE = Duration.ofSeconds(10);

    private final ThreadPoolExecutor pool;

    /** {@code maxThreads} is how many owners can wait for their disk at the same time. */
    public OwnerThreads(String name, int maxThreads) {
        AtomicLong number = new AtomicLong();
        pool = new ThreadPoolExecutor(
                maxThreads,
                maxThreads,
                IDLE_LIFE.toMillis(),
                TimeUnit.MILLISECONDS,
                new LinkedBlockingQueue<>(),
                task -> Thread.ofPlatform()
                        .daemon()
                        .name(name + "-" + number.incrementAndGet())
                        .unstarted(task));
        pool.allowCoreThreadTimeOut(true);
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
        try {
            pool.awaitTermination(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
