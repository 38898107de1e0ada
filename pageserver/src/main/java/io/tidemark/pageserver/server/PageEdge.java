package io.tidemark.pageserver.server;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.handler.timeout.ReadTimeoutException;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.tidemark.runtime.auth.Login;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.wire.server.PgServer;
import io.tidemark.wire.server.PgServerConfig;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

/** Listens for the page service. Made by {@link #bind}, until {@link #close}. */
public final class PageEdge implements AutoCloseable {
    /** Connections at the same time; more are closed at once. */
    public static final int MAX_CONNECTIONS = 10_000;

    private static final int SILENCE_SECONDS = 600;

    /** A client that has this much waiting for it is not worked for until it has read some. */
    private static final WriteBufferWaterMark SEND_BUFFER = new WriteBufferWaterMark(128 * 1024, 512 * 1024);

    private final Channel channel;
    private final ChannelGroup connections;

    private PageEdge(Channel channel, ChannelGroup connections) {
        this.channel = channel;
        this.connections = connections;
    }

    /** Starts to listen; throws an {@link IOException} that names the address when that can't be done. */
    public static PageEdge bind(EventLoops loops, InetSocketAddress address, EdgeContext context) throws IOException {
        ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
        var bound = new ServerBootstrap()
                .group(loops.group())
                .channel(loops.serverChannel())
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
            throw new IOException("can't listen for the page service on " + address, bound.cause());
        }
        return new PageEdge(bound.channel(), connections);
    }

    private static void accept(Channel connection, ChannelGroup connections, EdgeContext context) {
        if (connections.size() >= MAX_CONNECTIONS) {
            context.metrics().refused("TOO_MANY_CONNECTIONS");
            var _ = connection.close();
            return;
        }
        connections.add(connection);
        connection.pipeline().addLast(new SilenceHandler());
        Login login = context.gate().login();
        PgServer.install(
                connection,
                PgServerConfig.DEFAULT,
                login.isNeeded() ? (startup, password) -> login.refusal(password) : null,
                (opened, startup) -> new PageSession(opened, context, login.caller()));
    }

    /** Ends a connection on which nothing has come or gone for long. Whoever takes a backup only reads. */
    private static final class SilenceHandler extends IdleStateHandler {
        SilenceHandler() {
            super(0, 0, SILENCE_SECONDS);
        }

        @Override
        protected void channelIdle(ChannelHandlerContext ctx, IdleStateEvent event) {
            ctx.fireExceptionCaught(ReadTimeoutException.INSTANCE);
            var _ = ctx.close();
        }
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
