package io.tidemark.pageserver.basedata;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.basedata.ImportException.Reason;
import io.tidemark.pageserver.receiver.Connections;
import io.tidemark.pageserver.receiver.CopyQueue;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What BASE_BACKUP sends, as an input stream of the one tar that there may be.
 *
 * <pre>
 *   row: start LSN, tli | a row per tablespace: oid, location, kB (the first two null: the data directory) | COPY | row: stop LSN, tli
 *   COPY of 14: the tar's bytes as they are. From 15 on each message begins with a byte:
 *     'n' a new archive: name, tablespace path | 'd' bytes | 'p' progress | 'm' the manifest begins
 * </pre>
 */
final class BackupStream extends InputStream {
    // A server that makes its checkpoint may be silent for long.
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private final PgClientConfig server;
    private final CopyQueue queue;
    private final boolean isTyped;
    private @Nullable ByteBuf current;
    private boolean copyEnded;
    private boolean inManifest;
    private int rows;
    private long totalBytes;
    private Lsn startLsn = Lsn.INVALID;
    private Lsn stopLsn = Lsn.INVALID;

    /** @param isTyped whether messages say what they are: from 15 on */
    BackupStream(PgClientConfig server, CopyQueue queue, boolean isTyped) {
        this.server = server;
        this.queue = queue;
        this.isTyped = isTyped;
    }

    /** Where the WAL starts that the copy needs; known before any byte of it. */
    Lsn readStart() throws IOException, ImportException {
        while (current == null && !copyEnded) {
            advance();
        }
        if (rows < 2) {
            throw new IOException(server + " does not say where the backup starts");
        }
        return startLsn;
    }

    /** How much the server estimates that it will send; 0 when it does not say. Known when the start is. */
    long totalBytes() {
        return totalBytes;
    }

    /** Reads on to the end of the command, and answers where the copy is consistent. */
    Lsn readStop() throws IOException, ImportException {
        while (true) {
            ByteBuf rest = current;
            current = null;
            if (rest != null) {
                rest.release();
            }
            if (advance()) {
                break;
            }
        }
        if (!stopLsn.isValid()) {
            throw new IOException(server + " does not say where the backup ends");
        }
        return stopLsn;
    }

    /** Takes one event; true when the command is over. */
    private boolean advance() throws IOException, ImportException {
        CopyQueue.Event event;
        try {
            event = queue.require(PATIENCE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while reading a backup");
        }
        switch (event) {
            case CopyQueue.Event.Row row -> accept(row.values());
            case CopyQueue.Event.Data data -> accept(data.bytes());
            case CopyQueue.Event.CopyEnded(CopyEnd.Done done) -> copyEnded = true;
            case CopyQueue.Event.CopyEnded ended -> throw Connections.ended(server, ended.end());
            case CopyQueue.Event.CommandEnded(CopyEnd.Done done) -> {
                return true;
            }
            case CopyQueue.Event.CommandEnded ended -> throw Connections.ended(server, ended.end());
        }
        return false;
    }

    private void accept(List<@Nullable String> row) throws IOException, ImportException {
        String first = row.isEmpty() ? null : row.get(0);
        if (copyEnded) {
            stopLsn = lsn(first);
        } else if (rows++ == 0) {
            startLsn = lsn(first);
        } else if (first != null) {
            throw new ImportException(
                    Reason.USER_TABLESPACE,
                    "the tablespace " + first + " at " + (row.size() > 1 ? row.get(1) : "?")
                            + " was created by a user; move everything to pg_default and drop it");
        } else {
            totalBytes = kilobytes(row.size() > 2 ? row.get(2) : null) << 10;
        }
    }

    private long kilobytes(@Nullable String text) throws IOException {
        try {
            return text == null ? 0 : Math.clamp(Long.parseLong(text), 0, Long.MAX_VALUE >> 10);
        } catch (NumberFormatException e) {
            throw new IOException(server + " sent something else than a size: " + text, e);
        }
    }

    private Lsn lsn(@Nullable String text) throws IOException {
        try {
            return Lsn.parse(String.valueOf(text));
        } catch (IllegalArgumentException e) {
            throw new IOException(server + " sent something else than an LSN: " + e.getMessage(), e);
        }
    }

    private void accept(ByteBuf bytes) throws IOException {
        boolean kept = false;
        try {
            char type = isTyped ? (bytes.isReadable() ? (char) bytes.readByte() : '?') : 'd';
            switch (type) {
                case 'd' -> kept = !inManifest && bytes.isReadable();
                case 'm' -> inManifest = true;
                case 'n', 'p' -> {}
                default -> throw new IOException(server + " sent a backup message of the unknown type '" + type + "'");
            }
            if (kept) {
                current = bytes;
            }
        } finally {
            if (!kept) {
                bytes.release();
            }
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
        while (current == null) {
            if (copyEnded) {
                return -1;
            }
            try {
                advance();
            } catch (ImportException e) {
                throw new IOException(e.getMessage(), e);
            }
        }
        ByteBuf bytes = current;
        int read = Math.min(length, bytes.readableBytes());
        bytes.readBytes(into, offset, read);
        if (!bytes.isReadable()) {
            bytes.release();
            current = null;
        }
        return read;
    }

    @Override
    public void close() {
        ByteBuf rest = current;
        current = null;
        if (rest != null) {
            rest.release();
        }
        queue.close();
    }
}
