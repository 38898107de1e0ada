package io.tidemark.safekeeper.wal;

import java.io.IOException;

/** WAL that this safekeeper does not have: it lies before the timeline's start, or was never here, or is gone. */
public final class MissingWalException extends IOException {
    private static final long serialVersionUID = 1;

    public MissingWalException(String message) {
        super(message);
    }
}
