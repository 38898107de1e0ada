package io.tidemark.shim.compute;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.SqlState;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.WalSenderMessage;
import io.tidemark.wire.server.PgServer;
import io.tidemark.wire.server.PgServerConfig;
import io.tidemark.wire.server.PgServerConnection;
import io.tidemark.wire.server.PgSession;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecordScanner;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.WalPushVersion;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A safekeeper for one timeline, in memory, that misbehaves on request. All its state belongs to its one event loop; the methods may
 * be called from any thread. Judges no more than a well-behaved proposer needs.
 */
@SuppressWarnings("FutureReturnValueIgnored")
final class FakeSafekeeper implements AutoCloseable {
    private static final Pattern START_REPLICATION =
            Pattern.compile("START_REPLICATION PHYSICAL (\\S+)(?: \\(term='(\\d+)'\\))?");
    private static final int CHUNK = 128 << 10;

    private NodeId id;
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final List<Push> pushes = new ArrayList<>();
    private final List<Channel> channels = new ArrayList<>();
    private int port;
    private @Nullable Channel listening;

    private Term term = Term.ZERO;
    private TermHistory history = TermHistory.EMPTY;
    private SystemId systemId = SystemId.UNKNOWN;
    private Lsn walStart = Lsn.INVALID;
    private ByteArrayOutputStream wal = new ByteArrayOutputStream();
    private @Nullable WalRecordScanner scanner;
    private Lsn commitLsn = Lsn.INVALID;
    private boolean silent;
    private boolean deaf;
    private long servedBytes;

    FakeSafekeeper(long id) {
        this.id = new NodeId(id);
        start();
    }

