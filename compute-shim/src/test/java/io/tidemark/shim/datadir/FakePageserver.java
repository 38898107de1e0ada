package io.tidemark.shim.datadir;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.SqlState;
import io.tidemark.wire.server.PgServer;
import io.tidemark.wire.server.PgServerConfig;
import io.tidemark.wire.server.PgServerConnection;
import java.net.InetSocketAddress;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A pageserver that answers every command by sending some bytes as COPY, and then ends it in one of several ways. */
final class FakePageserver implements AutoCloseable {
    /** How a COPY ends. */
    enum Ending {
        DONE,
        ERROR,
        CLOSE,
        REFUSED,
        NEVER
    }

    private static final int CHUNK_BYTES = 1000;

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final BlockingQueue<String> commands = new LinkedBlockingQueue<>();
    private final Channel listening;

    FakePageserver(byte[] bytes, Ending ending) {
        listening = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        PgServer.install(channel, PgServerConfig.DEFAULT, null, (connection, startup) -> sql -> {
                            commands.add(sql);
                            answer(connection, bytes, ending);
                        });
                    }
                })
                .bind("127.0.0.1", 0)
                .syncUninterruptibly()
                .channel();
    }

    private static void answer(PgServerConnection connection, byte[] bytes, Ending ending) {
        if (ending == Ending.REFUSED) {
            connection.fail(ErrorFields.error(SqlState.INTERNAL_ERROR, "invalid basebackup lsn"));
            return;
        }
        connection.startCopyOut(new CopyHandler() {
            @Override
            public void onCopyData(ByteBuf data) {}

            @Override
            public void onCopyEnd(CopyEnd end) {}
        });
        for (int at = 0; at < bytes.length; at += CHUNK_BYTES) {
            int from = at;
            int n = Math.min(CHUNK_BYTES, bytes.length - at);
            connection.write(CopyFrames.frame(connection.channel().alloc(), n, out -> out.writeBytes(bytes, from, n)));
        }
        connection.flush();
        switch (ending) {
            case DONE -> connection.finishCopy("SELECT 1");
            case ERROR -> connection.fail(ErrorFields.error(SqlState.INTERNAL_ERROR, "a page is damaged"));
            case CLOSE -> connection.close();
            case NEVER, REFUSED -> {}
        }
    }

    int port() {
        return ((InetSocketAddress) listening.localAddress()).getPort();
    }

    /** The next command that came. */
    String command() throws InterruptedException {
        return String.valueOf(commands.poll(10, TimeUnit.SECONDS));
    }

    @Override
    public void close() {
        listening.close().syncUninterruptibly();
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
