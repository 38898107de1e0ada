package io.tidemark.wire.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;
import io.netty.util.ReferenceCountUtil;
import io.tidemark.wire.frame.BackendMessage;
import io.tidemark.wire.frame.BackendMessage.CommandComplete;
import io.tidemark.wire.frame.BackendMessage.CopyResponse;
import io.tidemark.wire.frame.BackendMessage.DataRow;
import io.tidemark.wire.frame.BackendMessage.ErrorResponse;
import io.tidemark.wire.frame.BackendMessage.Marker;
import io.tidemark.wire.frame.BackendMessage.ReadyForQuery;
import io.tidemark.wire.frame.BackendMessage.RowDescription;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.CopyMessage;
import io.tidemark.wire.frame.CopyMessage.CopyData;
import io.tidemark.wire.frame.CopyMessage.CopyDone;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.FrontendMessage;
import io.tidemark.wire.frame.FrontendMessage.CopyFail;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.LastWords;
import io.tidemark.wire.frame.SqlState;
import io.tidemark.wire.frame.TextTable;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * A client that has been let in: takes its commands one after the other, hands them to the {@link PgSession}, and sends what
 * the session answers.
 *
 * <pre>
 * IDLE --command--> BUSY --complete, fail--> IDLE
 *                   BUSY --startCopyOut--> BUSY
 *                   BUSY --startCopyBoth--> COPY --client's CopyDone--> BUSY --finishCopy--> IDLE
 * any --close, peer gone--> CLOSED
 * </pre>
 *
 * <p>The state belongs to the event loop. The methods that answer may be called from any thread and take effect in the order
 * of the calls of one thread; in a state where they make no sense (the client has left, say) they do nothing.
 */
public final class PgServerConnection extends ChannelInboundHandlerAdapter {
    /** More messages than this while a command runs are a protocol violation. */
    static final int MAX_WAITING_MESSAGES = 1024;

    private enum State {
        IDLE,
        BUSY,
        COPY,
        CLOSED
    }

    private final Channel channel;
    private final ExtendedQuery extended = new ExtendedQuery();
    private final Queue<FrontendMessage> waiting = new ArrayDeque<>();
    private @Nullable PgSession session;
    private @Nullable CopyHandler copy;
    private State state = State.IDLE;
    private boolean copyDoneSent;
    private boolean replaying;
    private @Nullable Throwable closeCause;

    PgServerConnection(Channel channel) {
        this.channel = channel;
    }

    void open(PgSession opened) {
        session = opened;
    }

    /** For back-pressure, addresses and the allocator. */
    public Channel channel() {
        return channel;
    }

    /** Hands a frame ({@link io.tidemark.wire.frame.CopyFrames}) to the channel, which releases it; see {@link #flush}. */
    @SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, and that is where it is noticed
    public void write(ByteBuf frame) {
        channel.write(frame, channel.voidPromise());
    }

    /** As {@link #write}, and sends it and everything before it. */
    @SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, and that is where it is noticed
    public void writeAndFlush(ByteBuf frame) {
        channel.writeAndFlush(frame, channel.voidPromise());
    }

    /** Sends what has been written. */
    public void flush() {
        channel.flush();
    }

    /** Answers the running command with a result. */
    public void complete(TextTable table, String tag) {
        onEventLoop(() -> {
            if (state != State.BUSY) {
                return;
            }
            ByteBuf out = channel.alloc().buffer();
            if (extended.takesDescription()) {
                (table.columns().isEmpty() ? Marker.NO_DATA : new RowDescription(table.columns())).encode(out);
            } else if (!extended.isRunning() && !table.columns().isEmpty()) {
                new RowDescription(table.columns()).encode(out);
            }
            for (List<@Nullable String> row : table.rows()) {
                new DataRow(row).encode(out);
            }
            new CommandComplete(tag).encode(out);
            commandEnds(out);
        });
    }

    /** Answers the running command without a result. */
    public void complete(String tag) {
        complete(TextTable.EMPTY, tag);
    }

    /** Answers the running command with an error; the connection stays usable. */
    public void fail(ErrorFields error) {
        onEventLoop(() -> {
            if (state == State.BUSY) {
                ByteBuf out = channel.alloc().buffer();
                new ErrorResponse(error).encode(out);
                extended.failed();
                commandEnds(out);
            }
        });
    }

