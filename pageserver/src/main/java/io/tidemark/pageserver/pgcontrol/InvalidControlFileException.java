package io.tidemark.pageserver.pgcontrol;

/** A pg_control that is damaged, or of a server that cannot be served. */
public final class InvalidControlFileException extends Exception {
    private static final long serialVersionUID = 1;

    public InvalidControlFileException(String message) {
        super(message);
    }
}