    void start() {
        Channel bound = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channels.add(channel);
                        PgServer.install(
                                channel,
                                PgServerConfig.DEFAULT,
                                null,
                                (connection, startup) -> new Session(connection));
                    }
                })
                .bind("127.0.0.1", port)
                .syncUninterruptibly()
                .channel();
        port = ((InetSocketAddress) bound.localAddress()).getPort();
        listening = bound;
    }

    /** Goes away with everything it has connected; its state stays. */
    void stop() {
        if (listening != null) {
            listening.close().syncUninterruptibly();
            listening = null;
        }
        run(() -> {
            List.copyOf(channels).forEach(Channel::close);
            channels.clear();
            pushes.clear();
        });
    }

    SafekeeperAddress address() {
        return new SafekeeperAddress("127.0.0.1", port);
    }

    /** Takes WAL and doesn't acknowledge it; when it speaks again it makes up for it. */
    void setSilent(boolean on) {
        run(() -> {
            silent = on;
            if (!on) {
                pushes.forEach(Push::respond);
            }
        });
    }

    /** Leaves its sockets unread, present and future. */
    void setDeaf(boolean on) {
        run(() -> {
            deaf = on;
            pushes.forEach(push -> push.connection.channel().config().setAutoRead(!on));
        });
    }

    /** As if another proposer had campaigned here. */
    void raiseTerm(Term higher) {
        run(() -> term = term.max(higher));
    }

    /** The same, and nobody who is connected hears of it. */
    void raiseTermSilently(Term higher) {
        run(() -> {
            term = term.max(higher);
            silent = true;
        });
    }

    void pretendNodeId(NodeId other) {
        run(() -> id = other);
    }

    void pretendCommitLsn(Lsn other) {
        run(() -> commitLsn = other);
    }

    Term term() {
        return call(() -> term);
    }

    Lsn flushLsn() {
        return call(this::flushed);
    }

    Lsn commitLsn() {
        return call(() -> commitLsn);
    }

    TermHistory history() {
        return call(() -> history);
    }

    /** WAL bytes given to readers by START_REPLICATION. */
    long servedBytes() {
        return call(() -> servedBytes);
    }

    /** WAL from {@link #walStart} to flush_lsn. */
    byte[] walBytes() {
        return call(() -> Arrays.copyOf(wal.toByteArray(), (int) flushed().minus(walStart)));
    }

    Lsn walStart() {
        return call(() -> walStart);
    }

    /** Damages one byte of its WAL. */
    void flipByteAt(Lsn lsn) {
        run(() -> {
            byte[] bytes = wal.toByteArray();
            bytes[(int) lsn.minus(walStart)] ^= 1;
            wal.reset();
            wal.writeBytes(bytes);
        });
    }

    void pretendSystemId(SystemId other) {
        run(() -> systemId = other);
    }

    private Lsn flushed() {
        return scanner == null ? Lsn.INVALID : scanner.lastRecordEnd();
    }

    private void run(Runnable task) {
        group.next().submit(task).syncUninterruptibly();
    }

    private <T> T call(java.util.concurrent.Callable<T> task) {
        return group.next().submit(task).syncUninterruptibly().getNow();
    }

    @Override
    public void close() {
        stop();
        group.shutdownGracefully(0, 1, java.util.concurrent.TimeUnit.SECONDS).syncUninterruptibly();
    }

    private final class Session implements PgSession {
        private final PgServerConnection connection;

        Session(PgServerConnection connection) {
            this.connection = connection;
        }

        @Override
        public void onCommand(String sql) {
            Matcher read = START_REPLICATION.matcher(sql);
            if (sql.startsWith("START_WAL_PUSH")) {
                Push push = new Push(connection, sql.contains("'2'") ? WalPushVersion.V2 : WalPushVersion.V3);
                pushes.add(push);
                connection.channel().config().setAutoRead(!deaf);
                connection.startCopyBoth(push);
            } else if (sql.equals("IDENTIFY_SYSTEM") && walStart.isValid()) {
                connection.complete(
                        TextTable.ofText("systemid", "timeline", "xlogpos", "dbname")
                                .row(systemId, 1, commitLsn, null)
                                .build(),
                        "IDENTIFY_SYSTEM");
            } else if (read.lookingAt()) {
                serve(Lsn.parse(read.group(1)), read.group(2));
            } else {
                connection.fail(ErrorFields.error(SqlState.INTERNAL_ERROR, "unsupported command " + sql));
            }
        }

        private void serve(Lsn from, @Nullable String requestedTerm) {
            Lsn end = requestedTerm == null ? commitLsn : flushed();
            if (requestedTerm != null && Long.parseUnsignedLong(requestedTerm) != term.value()) {
                connection.fail(ErrorFields.error(SqlState.INTERNAL_ERROR, "term changed"));
                return;
            }
            connection.startCopyBoth(new CopyHandler() {
                @Override
                public void onCopyData(ByteBuf data) {}

                @Override
                public void onCopyEnd(CopyEnd why) {
                    connection.close();
                }
            });
            byte[] bytes = wal.toByteArray();
            for (Lsn at = from; at.isBefore(end); at = at.plus(CHUNK).min(end)) {
                int length = (int) Math.min(CHUNK, end.minus(at));
                ByteBuf part = Unpooled.wrappedBuffer(bytes, (int) at.minus(walStart), length);
                WalSenderMessage message = new WalSenderMessage.XLogData(at, end, 0, part);
                connection
                        .channel()
                        .writeAndFlush(CopyFrames.frame(connection.channel().alloc(), length, message::encode));
                servedBytes += length;
            }
        }
    }

    private final class Push implements CopyHandler {
        private final PgServerConnection connection;
        private final WalPushVersion version;
        private boolean dirty;

        Push(PgServerConnection connection, WalPushVersion version) {
            this.connection = connection;
            this.version = version;
        }

        @Override
        public void onCopyData(ByteBuf data) {
            switch (ProposerMessage.decode(version, data)) {
                case ProposerMessage.ProposerGreeting greeting -> {
                    systemId = greeting.systemId().isKnown() ? greeting.systemId() : systemId;
                    send(new AcceptorMessage.AcceptorGreeting(id, MembershipConfig.NONE, term));
                }
                case ProposerMessage.VoteRequest vote -> {
                    boolean given = term.isBefore(vote.term());
                    term = term.max(vote.term());
                    send(new AcceptorMessage.VoteResponse(
                            0, term, given, flushed(), commitLsn, history.upTo(flushed())));
                }
                case ProposerMessage.ProposerElected elected -> elected(elected);
                case ProposerMessage.AppendRequest append -> {
                    try {
                        append(append);
                    } finally {
                        append.wal().release();
                    }
                }
            }
        }

        private void elected(ProposerMessage.ProposerElected elected) {
            if (!term.equals(elected.term())) {
                return;
            }
            Lsn start = elected.startStreamingAt();
            if (!walStart.isValid()) {
                walStart = start;
            }
            byte[] kept = Arrays.copyOf(wal.toByteArray(), (int) start.minus(walStart));
            wal = new ByteArrayOutputStream();
            wal.writeBytes(kept);
            scanner = WalRecordScanner.startingAt(start, 0, 16 << 20);
            history = elected.termHistory();
        }

        private void append(ProposerMessage.AppendRequest append) {
            if (append.term().isBefore(term)) {
                if (silent) {
                    return;
                }
                send(new AcceptorMessage.AppendResponse(
                        0, term, Lsn.INVALID, Lsn.INVALID, HotStandbyFeedback.NONE, null));
                return;
            }
            WalRecordScanner records = scanner;
            if (append.wal().isReadable() && records != null) {
                if (!append.beginLsn().equals(walStart.plus(wal.size()))) {
                    throw new IllegalStateException(
                            "gap: " + append.beginLsn() + " after " + walStart.plus(wal.size()));
                }
                try {
                    records.feed(append.wal());
                } catch (InvalidWalException e) {
                    throw new IllegalStateException(e);
                }
                byte[] bytes = new byte[append.wal().readableBytes()];
                append.wal().getBytes(append.wal().readerIndex(), bytes);
                wal.writeBytes(bytes);
            }
            commitLsn = commitLsn.max(append.commitLsn()).min(flushed());
            dirty = true;
        }

        @Override
        public void onReadComplete() {
            if (dirty && !silent) {
                respond();
            }
        }

        void respond() {
            dirty = false;
            send(new AcceptorMessage.AppendResponse(0, term, flushed(), commitLsn, HotStandbyFeedback.NONE, null));
        }

        private void send(AcceptorMessage message) {
            connection
                    .channel()
                    .writeAndFlush(
                            CopyFrames.frame(connection.channel().alloc(), 128, out -> message.encode(version, out)));
        }

        @Override
        public void onCopyEnd(CopyEnd end) {
            pushes.remove(this);
            connection.close();
        }
    }
}
