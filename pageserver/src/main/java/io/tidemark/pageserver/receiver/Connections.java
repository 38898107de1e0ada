package io.tidemark.pageserver.receiver;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelOption;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.wire.client.PgClient;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.client.PgServerException;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.TextTable;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Connections to servers, for threads that may block. */
public final class Connections {
    private static final Duration ANSWER_PATIENCE = Duration.ofSeconds(30);

    private final Bootstrap bootstrap;

    public Connections(EventLoops loops) {
        this.bootstrap = new Bootstrap()
                .group(loops.group())
                .channel(loops.clientChannel())
                .option(ChannelOption.SO_KEEPALIVE, true);
    }

    /**
     * Connects.
     *
     * @throws PgServerException when the server refuses
     * @throws IOException when it cannot be reached
     */
    public PgConnection open(PgClientConfig server) throws IOException, InterruptedException {
        CompletableFuture<PgConnection> connecting = PgClient.connect(bootstrap, server);
        boolean done = false;
        try {
            PgConnection connection = await(server, connecting);
            done = true;
            return connection;
        } finally {
            if (!done) {
                var _ = connecting.thenAccept(PgConnection::close);
            }
        }
    }

    /** Asks a question; throws like {@link #open}. */
    public static TextTable ask(PgClientConfig server, PgConnection connection, String question)
            throws IOException, InterruptedException {
        return await(server, connection.query(question)).table();
    }

    /** Runs a command that answers with COPY; throws like {@link #open}. */
    public static CopyQueue copy(PgClientConfig server, PgConnection connection, String command)
            throws IOException, InterruptedException {
        CopyQueue queue = new CopyQueue(connection.channel());
        boolean done = false;
        try {
            await(server, connection.copy(command, queue));
            done = true;
            return queue;
        } finally {
            if (!done) {
                queue.close();
            }
        }
    }

    private static <T> T await(PgClientConfig server, CompletableFuture<T> future)
            throws IOException, InterruptedException {
        try {
            return future.get(ANSWER_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            if (cause instanceof PgServerException said) {
                throw said;
            }
            throw new IOException(server + ": " + reason(cause), cause);
        } catch (TimeoutException e) {
            throw new IOException(server + " did not answer within " + ANSWER_PATIENCE.toSeconds() + " s", e);
        }
    }

    private static String reason(Throwable cause) {
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }

    /** How a COPY that was not to end ended, as an error. */
    public static IOException ended(PgClientConfig server, CopyEnd end) {
        return switch (end) {
            case CopyEnd.Done done -> new IOException(server + " ended the stream");
            case CopyEnd.ClientFailed failed -> new IOException(server + ": " + failed.reason());
            case CopyEnd.ServerFailed(var error) -> new PgServerException(error);
            case CopyEnd.Lost(Throwable cause)
            when cause != null -> new IOException(server + ": " + reason(cause), cause);
            case CopyEnd.Lost lost -> new IOException(server + " closed the connection");
        };
    }
}
