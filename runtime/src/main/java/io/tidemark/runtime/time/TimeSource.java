package io.tidemark.runtime.time;

import java.time.Instant;

/** Where time comes from. Timeouts and intervals use the monotonic clock, which nobody sets back. */
public interface TimeSource {
    /** Nanoseconds since an arbitrary moment; never goes back. Only differences mean anything. */
    long monotonicNanos();

    /** The time of day. */
    Instant now();

    /** Milliseconds of {@link #monotonicNanos}. */
    default long monotonicMillis() {
        return monotonicNanos() / 1_000_000;
    }

    /** The clocks of this machine. */
    static TimeSource system() {
        return new SystemTimeSource();
    }
}
