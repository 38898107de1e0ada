package io.tidemark.shim.libpq;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;

/** Which transport: epoll where it is, else the JDK's selector. */
public final class Sockets {
    // What one peer that does not read may hold of our memory; beyond it the channel is not writable.
    private static final WriteBufferWaterMark UNSENT_LIMIT = new WriteBufferWaterMark(256 << 10, 512 << 10);

    private Sockets() {}

    public static IoHandlerFactory ioHandlerFactory() {
        return Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    }

    /** A template for connections on one event loop, which must be of {@link #ioHandlerFactory}. */
    public static Bootstrap bootstrap(EventLoop loop) {
        Class<? extends Channel> channel = Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class;
        return new Bootstrap()
                .group(loop)
                .channel(channel)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, UNSENT_LIMIT);
    }
}
