package io.tidemark.wire.wal;

/** Which of two dialects of heap records a timeline's WAL has. A record does not say so itself. */
public enum WalFlavour {
    /** As an unmodified PostgreSQL writes it. */
    STOCK,

    /** As Neon's computes write it: 14 and 15 have t_cid inside heap records, 16 and later use resource manager 134. */
    NEON
}
