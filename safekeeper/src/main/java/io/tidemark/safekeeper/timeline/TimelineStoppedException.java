package io.tidemark.safekeeper.timeline;

import java.io.IOException;

/**
 * An effect of a timeline could not be carried out, so its core is dead: what the acceptor believes and what the disk has may differ.
 * The cause is what the disk said.
 */
public final class TimelineStoppedException extends IOException {
    private static final long serialVersionUID = 1;

    private final boolean reopenable;

    TimelineStoppedException(String message, Throwable cause, boolean reopenable) {
        super(message, cause);
        this.reopenable = reopenable;
    }

    /**
     * Whether {@link TimelineCore#open} in this process may go on with what is on disk: after a failed write (a full disk) yes, because
     * nothing of it counts; after a failed fsync, or a bug, no.
     */
    public boolean reopenable() {
        return reopenable;
    }
}
