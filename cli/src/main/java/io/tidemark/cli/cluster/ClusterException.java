package io.tidemark.cli.cluster;

import java.io.IOException;

/** A local cluster cannot do what it was asked; the message is for the person at the terminal. */
public final class ClusterException extends IOException {
    private static final long serialVersionUID = 1L;

    public ClusterException(String message) {
        super(message);
    }

    public ClusterException(String message, Throwable cause) {
        super(message, cause);
    }
}
