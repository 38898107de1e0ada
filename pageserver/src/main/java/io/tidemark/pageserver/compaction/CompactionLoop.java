package io.tidemark.pageserver.compaction;

import io.tidemark.runtime.durable.DiskFullException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that compacts one timeline: woken when layers have changed, otherwise looking now and then. After a failure it waits for the
 * next look, so that a damaged file or a full disk is not tried a thousand times a second.
 */
public final class CompactionLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CompactionLoop.class);

    private final Compactor compactor;
    private final Duration idlePeriod;
    private final Semaphore wakeups = new Semaphore(0);
    private final Thread thread;
    private volatile boolean closed;

    private CompactionLoop(Compactor compactor, Duration idlePeriod, String name) {
        this.compactor = compactor;
        this.idlePeriod = idlePeriod;
        this.thread = Thread.ofPlatform().daemon().name(name).unstarted(this::run);
    }

    /** Starts the thread. It is a platform thread, since merging is work and not waiting. */
    public static CompactionLoop start(Compactor compactor, Duration idlePeriod, String name) {
        CompactionLoop loop = new CompactionLoop(compactor, idlePeriod, name);
        loop.thread.start();
        return loop;
    }

    /** Layers have changed. */
    public void wake() {
        if (wakeups.availablePermits() == 0) {
            wakeups.release();
        }
    }

    private void run() {
        while (!closed) {
            try {
                if (compactor.step()) {
                    continue;
                }
            } catch (DiskFullException e) {
                LOG.warn("no room to compact: {}", e.getMessage());
            } catch (CancellationException e) {
                LOG.debug("compaction stops");
            } catch (IOException | RuntimeException e) {
                LOG.error("compaction failed; trying again later", e);
            }
            await();
        }
    }

    private void await() {
        try {
            if (wakeups.tryAcquire(idlePeriod.toNanos(), TimeUnit.NANOSECONDS)) {
                wakeups.drainPermits();
            }
        } catch (InterruptedException e) {
            closed = true;
        }
    }

    /** Ends the running task without a result, and the thread. It is not interrupted, since it may be in a file. */
    @Override
    public void close() {
        closed = true;
        compactor.stop();
        wakeups.release();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
