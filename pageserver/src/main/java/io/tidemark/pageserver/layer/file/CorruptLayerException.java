package io.tidemark.pageserver.layer.file;

import java.io.IOException;

/** A layer file, or the manifest that names it, is not what was written. Other files, and other keys of this one, may be fine. */
public final class CorruptLayerException extends IOException {
    private static final long serialVersionUID = 1;

    /** What is wrong with the file. */
    public enum Reason {
        /** It is not there. */
        MISSING,
        /** It is not such a file at all. */
        NOT_A_LAYER,
        /** A newer program wrote it. */
        TOO_NEW,
        /** An older program wrote it, and this one cannot read it any more. */
        TOO_OLD,
        /** It is another layer than the name promises. */
        OTHER_LAYER,
        /** A checksum or a length is wrong. */
        DAMAGED
    }

    private final String file;
    private final Reason reason;

    public CorruptLayerException(String file, Reason reason, String what) {
        super("layer file " + file + ": " + what);
        this.file = file;
        this.reason = reason;
    }

    public CorruptLayerException(String file, Reason reason, String what, Throwable cause) {
        super("layer file " + file + ": " + what, cause);
        this.file = file;
        this.reason = reason;
    }

    /** Its path below the disk's root. */
    public String file() {
        return file;
    }

    public Reason reason() {
        return reason;
    }
}
