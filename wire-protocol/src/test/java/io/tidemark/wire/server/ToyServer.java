package io.tidemark.wire.server;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.tidemark.wire.frame.Column;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.InitialPacket.StartupMessage;
import io.tidemark.wire.frame.SqlState;
import io.tidemark.wire.frame.TextTable;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A server that knows a few commands, on an ephemeral loopback port: {@code echo} (CopyBoth, sends back what it gets),
 * {@code startup}, {@code later} (answered from another thread), {@code fail}, {@code throw}; {@code nothing}; it shows anything else.
 */
public final class ToyServer implements AutoCloseable {
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    private final Channel listener;
    private final List<CopyEnd> copyEnds = new CopyOnWriteArrayList<>();

    public ToyServer(PgServerConfig config, @Nullable PasswordCheck passwordCheck) {
        listener = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        PgServer.install(channel, config, passwordCheck, ToyServer.this::open);
                    }
                })
                .bind("127.0.0.1", 0)
                .syncUninterruptibly()
                .channel();
    }

    public int port() {
        return ((java.net.InetSocketAddress) listener.localAddress()).getPort();
    }

    /** How the COPYs of all connections ended, as the server saw it. */
    public List<CopyEnd> copyEnds() {
        return copyEnds;
    }

    private PgSession open(PgServerConnection connection, StartupMessage startup) {
        startup.options().findTenantId();
        return sql -> onCommand(connection, startup, sql);
    }

    private void onCommand(PgServerConnection connection, StartupMessage startup, String sql) {
        switch (sql) {
            case "echo" -> connection.startCopyBoth(new Echo(connection));
            case "startup" -> {
                TextTable.Builder table = TextTable.ofText("key", "value");
                startup.parameters().forEach(table::row);
                connection.complete(table.build(), "STARTUP");
            }
            case "later" -> Thread.ofVirtual().start(() -> connection.complete("LATER"));
            case "fail" -> connection.fail(ErrorFields.error(SqlState.UNDEFINED_OBJECT, "no such thing"));
            case "throw" -> throw new IllegalStateException("outer", new IllegalArgumentException("inner"));
            case "nothing" -> connection.complete("NOTHING");
            default ->
                connection.complete(
                        TextTable.of(Column.text("question"), Column.int4("length"), Column.text("answer"))
                                .row(sql, sql.length(), null)
                                .build(),
                        "SHOW");
        }
    }

    private final class Echo implements CopyHandler {
        private final PgServerConnection connection;

        Echo(PgServerConnection connection) {
            this.connection = connection;
        }

        @Override
        public void onCopyData(ByteBuf data) {
            if (data.readableBytes() == 4 && data.getInt(data.readerIndex()) == 0xdeadbeef) {
                throw new IllegalStateException("poison");
            }
            ByteBuf head = CopyFrames.head(connection.channel().alloc(), 0, out -> {}, data.readableBytes());
            connection.write(head);
            connection.write(data.retain());
        }

        @Override
        public void onReadComplete() {
            connection.flush();
        }

        @Override
        public void onCopyEnd(CopyEnd end) {
            copyEnds.add(end);
            switch (end) {
                case CopyEnd.Done() -> connection.finishCopy("ECHO");
                case CopyEnd.ClientFailed(String reason) ->
                    connection.fail(ErrorFields.error(SqlState.SUCCESSFUL_COMPLETION, "received CopyFail"));
                case CopyEnd.ServerFailed failed -> {}
                case CopyEnd.Lost lost -> {}
            }
        }
    }

    @Override
    public void close() {
        if (group.isShutdown()) {
            return;
        }
        listener.close().syncUninterruptibly();
        group.shutdownGracefully(0, 5, java.util.concurrent.TimeUnit.SECONDS).syncUninterruptibly();
    }
}
