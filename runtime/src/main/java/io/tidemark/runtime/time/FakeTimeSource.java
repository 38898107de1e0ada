package io.tidemark.runtime.time;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/** Time that stands still until a test or a simulation moves it. Atomic, because tests move it beside the owner that reads it. */
public final class FakeTimeSource implements TimeSource {
    private final Instant start;
    private final AtomicLong nanos = new AtomicLong();

    /** Starts at 2026-01-01 00:00 UTC. */
    public FakeTimeSource() {
        this(Instant.parse("2026-01-01T00:00:00Z"));
    }

    public FakeTimeSource(Instant start) {
        this.start = start;
    }

    /** Throws {@link IllegalArgumentException} when {@code duration} is negative. */
    public void advance(Duration duration) {
        if (duration.isNegative()) {
            throw new IllegalArgumentException("time does not go back: " + duration);
        }
        nanos.addAndGet(duration.toNanos());
    }

    @Override
    public long monotonicNanos() {
        return nanos.get();
    }

    @Override
    public Instant now() {
        return start.plusNanos(nanos.get());
    }
}
