package io.tidemark.shim.libpq;

import io.tidemark.wire.client.PgServerException;
import io.tidemark.wire.frame.CopyEnd;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * Why a connection, or the attempt at one, is over.
 *
 * @param sqlState what the server said, empty when it said nothing
 */
public record Ending(String reason, String sqlState) {
    /** The peer left without a word. */
    static Ending of(CopyEnd end) {
        return switch (end) {
            case CopyEnd.Done done -> new Ending("the server ended the stream", "");
            case CopyEnd.ClientFailed failed -> new Ending(failed.reason(), "");
            case CopyEnd.ServerFailed(var error) -> new Ending(error.toString(), error.sqlState());
            case CopyEnd.Lost(Throwable cause) when cause != null -> of(cause);
            case CopyEnd.Lost lost -> new Ending("the server closed the connection", "");
        };
    }

    static Ending of(Throwable error) {
        Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        if (cause instanceof PgServerException said) {
            return new Ending(said.error().toString(), said.sqlState());
        }
        @Nullable String message = cause.getMessage();
        return new Ending(message == null ? cause.getClass().getSimpleName() : message, "");
    }

    /** Whether trying again may help without anybody changing anything. */
    public boolean isTemporary() {
        return isTemporary(sqlState);
    }

    /**
     * A server that starts or stops (57P), is full (53), has a slot in use (55006), a connection that broke (08), or no word at all.
     */
    public static boolean isTemporary(String sqlState) {
        return sqlState.isEmpty()
                || sqlState.startsWith("57P")
                || sqlState.startsWith("53")
                || sqlState.equals("55006")
                || sqlState.startsWith("08");
    }
}