    /** Answers the running command by entering COPY in both directions; {@code handler} hears what the client sends. */
    public void startCopyBoth(CopyHandler handler) {
        onEventLoop(() -> {
            if (state == State.BUSY) {
                ByteBuf out = channel.alloc().buffer(16);
                CopyResponse.BOTH.encode(out);
                writeAndFlush(out);
                copy = handler;
                copyDoneSent = false;
                state = State.COPY;
                replayWaiting();
            } else {
                handler.onCopyEnd(new CopyEnd.Lost(closeCause));
            }
        });
    }

    /**
     * Answers the running command by entering COPY out of the server: CopyData follows by {@link #write}, then {@link #finishCopy}, or
     * {@link #fail} in place of it. What the client says meanwhile waits for the end.
     *
     * @param handler hears of writability, and of a client that is lost before the end; not of an end that we bring about
     */
    public void startCopyOut(CopyHandler handler) {
        onEventLoop(() -> {
            if (state == State.BUSY) {
                ByteBuf out = channel.alloc().buffer(16);
                if (extended.takesDescription()) {
                    Marker.NO_DATA.encode(out);
                }
                CopyResponse.OUT.encode(out);
                writeAndFlush(out);
                copy = handler;
                copyDoneSent = false;
            } else {
                handler.onCopyEnd(new CopyEnd.Lost(closeCause));
            }
        });
    }

    /** Tells the client that nothing more comes; it still has to say the same. */
    public void sendCopyDone() {
        onEventLoop(() -> {
            if (!copyDoneSent && state != State.CLOSED) {
                copyDoneSent = true;
                send(new CopyDone());
            }
        });
    }

    /** Ends a COPY out of the server, or one that the client has ended: CopyDone if it is still due, then {@code tag}, then ready for a command. */
    public void finishCopy(String tag) {
        sendCopyDone();
        complete(tag);
    }

    /** Sends an error and closes, whatever is going on. */
    public void closeWith(ErrorFields error) {
        closeAfter(new ErrorResponse(error));
    }

    /** Sends CopyDone if it is still due, and closes. */
    public void closeWithCopyDone() {
        sendCopyDone();
        close();
    }

    /** Closes once everything written so far has been sent. */
    public void close() {
        onEventLoop(() -> closeAfterFlush(channel.alloc().buffer(0), null));
    }

    private void closeAfter(BackendMessage last) {
        onEventLoop(() -> {
            ByteBuf out = channel.alloc().buffer();
            last.encode(out);
            closeAfterFlush(out, null);
        });
    }

    private void closeAfterFlush(ByteBuf out, @Nullable Throwable cause) {
        if (state == State.CLOSED) {
            out.release();
            return;
        }
        LastWords.send(channel, out);
        closed(cause);
    }

    private void onEventLoop(Runnable action) {
        if (channel.eventLoop().inEventLoop()) {
            action.run();
        } else if (!channel.eventLoop().isShutdown()) {
            channel.eventLoop().execute(() -> {
                try {
                    action.run();
                } catch (RuntimeException e) {
                    broken(e);
                }
            });
        }
    }

    private void send(BackendMessage message) {
        ByteBuf out = channel.alloc().buffer(64);
        message.encode(out);
        writeAndFlush(out);
    }

    private void commandEnds(ByteBuf out) {
        copy = null;
        if (!extended.ends()) {
            ReadyForQuery.IDLE.encode(out);
        }
        writeAndFlush(out);
        state = State.IDLE;
        replayWaiting();
    }

