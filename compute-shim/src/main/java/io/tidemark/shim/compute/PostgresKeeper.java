package io.tidemark.shim.compute;

/** Who can stop the PostgreSQL that a shim stands beside. */
@FunctionalInterface
public interface PostgresKeeper {
    /** For a PostgreSQL that somebody else looks after: its commits wait, nothing else happens. */
    PostgresKeeper NONE = report -> {};

    /**
     * Another compute owns the timeline: stop PostgreSQL at once. Called once, on a thread of its own, after the shim has stopped
     * confirming and before the winner's name is known.
     */
    void fenced(FenceReport report);
}
