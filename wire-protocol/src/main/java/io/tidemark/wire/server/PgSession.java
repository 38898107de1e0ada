package io.tidemark.wire.server;

import org.jspecify.annotations.Nullable;

/** One client's conversation after it has been let in. Called on the connection's event loop; must not block. */
public interface PgSession {

    /**
     * A command, by simple or extended query; exactly one answer is due, now or later, through the {@link
     * PgServerConnection}. No other command comes before it. What this throws becomes the error that answers it.
     *
     * @param sql the text as it was sent; an empty one has been answered already
     */
    void onCommand(String sql);

    /** What the parameter server_version says to this client; null: what {@link PgServerConfig} says. */
    default @Nullable String serverVersion() {
        return null;
    }

    /** The connection is gone; {@code cause} is null when the client simply left. Called once, last, after any CopyEnd. */
    default void onClosed(@Nullable Throwable cause) {}

    /** Makes the session of a client that has been let in. */
    @FunctionalInterface
    interface Factory {
        /** What this throws closes the connection without an answer: malformed startup options, mostly. */
        PgSession open(PgServerConnection connection, io.tidemark.wire.frame.InitialPacket.StartupMessage startup);
    }
}
