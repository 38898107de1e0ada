package io.tidemark.pageserver.basebackup;

/** For whom a data directory is. */
public enum BackupKind {
    /** A compute that reads its pages from the page service: no relations but empty ones, no checkpoint record. */
    COMPUTE,

    /** The same for one that only reads: without replication slots. */
    REPLICA,

    /** A stock server: everything, and a checkpoint to start from. */
    FULL;

    boolean isFull() {
        return this == FULL;
    }
}
