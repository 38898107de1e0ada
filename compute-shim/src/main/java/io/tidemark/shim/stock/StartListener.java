package io.tidemark.shim.stock;

import java.time.Duration;

/** Told how a start goes on; called by the starting thread. */
public interface StartListener {
    /** For those who only want the result. */
    StartListener NONE = new StartListener() {
        @Override
        public void finished(StartPhase phase, Duration took, String detail) {}

        @Override
        public void built(long bytes) {}
    };

    /**
     * A phase is over.
     *
     * @param detail what came out of it, for people
     */
    void finished(StartPhase phase, Duration took, String detail);

    /** So many bytes of the data directory are there. */
    void built(long bytes);
}
