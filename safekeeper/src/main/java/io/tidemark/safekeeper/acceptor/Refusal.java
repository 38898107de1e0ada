package io.tidemark.safekeeper.acceptor;

/** Why an acceptor refuses a message. Each is a counter of its own, so a test can assert that exactly this happened. */
public enum Refusal {
    NO_GREETING,
    PG_VERSION_MISMATCH,
    TENANT_MISMATCH,
    TIMELINE_MISMATCH,
    SEGMENT_SIZE_MISMATCH,
    GENERATION_MISMATCH,
    NOT_A_MEMBER,
    APPEND_BEFORE_ELECTED,
    APPEND_REWRITES_WAL,
    APPEND_LEAVES_GAP,
    WRONG_START_POINT,
    TRUNCATES_COMMITTED_WAL,
    CORRUPT_HISTORY,
    EMPTY_HISTORY,
    INVALID_WAL
}
