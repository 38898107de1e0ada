package io.tidemark.wire.tar;

import java.io.IOException;

/** Bytes that are no tar, or none that we take. */
public final class InvalidTarException extends IOException {
    private static final long serialVersionUID = 1;

    public InvalidTarException(String message) {
        super(message);
    }
}
