package io.tidemark.pageserver.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.tidemark.wire.frame.FrontendMessage;
import io.tidemark.wire.frame.InitialPacket.StartupMessage;
import io.tidemark.wire.server.PgServer;
import io.tidemark.wire.server.PgServerConfig;
import io.tidemark.wire.server.PgServerConnection;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A thread that writes more than anybody holds, and a client that takes its time. */
class CopyOutStreamTest {
    private static final int PIECE = 10_000;
    private static final int PIECES = 5_000;
    private static final int SOCKET_BUFFER = 64 << 10;

    /** Both sockets' buffers, as the kernel sees them, and what Netty holds. */
    private static final int MOST_ON_ITS_WAY = 4 << 20;

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final AtomicLong written = new AtomicLong();
    private final AtomicReference<Thread> writer = new AtomicReference<>();
    private final AtomicReference<IOException> failure = new AtomicReference<>();
    private int port;

    @BeforeEach
    void listen() {
        Channel listening = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childOption(ChannelOption.SO_SNDBUF, SOCKET_BUFFER)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        PgServer.install(
                                channel,
                                PgServerConfig.DEFAULT,
                                null,
                                (connection, startup) ->
                                        sql -> writer.set(Thread.ofPlatform().start(() -> write(connection))));
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .syncUninterruptibly()
                .channel();
        port = ((InetSocketAddress) listening.localAddress()).getPort();
    }

    @AfterEach
    void close() {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private void write(PgServerConnection connection) {
        byte[] piece = new byte[PIECE];
        try (CopyOutStream out = new CopyOutStream(connection)) {
            for (int i = 0; i < PIECES; i++) {
                out.write(piece);
                written.addAndGet(PIECE);
            }
            out.flush();
            connection.finishCopy("DONE");
        } catch (IOException e) {
            failure.set(e);
        }
    }

    /** A client that has asked, and has not read the answer. */
    private Socket ask() throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(SOCKET_BUFFER);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        ByteBuf out = Unpooled.buffer();
        new StartupMessage(StartupMessage.VERSION_3_0, Map.of("user", "slow")).encode(out);
        new FrontendMessage.Query("copy").encode(out);
        socket.getOutputStream().write(out.array(), 0, out.readableBytes());
        return socket;
    }

    private void awaitThatTheWriterWaits() {
        Awaitility.await().until(() -> {
            Thread thread = writer.get();
            return thread != null && thread.getState() == Thread.State.WAITING;
        });
        assertThat(written.get()).isPositive().isLessThan(MOST_ON_ITS_WAY);
    }

    @Test
    void aSlowClientIsWaitedForAndMissesNothing() throws Exception {
        try (Socket socket = ask()) {
            awaitThatTheWriterWaits();
            DataInputStream in = new DataInputStream(socket.getInputStream());
            StringBuilder kinds = new StringBuilder();
            long received = 0;
            while (kinds.indexOf("cCZ") < 0) {
                char type = (char) in.readUnsignedByte();
                int length = in.readInt() - 4;
                in.skipNBytes(length);
                received += type == 'd' ? length : 0;
                if (type != 'd' || kinds.charAt(kinds.length() - 1) != 'd') {
                    kinds.append(type);
                }
            }
            assertThat(received).isEqualTo((long) PIECE * PIECES);
            assertThat(kinds.toString()).endsWith("ZHdcCZ");
        }
        assertThat(failure.get()).isNull();
    }

    @Test
    void aClientThatLeavesEndsTheWriter() throws Exception {
        try (Socket socket = ask()) {
            awaitThatTheWriterWaits();
            socket.setSoLinger(true, 0);
        }
        Thread thread = Objects.requireNonNull(writer.get());
        assertThat(thread.join(Duration.ofSeconds(20))).isTrue();
        assertThat(failure.get()).hasMessage("the client has left");
    }
}
