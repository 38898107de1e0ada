package io.tidemark.shim.stock;

/** What a compute does until it takes commits, or can be read, in this order; one that only reads does not do all of it. */
public enum StartPhase {
    /** Winning a term and learning where committed WAL ends. */
    ELECT,
    /** Waiting until the pageserver has ingested that far. */
    INGEST,
    /** Making the pageserver promise to keep the LSN. */
    LEASE,
    /** Building the data directory. */
    BUILD,
    /** Starting PostgreSQL. */
    BOOT,
    /** Waiting until the shim streams. */
    STREAM
}
