package io.tidemark.pageserver.timeline;

/** A question that a timeline does not answer, with the reason. */
public final class ReadException extends Exception {
    private static final long serialVersionUID = 1;

    /** Whose fault it is, and what the asker is to do. */
    public enum Kind {
        /** The question cannot be answered by anybody: LSNs that contradict each other, or were collected. */
        BAD_REQUEST("Bad request"),

        /** What is asked about does not exist at this LSN. */
        NOT_FOUND("Not found"),

        /** The WAL has not arrived in time. */
        LSN_TIMEOUT("LSN timeout"),

        /** Stored data is damaged, or does not make a page. */
        DAMAGED("Read error"),

        /** The timeline is going down here: ask again, on another connection. */
        CLOSED("shutdown");

        private final String prefix;

        Kind(String prefix) {
            this.prefix = prefix;
        }
    }

    private final Kind kind;

    public ReadException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public ReadException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }

    /** What the asker is told: one of Neon's prefixes, and the reason. */
    public String text() {
        return kind.prefix + ": " + getMessage();
    }
}
