package io.tidemark.safekeeper.wal;

import java.io.IOException;

/**
 * The WAL on disk ends before the persisted commit_lsn: data that this safekeeper had acknowledged is lost or damaged, and a quorum
 * may be counting on it. The timeline must not be opened; its files stay for inspection.
 */
public final class LostWalException extends IOException {
    private static final long serialVersionUID = 1;

    LostWalException(String message, Throwable cause) {
        super(message, cause);
    }

    LostWalException(String message) {
        super(message);
    }
}
