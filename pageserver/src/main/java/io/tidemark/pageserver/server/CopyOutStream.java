package io.tidemark.pageserver.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.server.PgServerConnection;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What one thread writes, as the CopyData messages of a COPY out.
 *
 * <p>The thread waits while the client does not read: what is on its way is bounded by the channel's high-water mark and one chunk. When
 * the client is gone a write fails.
 */
final class CopyOutStream extends OutputStream implements CopyHandler {
    /** The payload of one CopyData. */
    static final int CHUNK_BYTES = 64 << 10;

    private final PgServerConnection connection;
    private final Channel channel;
    private ByteBuf chunk;

    // A lock because a thread waits for the event loop here.
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private volatile boolean lost;

    /** Enters COPY out; to be closed, then ended by {@link PgServerConnection#finishCopy} or {@link PgServerConnection#fail}. */
    CopyOutStream(PgServerConnection connection) {
        this.connection = connection;
        this.channel = connection.channel();
        this.chunk = channel.alloc().directBuffer(CHUNK_BYTES);
        connection.startCopyOut(this);
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        int done = 0;
        while (done < length) {
            int n = Math.min(length - done, CHUNK_BYTES - chunk.readableBytes());
            chunk.writeBytes(bytes, offset + done, n);
            done += n;
            if (chunk.readableBytes() == CHUNK_BYTES) {
                flush();
            }
        }
    }

    @Override
    public void flush() throws IOException {
        if (chunk.isReadable()) {
            awaitWritable();
            ByteBuf full = chunk;
            chunk = channel.alloc().directBuffer(CHUNK_BYTES);
            connection.writeAndFlush(CopyFrames.frame(channel.alloc(), 0, out -> {}, full));
        }
    }

    private void awaitWritable() throws IOException {
        if (!channel.isWritable()) {
            lock.lock();
            try {
                while (!channel.isWritable() && channel.isActive() && !lost) {
                    changed.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }
        if (lost || !channel.isActive()) {
            throw new IOException("the client has left");
        }
    }

    @Override
    public void onCopyData(ByteBuf data) {
        // Never in this direction.
    }

    @Override
    public void onWritabilityChanged(boolean writable) {
        if (writable) {
            signal();
        }
    }

    @Override
    public void onCopyEnd(CopyEnd end) {
        lost = true;
        signal();
    }

    private void signal() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Drops what was not flushed. */
    @Override
    public void close() {
        chunk.release();
    }
}
