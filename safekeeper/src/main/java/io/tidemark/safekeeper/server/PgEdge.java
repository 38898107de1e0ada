package io.tidemark.safekeeper.server;

import io.netty.channel.Channel;
import io.netty.channel.WriteBufferWaterMark;
import io.tidemark.runtime.auth.Login;
import io.tidemark.runtime.net.SilenceHandler;
import io.tidemark.runtime.net.TcpEdge;
import io.tidemark.safekeeper.timeline.TimelineRegistry;
import io.tidemark.safekeeper.timeline.TimelineSnapshot;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.server.PgServer;
import io.tidemark.wire.server.PgServerConfig;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Optional;

/** The PostgreSQL port: makes a session of each connection. */
public final class PgEdge {
    /** Connections at the same time; more are closed at once. */
    public static final int MAX_CONNECTIONS = 10_000;

    /** Some chunks of WAL are always on their way. */
    private static final WriteBufferWaterMark SEND_BUFFER = new WriteBufferWaterMark(256 * 1024, 1024 * 1024);

    private PgEdge() {}

    /** Starts to listen; throws an {@link IOException} that names the address when that can't be done. */
    public static TcpEdge bind(InetSocketAddress address, Duration idleTimeout, EdgeContext context)
            throws IOException {
        return TcpEdge.bind(
                context.loops(),
                address,
                "PostgreSQL's protocol",
                new TcpEdge.Limits(MAX_CONNECTIONS, SEND_BUFFER),
                () -> context.metrics().refused("TOO_MANY_CONNECTIONS"),
                connection -> accept(connection, idleTimeout, context));
    }

    private static void accept(Channel connection, Duration idleTimeout, EdgeContext context) {
        connection
                .pipeline()
                .addLast(new TrafficHandler(context.metrics()), SilenceHandler.whenNothingComes(idleTimeout));
        Login login = context.gate().login();
        PgServer.install(
                connection,
                PgServerConfig.DEFAULT,
                login.isNeeded() ? (startup, password) -> login.refusal(password) : null,
                (opened, startup) -> new SafekeeperSession(opened, startup, context, login.caller()));
    }

    /** {@code host:port} of the other side. */
    static String peerOf(Channel channel) {
        SocketAddress address = channel.remoteAddress();
        if (address instanceof InetSocketAddress inet && inet.getAddress() != null) {
            return inet.getAddress().getHostAddress() + ":" + inet.getPort();
        }
        return String.valueOf(address);
    }

    /**
     * The version that a client is told: the timeline's, since pg_receivewal and standbys refuse servers of another major version; 14.1
     * like Neon's where there is no timeline yet.
     */
    static String serverVersion(
            TimelineRegistry registry, Optional<TenantId> tenantId, Optional<TimelineId> timelineId) {
        return tenantId.flatMap(tenant -> timelineId.map(timeline -> new TenantTimelineId(tenant, timeline)))
                .flatMap(registry::find)
                .map(timeline -> timeline.view().snapshot())
                .map(TimelineSnapshot::state)
                .filter(state -> state.pgVersion().isKnown())
                .map(state -> text(state.pgVersion()))
                .orElse("14.1");
    }

    private static String text(PgVersion version) {
        return version.major() + "." + version.number() % 10_000;
    }
}
