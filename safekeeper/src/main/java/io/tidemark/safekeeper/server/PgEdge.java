package io.tidemark.safekeeper.server;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.tidemark.runtime.auth.Login;
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
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Listens for the PostgreSQL protocol. Made by {@link #bind}, until {@link #close}. */
public final class PgEdge implements AutoCloseable {
    /** Connections at the same time; more are closed at once. */
    public static final int MAX_CONNECTIONS = 10_000;

    private static final int READ_TIMEOUT_SECONDS = 600;

    /** A sender stops at the high mark and goes on at the low one: some chunks of WAL are always on their way. */
    private static final WriteBufferWaterMark SEND_BUFFER = new WriteBufferWaterMark(256 * 1024, 1024 * 1024);

    private final Channel channel;
    private final ChannelGroup connections;

    private PgEdge(Channel channel, ChannelGroup connections) {
        this.channel = channel;
        this.connections = connections;
    }

    /** Starts to listen; throws an {@link IOException} that names the address when that can't be done. */
    public static PgEdge bind(
            EventLoopGroup group,
            Class<? extends ServerChannel> channelClass,
            InetSocketAddress address,
            EdgeContext context)
            throws IOException {
        ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
        var bound = new ServerBootstrap()
                .group(group)
                .channel(channelClass)
                .option(ChannelOption.SO_BACKLOG, 1024)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, SEND_BUFFER)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel connection) {
                        accept(connection, connections, context);
                    }
                })
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException("can't listen for PostgreSQL's protocol on " + address, bound.cause());
        }
        return new PgEdge(bound.channel(), connections);
    }

    private static void accept(Channel connection, ChannelGroup connections, EdgeContext context) {
        if (connections.size() >= MAX_CONNECTIONS) {
            context.metrics().refused("TOO_MANY_CONNECTIONS");
            var _ = connection.close();
            return;
        }
        connections.add(connection);
        connection
                .pipeline()
                .addLast(new TrafficHandler(context.metrics()), new ReadTimeoutHandler(READ_TIMEOUT_SECONDS));
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

    /** Where it listens, with the port that was found when 0 was asked for. */
    public InetSocketAddress address() {
        return (InetSocketAddress) channel.localAddress();
    }

    /** Accepts nobody any more; those who are connected stay. */
    public void stopAccepting() {
        channel.close().awaitUninterruptibly(5, TimeUnit.SECONDS);
    }

    /** Closes all connections, too. */
    @Override
    public void close() {
        stopAccepting();
        connections.close().awaitUninterruptibly(5, TimeUnit.SECONDS);
    }
}
