package io.tidemark.pageserver.compaction;

import io.tidemark.runtime.time.TimeSource;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Keeps a merge from taking more of a core than it may, and ends it when it shall stop. Looks at the clock once for some work, not for
 * each version.
 */
final class CompactionPace {
    /** Does not hold anything up. */
    static final CompactionPace UNBOUNDED = new CompactionPace(TimeSource.system(), 100, () -> false);

    private static final long BYTES_PER_LOOK = 1 << 20;
    private static final long BYTES_PER_VERSION = 64;

    private final TimeSource time;
    private final int cpuPercent;
    private final BooleanSupplier stopped;
    private long bytes;
    private long since;

    CompactionPace(TimeSource time, int cpuPercent, BooleanSupplier stopped) {
        this.time = time;
        this.cpuPercent = cpuPercent;
        this.stopped = stopped;
        this.since = time.monotonicNanos();
    }

    /** Another version has been merged. */
    void worked(int length) {
        bytes += length + BYTES_PER_VERSION;
        if (bytes < BYTES_PER_LOOK) {
            return;
        }
        bytes = 0;
        if (stopped.getAsBoolean()) {
            throw new CancellationException("compaction stops");
        }
        if (cpuPercent < 100) {
            long worked = time.monotonicNanos() - since;
            LockSupport.parkNanos(worked * (100 - cpuPercent) / cpuPercent);
            since = time.monotonicNanos();
        }
    }
}