    private void replayWaiting() {
        // A command that is answered at once comes back here: the outermost call goes on, so the stack doesn't grow.
        if (replaying) {
            return;
        }
        replaying = true;
        boolean any = false;
        try {
            while (state != State.BUSY && state != State.CLOSED && !waiting.isEmpty()) {
                handle(waiting.remove());
                any = true;
            }
        } finally {
            replaying = false;
        }
        // What waited may have come with a read that is complete since long.
        if (any && copy != null) {
            copy.onReadComplete();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (!(message instanceof FrontendMessage frontend) || state == State.CLOSED) {
            ReferenceCountUtil.release(message);
        } else if (state == State.BUSY || !waiting.isEmpty()) {
            waiting.add(frontend);
            if (waiting.size() > MAX_WAITING_MESSAGES) {
                throw new InvalidMessageException("more than " + MAX_WAITING_MESSAGES + " messages during one command");
            }
        } else {
            handle(frontend);
        }
    }

    private void handle(FrontendMessage message) {
        try {
            if (state == State.COPY) {
                onCopyMessage(message);
            } else if (message instanceof FrontendMessage.Terminate) {
                closeAfterFlush(channel.alloc().buffer(0), null);
            } else if (!extended.skips(message)) {
                onQueryMessage(message);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void onQueryMessage(FrontendMessage message) {
        switch (message) {
            case FrontendMessage.Query query -> {
                extended.simpleQuery();
                run(query.sql());
            }
            case FrontendMessage.Parse parse -> answer(extended.parse(parse));
            case FrontendMessage.Bind bind -> answer(extended.bind(bind));
            case FrontendMessage.Describe describe -> answer(extended.describe(describe));
            case FrontendMessage.Close close -> answer(extended.close());
            case FrontendMessage.Execute execute -> {
                ErrorFields problem = extended.execute(execute);
                if (problem == null) {
                    run(extended.sql());
                } else {
                    answer(List.of(new ErrorResponse(problem)));
                }
            }
            case FrontendMessage.Sync sync -> answer(extended.sync());
            case FrontendMessage.Flush flush -> channel.flush();
            // Late words of a COPY that has ended, as PostgreSQL does.
            case CopyMessage late -> {}
            case CopyFail late -> {}
            case FrontendMessage.AuthenticationResponse response ->
                throw new InvalidMessageException("a password after authentication");
            case FrontendMessage.Terminate terminate -> {}
        }
    }

    private void answer(List<? extends BackendMessage> messages) {
        ByteBuf out = channel.alloc().buffer();
        for (BackendMessage message : messages) {
            if (message instanceof ErrorResponse) {
                extended.failed();
            }
            message.encode(out);
        }
        writeAndFlush(out);
    }

    private void run(String sql) {
        state = State.BUSY;
        if (sql.isBlank()) {
            ByteBuf out = channel.alloc().buffer();
            Marker.EMPTY_QUERY_RESPONSE.encode(out);
            commandEnds(out);
        } else if (sql.toLowerCase(Locale.ROOT).startsWith("set datestyle to ")) {
            // Some client libraries say this before anything else.
            complete("SELECT 1");
        } else if (session != null) {
            try {
                session.onCommand(sql);
            } catch (RuntimeException e) {
                fail(ErrorFields.error(SqlState.INTERNAL_ERROR, causeChain(e)));
            }
        }
    }

    private void onCopyMessage(FrontendMessage message) {
        CopyHandler handler = copy;
        if (handler == null) {
            return;
        }
        switch (message) {
            case CopyData data -> handler.onCopyData(data.data());
            case CopyDone done -> copyEnds(handler, new CopyEnd.Done());
            case CopyFail fail -> copyEnds(handler, new CopyEnd.ClientFailed(fail.reason()));
            case FrontendMessage.Terminate terminate ->
                closeAfterFlush(channel.alloc().buffer(0), null);
            case FrontendMessage.Flush flush -> {}
            case FrontendMessage.Sync sync -> {}
            case FrontendMessage other ->
                throw new InvalidMessageException(
                        "not a COPY message: " + other.getClass().getSimpleName());
        }
    }

    private void copyEnds(CopyHandler handler, CopyEnd end) {
        copy = null;
        state = State.BUSY;
        handler.onCopyEnd(end);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (copy != null) {
            copy.onReadComplete();
        }
        ctx.fireChannelReadComplete();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (copy != null) {
            copy.onWritabilityChanged(channel.isWritable());
        }
        ctx.fireChannelWritabilityChanged();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable thrown) {
        broken(thrown instanceof DecoderException && thrown.getCause() != null ? thrown.getCause() : thrown);
    }

    private void broken(Throwable cause) {
        if (cause instanceof IOException) {
            closeAfterFlush(channel.alloc().buffer(0), cause);
        } else {
            ByteBuf out = channel.alloc().buffer();
            new ErrorResponse(ErrorFields.error(SqlState.INTERNAL_ERROR, causeChain(cause))).encode(out);
            closeAfterFlush(out, cause);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        closed(null);
        ctx.fireChannelInactive();
    }

    private void closed(@Nullable Throwable cause) {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        closeCause = cause;
        waiting.forEach(ReferenceCountUtil::release);
        waiting.clear();
        CopyHandler handler = copy;
        copy = null;
        try {
            if (handler != null) {
                handler.onCopyEnd(new CopyEnd.Lost(cause));
            }
        } finally {
            if (session != null) {
                session.onClosed(cause);
            }
        }
    }

    private static String causeChain(Throwable thrown) {
        StringBuilder text = new StringBuilder();
        for (Throwable t = thrown; t != null; t = t.getCause()) {
            String message = t.getMessage() == null ? t.getClass().getSimpleName() : t.getMessage();
            text.append(text.isEmpty() ? "" : ": ").append(message);
        }
        return text.toString();
    }
}
