package io.tidemark.pageserver.layer;

import java.io.IOException;

/** The store has stopped for good, until the process opens it again: an fsync or a write failed, and nothing is known of its files. */
public final class LayerStoreFailedException extends IOException {
    private static final long serialVersionUID = 1;

    LayerStoreFailedException(String message, Throwable cause) {
        super(message, cause);
    }
}
