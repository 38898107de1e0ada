package io.tidemark.pageserver.redo;

import io.tidemark.wire.id.Lsn;

/** A record that cannot be applied to the page it names: damaged data, or a record that is not supported. */
public final class RedoException extends Exception {
    private static final long serialVersionUID = 1;

    private final Lsn recordLsn;

    public RedoException(Lsn recordLsn, String message) {
        super(message);
        this.recordLsn = recordLsn;
    }

    public RedoException(Lsn recordLsn, String message, Throwable cause) {
        super(message, cause);
        this.recordLsn = recordLsn;
    }

    /** Where the record starts. */
    public Lsn recordLsn() {
        return recordLsn;
    }
}
