package io.tidemark.shim.libpq;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.tidemark.wire.client.PgClient;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.InvalidMessageException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection that runs one command in COPY mode, from the attempt to connect to its end. Opened, used and told on one event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, and that is where it is noticed
public final class CopyStream {
    // Up to here a payload is copied behind its header: one small write is cheaper than two.
    private static final int COPIED_BYTES = 8 << 10;

    /** What happens to it; nothing is told after {@link CopyStream#close}. */
    public interface Handler {
        /** The server has accepted the command. */
        void opened();

        /** One CopyData; {@code message} stays the stream's, who keeps a part retains it. */
        void received(ByteBuf message);

        /** All that one read of the socket brought has been told. */
        void readComplete();

        /** The peer took enough of what was written, or too little. */
        void writabilityChanged(boolean writable);

        /** It is over, or never came to be. Told once, last. */
        void closed(Ending ending);
    }

    private static final Logger log = LoggerFactory.getLogger(CopyStream.class);

    private final EventLoop loop;
    private final String command;
    private final Handler handler;
    private @Nullable PgConnection connection;
    private @Nullable Channel channel;
    private boolean reading = true;
    private boolean over;

    private CopyStream(EventLoop loop, String command, Handler handler) {
        this.loop = loop;
        this.command = command;
        this.handler = handler;
    }

    /** Begins to connect; the handler hears of the outcome later, not within this call. */
    public static CopyStream open(EventLoop loop, PgClientConfig server, String command, Handler handler) {
        CopyStream stream = new CopyStream(loop, command, handler);
        loop.execute(() -> stream.connect(server));
        return stream;
    }

    private void connect(PgClientConfig server) {
        if (over) {
            return;
        }
        var _ = PgClient.connect(Sockets.bootstrap(loop), server).whenComplete((connected, error) -> {
            if (error != null) {
                end(Ending.of(error));
            } else {
                begin(connected);
            }
        });
    }

    private void begin(PgConnection connected) {
        if (over) {
            connected.close();
            return;
        }
        connection = connected;
        channel = connected.channel();
        channel.config().setAutoRead(reading);
        var _ = connected.copy(command, new Inbound()).whenComplete((started, error) -> {
            if (error != null) {
                end(Ending.of(error));
            } else if (!over) {
                handler.opened();
            }
        });
    }

    private void end(Ending ending) {
        if (!over) {
            close();
            handler.closed(ending);
        }
    }

    /** Whether what was written and not yet taken is below its limit. Never before {@link Handler#opened}. */
    public boolean isWritable() {
        return channel != null && channel.isWritable();
    }

    /** Writes one CopyData whose bytes {@code message} appends; goes out with the next {@link #flush}. */
    public void write(int sizeHintBytes, Consumer<ByteBuf> message) {
        if (channel != null) {
            channel.write(CopyFrames.frame(channel.alloc(), sizeHintBytes, message), channel.voidPromise());
        }
    }

    /** Writes one CopyData that ends in {@code payload}, without copying it when it is large. Takes the reference. */
    public void write(int headerBytes, Consumer<ByteBuf> header, ByteBuf payload) {
        if (channel == null) {
            payload.release();
        } else if (payload.readableBytes() <= COPIED_BYTES) {
            int bytes = headerBytes + payload.readableBytes();
            write(bytes, out -> {
                header.accept(out);
                out.writeBytes(payload, payload.readerIndex(), payload.readableBytes());
            });
            payload.release();
        } else {
            channel.write(
                    CopyFrames.head(channel.alloc(), headerBytes, header, payload.readableBytes()),
                    channel.voidPromise());
            channel.write(payload, channel.voidPromise());
        }
    }

    public void flush() {
        if (channel != null) {
            channel.flush();
        }
    }

    /** Stops or resumes taking bytes from the socket; what was taken already is still told. */
    public void setReading(boolean on) {
        reading = on;
        if (channel != null) {
            channel.config().setAutoRead(on);
        }
    }

    /** Ends it at once; with a goodbye when the peer reads. */
    public void close() {
        over = true;
        if (connection != null && channel != null) {
            if (channel.isWritable()) {
                connection.close();
            } else {
                channel.close();
            }
        }
    }

    private final class Inbound implements CopyHandler {
        @Override
        public void onCopyData(ByteBuf data) {
            if (!over) {
                handler.received(data);
            }
        }

        @Override
        public void onReadComplete() {
            if (!over) {
                handler.readComplete();
            }
        }

        @Override
        public void onWritabilityChanged(boolean writable) {
            if (!over) {
                handler.writabilityChanged(writable);
            }
        }

        @Override
        public void onCopyEnd(CopyEnd end) {
            if (end instanceof CopyEnd.Lost(Throwable cause)
                    && cause instanceof RuntimeException mistake
                    && !(mistake instanceof InvalidMessageException)) {
                // Not the peer's fault: a handler threw. The connection is opened anew, but somebody has to look at
                // this.
                log.error("a handler of '{}' failed", command, mistake);
            }
            CopyStream.this.end(Ending.of(end));
        }
    }
}
