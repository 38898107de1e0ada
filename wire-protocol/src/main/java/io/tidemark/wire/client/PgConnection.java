package io.tidemark.wire.client;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;
import io.netty.util.ReferenceCountUtil;
import io.tidemark.wire.frame.BackendMessage;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.FrontendMessage;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.LastWords;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A connection that is authenticated: one command after the other, by simple query, with rows or with COPY as its answer.
 *
 * <p>The state belongs to the channel's event loop; the methods may be called from any thread. Futures are completed on the
 * event loop: what is chained to them must not block.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, and that is where it is noticed
public final class PgConnection extends ChannelInboundHandlerAdapter {
    /** More run-time parameters than this are not remembered. */
    static final int MAX_PARAMETERS = 100;

    private final Channel channel;
    private final Map<String, String> serverParameters;
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    /** Commands that wait for the one before; a caller that hurries more than this is refused. */
    static final int MAX_QUEUED_COMMANDS = 16;

    /** What the server is working on; null when it is ready for a command. */
    private @Nullable PendingCommand pending;

    private final Queue<QueuedCommand> queued = new ArrayDeque<>();

    private @Nullable Throwable closeCause;

    PgConnection(Channel channel, Map<String, String> serverParameters) {
        this.channel = channel;
        this.serverParameters = new ConcurrentHashMap<>(serverParameters);
    }

    /** For back-pressure, addresses and the allocator. */
    public Channel channel() {
        return channel;
    }

    /** Hands a frame ({@link io.tidemark.wire.frame.CopyFrames}) to the channel, which releases it; see {@link #flush}. */
    public void write(ByteBuf frame) {
        channel.write(frame, channel.voidPromise());
    }

    /** As {@link #write}, and sends it and everything before it. */
    public void writeAndFlush(ByteBuf frame) {
        channel.writeAndFlush(frame, channel.voidPromise());
    }

    /** Sends what has been written. */
    public void flush() {
        channel.flush();
    }

    /** A run-time parameter the server has reported, such as {@code server_version}; null when it has not. */
    public @Nullable String serverParameter(String name) {
        return serverParameters.get(name);
    }

    /** Completes when the connection is gone: normally when either side simply left, else with the cause. */
    public CompletableFuture<Void> closed() {
        return closed.copy();
    }

    /**
     * Runs a query.
     *
     * @return the result, or {@link PgServerException} when the server refuses (the connection stays usable unless the error
     *     was fatal), or why the connection is gone
     */
    public CompletableFuture<QueryResult> query(String sql) {
        PendingQuery query = new PendingQuery();
        start(sql, query);
        return query.result();
    }

    /**
     * Runs a command that answers with COPY, out of the server or both ways.
     *
     * @param handler hears what the server sends, on the event loop
     * @return completes when COPY has begun, before the handler hears anything; fails like {@link #query}, and then the
     *     handler hears nothing at all
     */
    public CompletableFuture<Void> copy(String sql, CopyHandler handler) {
        PendingCopy copy = new PendingCopy(channel, handler);
        start(sql, copy);
        return copy.started();
    }

    private void start(String sql, PendingCommand command) {
        onEventLoop(() -> {
            if (closed.isDone()) {
                command.lost(closeCause == null ? new IOException("the connection is closed") : closeCause);
            } else if (pending == null) {
                run(sql, command);
            } else if (pending.holdsConnection() || queued.size() >= MAX_QUEUED_COMMANDS) {
                command.lost(new IllegalStateException("a COPY, or too many commands, are running on this connection"));
            } else {
                queued.add(new QueuedCommand(sql, command));
            }
        });
    }

    private void run(String sql, PendingCommand command) {
        pending = command;
        send(new FrontendMessage.Query(sql));
    }

    private record QueuedCommand(String sql, PendingCommand command) {}

    /** Tells the server that nothing more comes from this side of a COPY; the server ends it then. */
    public void endCopy() {
        onEventLoop(() -> {
            if (pending instanceof PendingCopy copy) {
                copy.sendCopyDone();
            }
        });
    }

    /** Says goodbye and closes once everything written so far has been sent. */
    public void close() {
        onEventLoop(() -> {
            if (channel.isActive()) {
                ByteBuf out = channel.alloc().buffer(8);
                new FrontendMessage.Terminate().encode(out);
                LastWords.send(channel, out);
            }
            lost(null);
        });
    }

    private void onEventLoop(Runnable action) {
        if (channel.eventLoop().inEventLoop()) {
            action.run();
        } else if (!channel.eventLoop().isShutdown()) {
            channel.eventLoop().execute(action);
        }
    }

    private void send(FrontendMessage message) {
        ByteBuf out = channel.alloc().buffer(256);
        message.encode(out);
        channel.writeAndFlush(out, channel.voidPromise());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        try {
            if (message instanceof BackendMessage backend && !closed.isDone()) {
                onMessage(backend);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void onMessage(BackendMessage message) {
        switch (message) {
            case BackendMessage.ParameterStatus status -> {
                if (serverParameters.size() < MAX_PARAMETERS || serverParameters.containsKey(status.name())) {
                    serverParameters.put(status.name(), status.value());
                }
            }
            case BackendMessage.NoticeResponse notice -> {}
            case BackendMessage.Notification notification -> {}
            case BackendMessage other
            when pending != null -> {
                if (pending.on(other)) {
                    PendingCommand done = pending;
                    pending = null;
                    QueuedCommand next = queued.poll();
                    if (next != null) {
                        run(next.sql(), next.command());
                    }
                    done.complete();
                }
            }
            case BackendMessage.ErrorResponse error -> fail(new PgServerException(error.fields()));
            case BackendMessage other ->
                throw new InvalidMessageException(
                        "unexpected between commands: " + other.getClass().getSimpleName());
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (pending != null) {
            pending.onReadComplete();
        }
        ctx.fireChannelReadComplete();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (pending != null) {
            pending.onWritabilityChanged(channel.isWritable());
        }
        ctx.fireChannelWritabilityChanged();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(cause instanceof DecoderException && cause.getCause() != null ? cause.getCause() : cause);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        lost(null);
        ctx.fireChannelInactive();
    }

    private void fail(Throwable cause) {
        lost(cause);
        channel.close();
    }

    private void lost(@Nullable Throwable cause) {
        if (closed.isDone()) {
            return;
        }
        closeCause = cause;
        PendingCommand command = pending;
        pending = null;
        Throwable reason = cause == null ? new IOException("the connection was closed") : cause;
        try {
            if (command != null) {
                command.lost(reason);
            }
            queued.forEach(waiting -> waiting.command().lost(reason));
            queued.clear();
        } finally {
            if (cause == null) {
                closed.complete(null);
            } else {
                closed.completeExceptionally(cause);
            }
        }
    }
}
