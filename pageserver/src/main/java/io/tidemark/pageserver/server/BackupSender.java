package io.tidemark.pageserver.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.tidemark.pageserver.basebackup.BackupPoint;
import io.tidemark.pageserver.basebackup.BackupRequest;
import io.tidemark.pageserver.basebackup.DataDirectory;
import io.tidemark.pageserver.basebackup.TarBackup;
import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.SqlState;
import io.tidemark.wire.server.PgServerConnection;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.GZIPOutputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers one backup command, on a thread of its own: waits for the LSN, then sends a tar as COPY out.
 *
 * <p>What waits for a slow client is bounded by the channel's high-water mark and one chunk. Until COPY has begun an error is an ordinary
 * one; afterwards it stands in place of CopyDone, and the tar has no end marker.
 */
final class BackupSender implements CopyHandler, Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(BackupSender.class);

    /** The payload of one CopyData. */
    private static final int CHUNK_BYTES = 64 << 10;

    private final PgServerConnection connection;
    private final Channel channel;
    private final EdgeContext context;
    private final Timeline timeline;
    private final BackupRequest request;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private volatile boolean lost;

    BackupSender(PgServerConnection connection, EdgeContext context, Timeline timeline, BackupRequest request) {
        this.connection = connection;
        this.channel = connection.channel();
        this.context = context;
        this.timeline = timeline;
        this.request = request;
    }

    @Override
    public void run() {
        try {
            long now = Instant.now().getEpochSecond();
            BackupPoint point = BackupPoint.settle(timeline, request.lsn(), request.prev(), context.waitLsnTimeout());
            try (Timeline.Hold _ = timeline.hold(point.lsn())) {
                DataDirectory directory = DataDirectory.of(timeline, point, request.kind(), now);
                connection.startCopyOut(this);
                send(directory, now);
                connection.finishCopy("SELECT 1");
            }
        } catch (ReadException e) {
            refuse(e);
        } catch (IOException e) {
            LOG.info("a backup of timeline {} was not taken to its end: {}", request.id(), e.getMessage());
            connection.fail(ErrorFields.error(SqlState.INTERNAL_ERROR, "basebackup failed: " + e.getMessage()));
        } catch (RuntimeException e) {
            LOG.error("a backup of timeline {} ends: a bug", request.id(), e);
            connection.fail(ErrorFields.error(SqlState.INTERNAL_ERROR, "internal error: " + e));
        }
    }

    private void refuse(ReadException e) {
        context.metrics().refused("BACKUP_" + e.kind());
        if (e.kind() == ReadException.Kind.CLOSED) {
            connection.closeWith(ErrorFields.error(SqlState.ADMIN_SHUTDOWN, "shutdown"));
            return;
        }
        if (e.kind() == ReadException.Kind.DAMAGED) {
            LOG.error("{}", e.text(), e);
        }
        String prefix = e.kind() == ReadException.Kind.BAD_REQUEST ? "invalid basebackup lsn: " : "";
        connection.fail(ErrorFields.error(SqlState.INTERNAL_ERROR, prefix + e.text()));
    }

    private void send(DataDirectory directory, long now) throws IOException, ReadException {
        try (Chunks chunks = new Chunks()) {
            if (request.gzip()) {
                FastGzip gzip = new FastGzip(chunks);
                TarBackup.write(directory, now, gzip);
                gzip.finish();
            } else {
                TarBackup.write(directory, now, chunks);
            }
            chunks.flush();
        }
    }

    @Override
    public void onCopyData(ByteBuf data) {}

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

    /** Speed counts more than size: pages are read faster than a better level compresses them. */
    private static final class FastGzip extends GZIPOutputStream {
        FastGzip(OutputStream out) throws IOException {
            super(out, CHUNK_BYTES);
            def.setLevel(java.util.zip.Deflater.BEST_SPEED);
        }
    }

    /** Cuts what is written into CopyData messages. */
    private final class Chunks extends OutputStream {
        private ByteBuf chunk = channel.alloc().directBuffer(CHUNK_BYTES);

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

        @Override
        public void close() {
            chunk.release();
        }
    }
}
