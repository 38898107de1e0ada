package io.tidemark.wire.client;

import io.tidemark.wire.frame.ErrorFields;
import java.io.IOException;

/** A server has answered with an error. */
public final class PgServerException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient ErrorFields error;

    public PgServerException(ErrorFields error) {
        super(error.toString());
        this.error = error;
    }

    /** What the server said, field by field. */
    public ErrorFields error() {
        return error;
    }

    public String sqlState() {
        return error.sqlState();
    }
}
