package io.tidemark.safekeeper.acceptor;

/** One proposer connection, as long as it lives; never reused within a process. */
public record ConnectionId(long value) {
    @Override
    public String toString() {
        return Long.toString(value);
    }
}
