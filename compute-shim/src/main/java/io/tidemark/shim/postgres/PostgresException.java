package io.tidemark.shim.postgres;

import java.io.IOException;

/** A PostgreSQL server, or one of its programs, did not do what it was asked. The message ends with what it said. */
public final class PostgresException extends IOException {
    private static final long serialVersionUID = 1L;

    public PostgresException(String message) {
        super(message);
    }

    public PostgresException(String message, Throwable cause) {
        super(message, cause);
    }
}
