package io.tidemark.shim.stock;

import io.tidemark.shim.postgres.PostgresException;
import io.tidemark.shim.postgres.PostgresServer;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A PostgreSQL that several threads watch and stop. {@link PostgresServer} is one thread's at a time, so they take turns. */
final class OwnedPostgres {
    private static final Logger log = LoggerFactory.getLogger(OwnedPostgres.class);
    private static final Duration STOP_DEADLINE = Duration.ofSeconds(15);

    private final PostgresServer server;
    private final Object turn = new Object();

    OwnedPostgres(PostgresServer server) {
        this.server = server;
    }

    PostgresServer server() {
        return server;
    }

    boolean isRunning() throws IOException {
        synchronized (turn) {
            return server.isRunning();
        }
    }

    void kill() throws IOException, InterruptedException {
        synchronized (turn) {
            server.kill();
        }
    }

    /** For those who can do nothing about a failure. */
    void killOrLog() {
        try {
            kill();
        } catch (IOException e) {
            log.error("PostgreSQL could not be stopped; it can commit nothing", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** {@link #kill}, and what has to follow whether or not that succeeds; an interruption is kept for later. */
    void killAndThen(Runnable then) throws IOException {
        endAndThen(this::kill, then);
    }

    /** The same after {@link #stop}. */
    void stopAndThen(Runnable then) throws IOException {
        endAndThen(this::stop, then);
    }

    private interface End {
        void run() throws IOException, InterruptedException;
    }

    private static void endAndThen(End end, Runnable then) throws IOException {
        try {
            end.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            then.run();
        }
    }

    /** Takes effect at once where PostgreSQL lets it. */
    void reconfigure(Map<String, String> settings) throws IOException, InterruptedException {
        synchronized (turn) {
            server.configure(settings);
            server.reload();
        }
    }

    /** In order, and the hard way when that takes too long. */
    void stop() throws IOException, InterruptedException {
        synchronized (turn) {
            try {
                server.stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
            } catch (PostgresException slow) {
                log.warn("PostgreSQL does not go down in order: {}", slow.getMessage());
                server.kill();
            }
        }
    }
}
