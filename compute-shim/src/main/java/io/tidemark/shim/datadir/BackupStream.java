package io.tidemark.shim.datadir;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.tidemark.wire.client.PgServerException;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What a COPY brings, as an input stream: filled on the event loop, read by one thread that may block.
 *
 * <p>Ends only when the server has said CopyDone; any other end is an error of the read that meets it. When more than
 * {@value #HIGH_BYTES} bytes wait, the socket is not read until half of them are taken.
 */
final class BackupStream extends InputStream implements CopyHandler {
    private static final int HIGH_BYTES = 4 << 20;

    /** A server that says nothing for so long is lost. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final String server;
    private final Channel channel;
    private final LongConsumer progress;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<ByteBuf> chunks = new ArrayDeque<>();
    private int waitingBytes;
    private boolean paused;
    private boolean closed;
    private @Nullable CopyEnd copyEnd;
    private @Nullable CopyEnd commandEnd;

    // The reader's.
    private @Nullable ByteBuf current;
    private long takenBytes;

    BackupStream(String server, Channel channel, LongConsumer progress) {
        this.server = server;
        this.channel = channel;
        this.progress = progress;
    }

    @Override
    public void onCopyData(ByteBuf data) {
        lock.lock();
        try {
            if (closed || !data.isReadable()) {
                return;
            }
            chunks.add(data.retain());
            waitingBytes += data.readableBytes();
            if (waitingBytes > HIGH_BYTES && !paused) {
                paused = true;
                channel.config().setAutoRead(false);
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void onCopyEnd(CopyEnd end) {
        lock.lock();
        try {
            copyEnd = end;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void onCommandEnd(CopyEnd end) {
        lock.lock();
        try {
            commandEnd = end;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        ByteBuf bytes = current;
        if (bytes == null) {
            bytes = take();
            current = bytes;
        }
        if (bytes == null) {
            return -1;
        }
        int read = Math.min(length, bytes.readableBytes());
        bytes.readBytes(into, offset, read);
        if (!bytes.isReadable()) {
            current = null;
            bytes.release();
        }
        return read;
    }

    /** The next chunk; null at the end. */
    private @Nullable ByteBuf take() throws IOException {
        ByteBuf chunk;
        lock.lock();
        try {
            await(() -> !chunks.isEmpty() || copyEnd != null);
            chunk = chunks.poll();
            if (chunk == null) {
                requireDone(copyEnd);
                return null;
            }
            waitingBytes -= chunk.readableBytes();
            if (paused && waitingBytes <= HIGH_BYTES / 2) {
                paused = false;
                channel.config().setAutoRead(true);
            }
        } finally {
            lock.unlock();
        }
        takenBytes += chunk.readableBytes();
        progress.accept(takenBytes);
        return chunk;
    }

    /** Waits for the end of the whole command: an error may come behind the last byte. */
    void requireEnd() throws IOException {
        lock.lock();
        try {
            await(() -> commandEnd != null);
            requireDone(commandEnd);
        } finally {
            lock.unlock();
        }
    }

    private void requireDone(@Nullable CopyEnd end) throws IOException {
        switch (end) {
            case null -> throw new IOException("pageserver " + server + " has said nothing");
            case CopyEnd.Done done -> {}
            case CopyEnd.ServerFailed(var error) -> throw new PgServerException(error);
            case CopyEnd.ClientFailed failed -> throw new IOException(failed.reason());
            case CopyEnd.Lost(Throwable cause) ->
                throw new IOException("pageserver " + server + " was lost in the middle of a data directory", cause);
        }
    }

    private interface Awaited {
        boolean isThere();
    }

    private void await(Awaited awaited) throws IOException {
        long nanos = PATIENCE.toNanos();
        while (!awaited.isThere()) {
            if (nanos <= 0) {
                throw new IOException("pageserver " + server + " has sent nothing for " + PATIENCE.toSeconds() + " s");
            }
            try {
                nanos = changed.awaitNanos(nanos);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw (InterruptedIOException) new InterruptedIOException("interrupted").initCause(e);
            }
        }
    }

    @Override
    public void close() {
        ByteBuf rest = current;
        current = null;
        if (rest != null) {
            rest.release();
        }
        lock.lock();
        try {
            closed = true;
            chunks.forEach(ByteBuf::release);
            chunks.clear();
        } finally {
            lock.unlock();
        }
    }
}
