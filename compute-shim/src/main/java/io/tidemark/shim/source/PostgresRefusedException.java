package io.tidemark.shim.source;

/** This PostgreSQL can't be used as it is, and asking again will not change that. The message says what to do. */
public final class PostgresRefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    public PostgresRefusedException(String message) {
        super(message);
    }

    public PostgresRefusedException(String message, Throwable cause) {
        super(message, cause);
    }
}
