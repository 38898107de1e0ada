package io.tidemark.pageserver.basebackup;

/** For whom a data directory is. */
public enum BackupKind {
    /** A compute that reads its pages from the page service: no relations but empty ones, no checkpoint record. */
    COMPUTE,

    /** The same for one that only reads: without replication slots. */
    REPLICA,

    /** A stock server: everything, and a checkpoint to start from. */
    FULL,

    /**
     * A stock standby that streams the timeline: everything but slots, and a backup_label with the last checkpoint record, from which it
     * replays up to the LSN before it takes sessions.
     */
    STANDBY;

    boolean hasRelations() {
        return this == FULL || this == STANDBY;
    }

    boolean hasSlots() {
        return this == FULL || this == COMPUTE;
    }
}
