package io.tidemark.runtime.time;

import java.time.Instant;

/** The clocks of this machine; the monotonic one starts near 0 with this object. */
final class SystemTimeSource implements TimeSource {
    private final long startNanos = System.nanoTime();

    @Override
    public long monotonicNanos() {
        return System.nanoTime() - startNanos;
    }

    @Override
    public Instant now() {
        return Instant.now();
    }
}
