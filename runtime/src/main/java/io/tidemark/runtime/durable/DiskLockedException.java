package io.tidemark.runtime.durable;

import java.io.IOException;

/** Somebody else, in this process or another, holds the lock file of a data directory. */
public final class DiskLockedException extends IOException {
    private static final long serialVersionUID = 1;

    public DiskLockedException(String message) {
        super(message);
    }
}
