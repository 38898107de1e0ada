package io.tidemark.wire.server;

import io.netty.handler.ssl.SslContext;
import io.tidemark.wire.frame.FrameLimits;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a server takes connections.
 *
 * @param sslContext null: TLS is not offered
 * @param requireTls refuse clients that don't use TLS; pageservers and peers of Neon don't, so offering is not requiring
 * @param serverVersion what the parameter server_version says
 * @param limits how long frames may be
 * @param handshakeTimeout from connect to the first ReadyForQuery
 */
public record PgServerConfig(
        @Nullable SslContext sslContext,
        boolean requireTls,
        String serverVersion,
        FrameLimits limits,
        Duration handshakeTimeout) {
    /** Clear text, version 14.1 as Neon's services say, a minute to come in. */
    public static final PgServerConfig DEFAULT =
            new PgServerConfig(null, false, "14.1", FrameLimits.DEFAULT, Duration.ofMinutes(1));

    /** Throws {@link IllegalArgumentException} when TLS is required but not offered. */
    public PgServerConfig {
        if (requireTls && sslContext == null) {
            throw new IllegalArgumentException("TLS is required, but there is no certificate to offer it with");
        }
    }

    public PgServerConfig withTls(SslContext context, boolean required) {
        return new PgServerConfig(context, required, serverVersion, limits, handshakeTimeout);
    }
}
