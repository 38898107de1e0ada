package io.tidemark.runtime.durable;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** An fsync failed. The kernel may have dropped the dirty pages, so it must never be retried and believed. */
public final class SyncFailedException extends IOException {
    private static final long serialVersionUID = 1;

    public SyncFailedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
