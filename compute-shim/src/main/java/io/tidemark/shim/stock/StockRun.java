package io.tidemark.shim.stock;

import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/** One run of a stock PostgreSQL on storage: one that writes, or one that only reads. Safe to use from any thread. */
public interface StockRun extends AutoCloseable {
    /** Why a run is over. */
    enum Ending {
        /** It was asked to stop. */
        STOPPED,
        /** Another compute owns the timeline. */
        FENCED,
        /** PostgreSQL and the timeline do not belong together (any more): build it anew. */
        REFUSED,
        /** PostgreSQL ended by itself: it crashed, or somebody stopped it. Nothing acknowledged is lost; start again. */
        POSTGRES_ENDED,
        /** Somebody promoted what was only to read. Nothing that it wrote since is in storage. */
        PROMOTED
    }

    /** The LSN the data directory was built at. */
    Lsn startLsn();

    /** PostgreSQL, to connect to; starting and stopping it is this object's business. */
    PostgresServer postgres();

    /** Completes when the run is over, with the reason; PostgreSQL does not run any more then. */
    CompletableFuture<Ending> finished();

    /** What went wrong, for people; empty when nothing did. */
    String problem();

    /** Ends the run at once, as a crash would; nothing that was acknowledged is lost. */
    void kill() throws IOException;

    /** Ends the run in order. */
    @Override
    void close() throws IOException;
}
