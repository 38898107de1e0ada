package io.tidemark.shim.stock;

import java.time.Duration;

/** Tells a listener how long each phase took. */
final class Stopwatch {
    private final StartListener listener;
    private long since = System.nanoTime();

    Stopwatch(StartListener listener) {
        this.listener = listener;
    }

    void finished(StartPhase phase, String detail) {
        long now = System.nanoTime();
        listener.finished(phase, Duration.ofNanos(now - since), detail);
        since = now;
    }
}
