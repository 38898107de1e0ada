package io.tidemark.runtime.net;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A server's event loops: epoll where it is present, Java's selectors elsewhere.
 *
 * <p>A server whose connections have to wait for a disk gives them loops of their own: as long as there are enough, each connection is
 * alone on its loop, and nobody waits with it. Beyond that they share the loops with the fewest. A loop starts its thread with its
 * first connection.
 */
public final class EventLoops implements AutoCloseable {
    private static final int MAX_THREADS = 4;

    private final EventLoopGroup group;
    private final @Nullable OwnLoops own;

    /** {@code name} is the beginning of the threads' names. */
    public EventLoops(String name) {
        this(name, 0);
    }

    private EventLoops(String name, int ownLoops) {
        int threads = Math.min(MAX_THREADS, Math.max(2, Runtime.getRuntime().availableProcessors()));
        group = new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory(name, true), io());
        own = ownLoops == 0 ? null : new OwnLoops(name + "-own", ownLoops);
    }

    /** With so many more loops for the connections of a {@link TcpEdge}. */
    public static EventLoops withOwnLoops(String name, int ownLoops) {
        return new EventLoops(name, ownLoops);
    }

    static IoHandlerFactory io() {
        return Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    }

    public EventLoopGroup group() {
        return group;
    }

    /** The loops of accepted connections; {@link #left} has to be told when one of them has closed. */
    EventLoopGroup connectionGroup() {
        return own == null ? group : own.group();
    }

    void left(Channel accepted) {
        if (own != null) {
            own.left(accepted);
        }
    }

    /** Whether an accepted connection has its loop to itself at the moment, so that it may wait there. */
    public boolean isAlone(Channel accepted) {
        return own != null && own.isAlone(accepted);
    }

    /** The class of listening channels that these loops can serve. */
    public Class<? extends ServerChannel> serverChannel() {
        return Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    }

    /** The class of connecting channels that these loops can serve. */
    public Class<? extends Channel> clientChannel() {
        return Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class;
    }

    /** Stops the threads; waits for them up to ten seconds each. */
    @Override
    public void close() {
        stop(group);
        if (own != null) {
            stop(own.group());
        }
    }

    private static void stop(EventLoopGroup loops) {
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly(10, TimeUnit.SECONDS);
    }
}
