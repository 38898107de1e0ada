package io.tidemark.pageserver.basedata;

/** A data directory or a server that cannot become a timeline. */
public final class ImportException extends Exception {
    private static final long serialVersionUID = 1;

    /** Why. */
    public enum Reason {
        NOT_A_DATA_DIRECTORY,
        WRONG_VERSION,
        NOT_SHUT_DOWN,
        USER_TABLESPACE,
        DAMAGED
    }

    private final Reason reason;

    ImportException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    ImportException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
