package io.tidemark.shim.stock;

/** What a compute does until it takes commits, in this order. */
public enum StartPhase {
    /** Winning a term and learning where committed WAL ends. */
    ELECT,
    /** Waiting until the pageserver has ingested that far. */
    INGEST,
    /** Building the data directory. */
    BUILD,
    /** Starting PostgreSQL. */
    BOOT,
    /** Waiting until the shim streams. */
    STREAM
}
