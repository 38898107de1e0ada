package io.tidemark.runtime.net;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A listening port and the connections that came by it, whatever they speak. Made by {@link #bind}, until {@link #close}. How much
 * silence is too much depends on what is spoken: see {@link SilenceHandler}.
 */
public final class TcpEdge implements AutoCloseable {
    private static final int BACKLOG = 1024;
    private static final long CLOSE_SECONDS = 5;

    private final Channel channel;
    private final ChannelGroup connections;

    /**
     * What one port takes.
     *
     * @param maxConnections connections at the same time; more are closed at once
     * @param sendBuffer a sender stops at the high mark and goes on at the low one
     */
    public record Limits(int maxConnections, WriteBufferWaterMark sendBuffer) {}

    private TcpEdge(Channel channel, ChannelGroup connections) {
        this.channel = channel;
        this.connections = connections;
    }

    /**
     * Starts to listen.
     *
     * @param service what is spoken there, for the error
     * @param tooMany told of each connection that is one too many
     * @param accepted fills the pipeline of each other one, on its event loop
     * @throws IOException that names the address when that can't be done
     */
    public static TcpEdge bind(
            EventLoops loops,
            InetSocketAddress address,
            String service,
            Limits limits,
            Runnable tooMany,
            Consumer<Channel> accepted)
            throws IOException {
        ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
        var bound = new ServerBootstrap()
                .group(loops.group(), loops.connectionGroup())
                .channel(loops.serverChannel())
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, limits.sendBuffer())
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel connection) {
                        var _ = connection.closeFuture().addListener(_ -> loops.left(connection));
                        if (connections.size() >= limits.maxConnections()) {
                            tooMany.run();
                            var _ = connection.close();
                            return;
                        }
                        connections.add(connection);
                        accepted.accept(connection);
                    }
                })
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException("can't listen for " + service + " on " + address, bound.cause());
        }
        return new TcpEdge(bound.channel(), connections);
    }

    /** Where it listens, with the port that was found when 0 was asked for. */
    public InetSocketAddress address() {
        return (InetSocketAddress) channel.localAddress();
    }

    /** Accepts nobody any more; those who are connected stay. */
    public void stopAccepting() {
        channel.close().awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS);
    }

    /** Closes all connections, too. */
    @Override
    public void close() {
        stopAccepting();
        connections.close().awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS);
    }
}
