package io.tidemark.shim.libpq;

import io.netty.channel.EventLoop;
import io.tidemark.wire.client.PgClient;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.client.PgServerException;
import io.tidemark.wire.frame.TextTable;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A connection to ask questions on, one after the other. Blocks its caller, so never on the event loop. */
public final class Questions implements AutoCloseable {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final long ANSWER_SECONDS = 30;

    private final PgClientConfig server;
    private final PgConnection connection;

    private Questions(PgClientConfig server, PgConnection connection) {
        this.server = server;
        this.connection = connection;
    }

    /**
     * Connects.
     *
     * @throws PgServerException when the server refuses
     * @throws IOException when it can't be reached, or not in time
     */
    public static Questions open(EventLoop loop, PgClientConfig server) throws IOException, InterruptedException {
        CompletableFuture<PgConnection> connecting =
                PgClient.connect(Sockets.bootstrap(loop), server.withConnectTimeout(CONNECT_TIMEOUT));
        return new Questions(server, await(server, connecting));
    }

    /** Asks by simple query; throws like {@link #open}. */
    public TextTable ask(String question) throws IOException, InterruptedException {
        return await(server, connection.query(question)).table();
    }

    private static <T> T await(PgClientConfig server, CompletableFuture<T> future)
            throws IOException, InterruptedException {
        try {
            return future.get(ANSWER_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            if (cause instanceof PgServerException said) {
                throw said;
            }
            throw new IOException(server + ": " + Ending.of(cause).reason(), cause);
        } catch (TimeoutException e) {
            throw new IOException(server + " did not answer within " + ANSWER_SECONDS + " s", e);
        }
    }

    @Override
    public void close() {
        connection.close();
    }
}
