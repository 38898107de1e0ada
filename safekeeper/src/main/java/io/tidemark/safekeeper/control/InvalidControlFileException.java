package io.tidemark.safekeeper.control;

import java.io.IOException;

/** Bytes that are no control file this version can use. The file stays as it is, and its timeline stays closed. */
public final class InvalidControlFileException extends IOException {
    private static final long serialVersionUID = 1;

    /** What is wrong; each asks for another answer. */
    public enum Reason {
        /** The magic is missing: another kind of file. */
        NOT_A_CONTROL_FILE,
        /** Written by a newer version: upgrade this safekeeper. */
        TOO_NEW,
        /** Written by a version nobody runs any more: upgrade it with an older release first. */
        TOO_OLD,
        /** Damaged: restore it from another safekeeper, or exclude this one and pull the timeline anew. */
        CORRUPT,
        /** Sound, but of another timeline than its directory's name says. */
        FOREIGN,
        /** Sound, but says something this version cannot serve. */
        UNSUPPORTED
    }

    private final Reason reason;

    InvalidControlFileException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    InvalidControlFileException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
