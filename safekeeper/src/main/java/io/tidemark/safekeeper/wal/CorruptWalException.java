package io.tidemark.safekeeper.wal;

import java.io.IOException;

/** WAL on disk that is not what was written: a flipped byte, a short file, a foreign page. It is not served. */
public final class CorruptWalException extends IOException {
    private static final long serialVersionUID = 1;

    public CorruptWalException(String message) {
        super(message);
    }

    public CorruptWalException(String message, Throwable cause) {
        super(message, cause);
    }
}
