package io.tidemark.shim.libpq;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.replication.WalSenderMessage;
import io.tidemark.wire.server.PgServer;
import io.tidemark.wire.server.PgServerConfig;
import io.tidemark.wire.server.PgServerConnection;
import io.tidemark.wire.server.PgSession;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

/** A server that lets everybody in and then does what a test says, mostly nothing. */
public final class ScriptedServer implements AutoCloseable {
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final int port;

    /** Called on the server's event loop. */
    @FunctionalInterface
    public interface Script {
        void onCommand(PgServerConnection connection, String sql);
    }

    public ScriptedServer(Script script) {
        Channel bound = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        PgServer.install(
                                channel, PgServerConfig.DEFAULT, null, (connection, startup) -> new PgSession() {
                                    @Override
                                    public void onCommand(String sql) {
                                        script.onCommand(connection, sql);
                                    }
                                });
                    }
                })
                .bind("127.0.0.1", 0)
                .syncUninterruptibly()
                .channel();
        port = ((InetSocketAddress) bound.localAddress()).getPort();
    }

    public PgClientConfig address() {
        return PgClientConfig.of("127.0.0.1", port, "nobody");
    }

    /** Sends a message of a walsender. */
    public static void send(PgServerConnection connection, WalSenderMessage message) {
        connection.writeAndFlush(CopyFrames.frame(connection.channel().alloc(), 64, message::encode));
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
