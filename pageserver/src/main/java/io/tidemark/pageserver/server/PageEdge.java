package io.tidemark.pageserver.server;

import io.netty.channel.Channel;
import io.netty.channel.WriteBufferWaterMark;
import io.tidemark.runtime.auth.Login;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.runtime.net.SilenceHandler;
import io.tidemark.runtime.net.TcpEdge;
import io.tidemark.wire.server.PgServer;
import io.tidemark.wire.server.PgServerConfig;
import java.io.IOException;
import java.net.InetSocketAddress;

/** The port of the page service: makes a session of each connection. */
public final class PageEdge {
    /** Connections at the same time; more are closed at once. */
    public static final int MAX_CONNECTIONS = 10_000;

    /** A client that has this much waiting for it is not worked for until it has read some. */
    private static final WriteBufferWaterMark SEND_BUFFER = new WriteBufferWaterMark(128 * 1024, 512 * 1024);

    private PageEdge() {}

    /** Starts to listen; throws an {@link IOException} that names the address when that can't be done. */
    public static TcpEdge bind(EventLoops loops, InetSocketAddress address, EdgeContext context) throws IOException {
        return TcpEdge.bind(
                loops,
                address,
                "the page service",
                new TcpEdge.Limits(MAX_CONNECTIONS, SEND_BUFFER),
                () -> context.metrics().refused("TOO_MANY_CONNECTIONS"),
                connection -> accept(connection, context));
    }

    private static void accept(Channel connection, EdgeContext context) {
        // Whoever takes a backup only reads.
        connection.pipeline().addLast(SilenceHandler.whenNothingMoves(SilenceHandler.DEFAULT_TIMEOUT));
        Login login = context.gate().login();
        PgServer.install(
                connection,
                PgServerConfig.DEFAULT,
                login.isNeeded() ? (startup, password) -> login.refusal(password) : null,
                (opened, startup) -> new PageSession(opened, context, login.caller()));
    }
}
