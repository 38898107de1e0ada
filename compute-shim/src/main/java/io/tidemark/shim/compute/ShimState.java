package io.tidemark.shim.compute;

/** Where a shim is in its life. The last three are final. */
public enum ShimState {
    /** Waiting until PostgreSQL answers, and asking it who it is. */
    WAITING_FOR_POSTGRES,
    /** Asking the safekeepers whether this PostgreSQL can be the timeline's, before any term is raised. */
    CHECKING,
    /** Collecting terms and votes; waits here as long as no quorum can be reached. */
    ELECTING,
    /** Elected; comparing the WAL of PostgreSQL with the quorum's, and starting the stream. */
    STARTING,
    /** WAL flows from PostgreSQL; commits return at quorum. */
    STREAMING,
    /** Elected, but PostgreSQL is gone; reconnecting to it with the term kept. */
    POSTGRES_LOST,
    /** Another compute owns a higher term. Nothing is confirmed any more. */
    FENCED,
    /** This PostgreSQL can't be the timeline's, or is not set up for it. */
    REFUSED,
    /** Asked to stop, or sync mode is done. */
    STOPPED;

    public boolean isFinal() {
        return this == FENCED || this == REFUSED || this == STOPPED;
    }
}
