package io.tidemark.pageserver.receiver;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.wire.frame.Column;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.SqlState;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.server.PgServer;
import io.tidemark.wire.server.PgServerConfig;
import io.tidemark.wire.server.PgServerConnection;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicInteger;

/** A safekeeper that has a timeline or has not, and no WAL of it. */
final class FakeSafekeeper implements AutoCloseable {
    /** Of the cluster whose WAL it says it has. */
    static final SystemId SYSTEM_ID = SystemId.of(42);

    private final Channel listener;
    private final AtomicInteger questions = new AtomicInteger();
    private final AtomicInteger streams = new AtomicInteger();
    volatile boolean hasTimeline;

    FakeSafekeeper(EventLoops loops) {
        listener = new ServerBootstrap()
                .group(loops.group())
                .channel(loops.serverChannel())
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        PgServer.install(
                                channel,
                                PgServerConfig.DEFAULT,
                                null,
                                (connection, _) -> sql -> answer(connection, sql));
                    }
                })
                .bind("127.0.0.1", 0)
                .syncUninterruptibly()
                .channel();
    }

    HostPort address() {
        return new HostPort("127.0.0.1", ((InetSocketAddress) listener.localAddress()).getPort());
    }

    /** How often it was asked how far it is. */
    int questions() {
        return questions.get();
    }

    /** How many streams were started. */
    int streams() {
        return streams.get();
    }

    private void answer(PgServerConnection connection, String sql) {
        boolean streaming = sql.startsWith("START_REPLICATION");
        (streaming ? streams : questions).incrementAndGet();
        if (!hasTimeline) {
            connection.fail(ErrorFields.error(SqlState.INTERNAL_ERROR, "Timeline 1/2 was not found in global map"));
        } else if (streaming) {
            connection.startCopyBoth(new Deaf());
        } else {
            connection.complete(
                    TextTable.of(
                                    Column.text("systemid"),
                                    Column.int4("timeline"),
                                    Column.text("xlogpos"),
                                    Column.text("dbname"))
                            .row(SYSTEM_ID, 1, Lsn.of(0x1000), null)
                            .build(),
                    "IDENTIFY_SYSTEM");
        }
    }

    private static final class Deaf implements CopyHandler {
        @Override
        public void onCopyData(ByteBuf data) {}

        @Override
        public void onCopyEnd(CopyEnd end) {}
    }

    @Override
    public void close() {
        listener.close().syncUninterruptibly();
    }
}
