package io.tidemark.runtime.durable;

import java.io.IOException;

/** No space or quota left. What was durable stays durable; nothing of the failed write counts. */
public final class DiskFullException extends IOException {
    private static final long serialVersionUID = 1;

    public DiskFullException(String message) {
        super(message);
    }

    public DiskFullException(String message, Throwable cause) {
        super(message, cause);
    }
}
