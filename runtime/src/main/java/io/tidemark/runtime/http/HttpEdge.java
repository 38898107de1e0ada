package io.tidemark.runtime.http;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Listens for HTTP. Made by {@link #bind}, until {@link #close}. */
public final class HttpEdge implements AutoCloseable {
    public static final int MAX_BODY_BYTES = 1024 * 1024;
    public static final int MAX_CONNECTIONS = 1024;

    /** Requests that are worked on at the same time; more are answered 503. */
    static final int MAX_CONCURRENT_REQUESTS = 64;

    private static final int IDLE_SECONDS = 600;

    private final Channel channel;
    private final ChannelGroup connections;

    private HttpEdge(Channel channel, ChannelGroup connections) {
        this.channel = channel;
        this.connections = connections;
    }

    /** Starts to listen; throws an {@link IOException} that names the address when that can't be done. */
    public static HttpEdge bind(
            EventLoopGroup group,
            Class<? extends ServerChannel> channelClass,
            InetSocketAddress address,
            Router router,
            HttpMetrics metrics)
            throws IOException {
        ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
        Semaphore slots = new Semaphore(MAX_CONCURRENT_REQUESTS);
        var bound = new ServerBootstrap()
                .group(group)
                .channel(channelClass)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel connection) {
                        if (connections.size() >= MAX_CONNECTIONS) {
                            metrics.refused("HTTP_TOO_MANY_CONNECTIONS");
                            var _ = connection.close();
                            return;
                        }
                        connections.add(connection);
                        connection
                                .pipeline()
                                .addLast(new IdleStateHandler(0, 0, IDLE_SECONDS))
                                .addLast(new HttpServerCodec())
                                .addLast(new HttpObjectAggregator(MAX_BODY_BYTES))
                                .addLast(new HttpSessionHandler(router, slots, metrics));
                    }
                })
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException("can't listen for HTTP on " + address, bound.cause());
        }
        return new HttpEdge(bound.channel(), connections);
    }

    /** Where it listens, with the port that was found when 0 was asked for. */
    public InetSocketAddress address() {
        return (InetSocketAddress) channel.localAddress();
    }

    /** Accepts nobody any more and closes all connections. */
    @Override
    public void close() {
        channel.close().awaitUninterruptibly(5, TimeUnit.SECONDS);
        connections.close().awaitUninterruptibly(5, TimeUnit.SECONDS);
    }
}
