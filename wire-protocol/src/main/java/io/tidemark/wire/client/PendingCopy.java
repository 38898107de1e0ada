package io.tidemark.wire.client;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.tidemark.wire.frame.BackendMessage;
import io.tidemark.wire.frame.BackendMessage.CopyResponse;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.CopyMessage.CopyData;
import io.tidemark.wire.frame.CopyMessage.CopyDone;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.InvalidMessageException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A command that answers with COPY.
 *
 * <pre>
 * STARTING --CopyResponse--> RUNNING --CopyDone, ErrorResponse--> ENDING --ReadyForQuery--> (done)
 * STARTING --ReadyForQuery--> (done): refused, or it had nothing to copy
 * </pre>
 */
final class PendingCopy implements PendingCommand {
    private enum Phase {
        STARTING,
        RUNNING,
        ENDING
    }

    private final Channel channel;
    private final CopyHandler handler;
    private final CompletableFuture<Void> started = new CompletableFuture<>();
    private Phase phase = Phase.STARTING;
    private boolean clientSends;
    private @Nullable ErrorFields error;

    PendingCopy(Channel channel, CopyHandler handler) {
        this.channel = channel;
        this.handler = handler;
    }

    CompletableFuture<Void> started() {
        return started;
    }

    @Override
    public boolean on(BackendMessage message) {
        // First what is frequent.
        if (message instanceof CopyData data && phase == Phase.RUNNING) {
            handler.onCopyData(data.data());
            return false;
        }
        switch (message) {
            case CopyResponse response
            when phase == Phase.STARTING -> {
                if (response.direction() == CopyResponse.Direction.IN) {
                    throw new InvalidMessageException("the server wants to COPY in");
                }
                clientSends = response.direction() == CopyResponse.Direction.BOTH;
                phase = Phase.RUNNING;
                started.complete(null);
            }
            case CopyDone done
            when phase == Phase.RUNNING -> {
                sendCopyDone();
                end(new CopyEnd.Done());
            }
            case BackendMessage.ErrorResponse response -> {
                error = response.fields();
                if (phase == Phase.RUNNING) {
                    end(new CopyEnd.ServerFailed(response.fields()));
                }
            }
            case BackendMessage.RowDescription description -> {}
            case BackendMessage.DataRow row -> handler.onRow(row.values());
            case BackendMessage.CommandComplete complete -> {}
            case BackendMessage.ReadyForQuery ready -> {
                return true;
            }
            default ->
                throw new InvalidMessageException("unexpected in answer to a COPY command: "
                        + message.getClass().getSimpleName());
        }
        return false;
    }

    private void end(CopyEnd end) {
        phase = Phase.ENDING;
        clientSends = false;
        handler.onCopyEnd(end);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, and that is where it is noticed
    void sendCopyDone() {
        if (clientSends) {
            clientSends = false;
            ByteBuf out = channel.alloc().buffer(8);
            new CopyDone().encode(out);
            channel.writeAndFlush(out, channel.voidPromise());
        }
    }

    @Override
    public void complete() {
        if (phase == Phase.STARTING) {
            started.completeExceptionally(
                    error == null
                            ? new InvalidMessageException("the command ended without COPY")
                            : new PgServerException(error));
        } else if (phase == Phase.RUNNING) {
            CopyEnd end = new CopyEnd.Lost(new InvalidMessageException("COPY ended without CopyDone"));
            end(end);
            handler.onCommandEnd(end);
        } else {
            handler.onCommandEnd(error == null ? new CopyEnd.Done() : new CopyEnd.ServerFailed(error));
        }
    }

    @Override
    public void lost(Throwable cause) {
        if (phase == Phase.STARTING) {
            started.completeExceptionally(error == null ? cause : new PgServerException(error));
            return;
        }
        CopyEnd end = error == null ? new CopyEnd.Lost(cause) : new CopyEnd.ServerFailed(error);
        if (phase == Phase.RUNNING) {
            end(new CopyEnd.Lost(cause));
        }
        handler.onCommandEnd(end);
    }

    @Override
    public boolean holdsConnection() {
        return phase != Phase.ENDING;
    }

    @Override
    public void onReadComplete() {
        if (phase == Phase.RUNNING) {
            handler.onReadComplete();
        }
    }

    @Override
    public void onWritabilityChanged(boolean writable) {
        if (phase == Phase.RUNNING) {
            handler.onWritabilityChanged(writable);
        }
    }
}
