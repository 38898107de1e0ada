package io.tidemark.pageserver.receiver;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.replication.WalReceiverMessage;
import io.tidemark.wire.replication.WalSenderMessage;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecord;
import io.tidemark.wire.wal.WalRecordReader;
import io.tidemark.wire.wal.WalSource;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A physical replication stream as records, pulled by one thread: from a safekeeper, or from a PostgreSQL itself.
 *
 * <p>Memory: the queue of what has arrived, the reader's window, and the longest record.
 */
public final class ReplicationStream implements AutoCloseable {
    private final PgClientConfig server;
    private final PgConnection connection;
    private final CopyQueue queue;
    private final Pieces pieces;
    private final WalRecordReader reader;
    private Lsn receivedLsn;
    private Lsn serverEndLsn = Lsn.INVALID;
    private boolean replyRequested;

    private ReplicationStream(
            PgClientConfig server,
            PgConnection connection,
            CopyQueue queue,
            int pgMajor,
            int segmentSizeBytes,
            Lsn startLsn) {
        this.server = server;
        this.connection = connection;
        this.queue = queue;
        this.pieces = new Pieces(startLsn);
        this.reader = new WalRecordReader(pieces, pgMajor, segmentSizeBytes, startLsn);
        this.receivedLsn = startLsn;
    }

    /**
     * Starts to stream on a connection, which the stream closes in the end.
     *
     * @param command START_REPLICATION from {@code startLsn} on
     * @param startLsn a record boundary
     * @throws IOException when the server refuses; the connection stays open then
     */
    public static ReplicationStream start(
            PgClientConfig server,
            PgConnection connection,
            String command,
            int pgMajor,
            int segmentSizeBytes,
            Lsn startLsn)
            throws IOException, InterruptedException {
        CopyQueue queue = Connections.copy(server, connection, command);
        return new ReplicationStream(server, connection, queue, pgMajor, segmentSizeBytes, startLsn);
    }

    /**
     * The next record, valid until the next call; null when what has arrived has been read: then {@link #await} more.
     *
     * @throws InvalidWalException when the server sends something that is no WAL
     */
    public @Nullable WalRecord next() throws IOException, InvalidWalException {
        return reader.next();
    }

    /**
     * Waits for the server to say something, WAL or not.
     *
     * @return false when it says nothing in time
     * @throws IOException when the stream has ended, or is not one
     */
    public boolean await(Duration patience) throws IOException, InterruptedException {
        CopyQueue.Event event = queue.take(patience);
        switch (event) {
            case null -> {
                return false;
            }
            case CopyQueue.Event.Data data -> accept(data.bytes());
            case CopyQueue.Event.CopyEnded ended -> throw Connections.ended(server, ended.end());
            case CopyQueue.Event.CommandEnded ended -> throw Connections.ended(server, ended.end());
            case CopyQueue.Event.Row row -> {}
        }
        return true;
    }

    private void accept(ByteBuf message) throws IOException {
        try {
            switch (WalSenderMessage.decode(message)) {
                case WalSenderMessage.XLogData data -> {
                    serverEndLsn = serverEndLsn.max(data.endLsn());
                    accept(data);
                }
                case WalSenderMessage.Keepalive keepalive -> {
                    serverEndLsn = serverEndLsn.max(keepalive.endLsn());
                    replyRequested |= keepalive.replyRequested();
                }
            }
        } catch (InvalidMessageException e) {
            throw new IOException(server + " sent something that is no replication message: " + e.getMessage(), e);
        } finally {
            message.release();
        }
    }

    private void accept(WalSenderMessage.XLogData data) throws IOException {
        if (!data.startLsn().equals(receivedLsn)) {
            data.wal().release();
            throw new IOException(server + " sent WAL at " + data.startLsn() + " where " + receivedLsn + " was due");
        }
        receivedLsn = receivedLsn.plus(data.wal().readableBytes());
        pieces.add(data.wal());
    }

    /** Where the WAL that has arrived ends. */
    public Lsn receivedLsn() {
        return receivedLsn;
    }

    /** How far the server could send, as it last said: a safekeeper's commit_lsn. */
    public Lsn serverEndLsn() {
        return serverEndLsn;
    }

    /** Whether the server has asked for a sign of life; once. */
    public boolean takeReplyRequested() {
        boolean requested = replyRequested;
        replyRequested = false;
        return requested;
    }

    /** Ends an {@link #await} that is going on, or the next one, as if its time were up. From any thread. */
    void wake() {
        queue.wake();
    }

    /** Says something to the server. */
    public void send(WalReceiverMessage message) {
        connection.writeAndFlush(CopyFrames.frame(connection.channel().alloc(), 256, message::encode));
    }

    @Override
    public void close() {
        queue.close();
        pieces.close();
        connection.close();
    }

    /** What has arrived and not been read: a run of bytes without gaps. */
    private static final class Pieces implements WalSource {
        private final Deque<ByteBuf> bufs = new ArrayDeque<>();
        private long position;

        private Pieces(Lsn start) {
            position = start.value();
        }

        private void add(ByteBuf wal) {
            if (wal.isReadable()) {
                bufs.add(wal);
            } else {
                wal.release();
            }
        }

        @Override
        public int read(Lsn at, byte[] into, int offset, int length) throws IOException {
            ByteBuf first = skipTo(at);
            if (first == null) {
                return 0;
            }
            int bytes = Math.min(length, first.readableBytes());
            first.readBytes(into, offset, bytes);
            consumed(first, bytes);
            return bytes;
        }

        /** Behind a segment switch there is nothing to read up to the end of the segment. */
        private @Nullable ByteBuf skipTo(Lsn at) throws IOException {
            long rest = at.value() - position;
            if (rest < 0) {
                throw new IOException("WAL is read at " + at + ", but the stream is at " + Lsn.of(position));
            }
            ByteBuf first = bufs.peek();
            while (first != null && rest > 0) {
                int bytes = (int) Math.min(rest, first.readableBytes());
                first.skipBytes(bytes);
                consumed(first, bytes);
                rest -= bytes;
                first = bufs.peek();
            }
            return first;
        }

        private void consumed(ByteBuf first, int bytes) {
            position += bytes;
            if (!first.isReadable()) {
                bufs.remove().release();
            }
        }

        private void close() {
            bufs.forEach(ByteBuf::release);
            bufs.clear();
        }
    }
}
