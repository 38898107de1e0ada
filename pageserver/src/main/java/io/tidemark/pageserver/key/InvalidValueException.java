package io.tidemark.pageserver.key;

/** Bytes that are not a value: stored data is damaged, or was written by a newer version. */
public final class InvalidValueException extends Exception {
    private static final long serialVersionUID = 1;

    public InvalidValueException(String message) {
        super(message);
    }
}
