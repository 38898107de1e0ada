package io.tidemark.pageserver.server;

import io.tidemark.pageserver.basebackup.BackupPoint;
import io.tidemark.pageserver.basebackup.BackupRequest;
import io.tidemark.pageserver.basebackup.DataDirectory;
import io.tidemark.pageserver.basebackup.TarBackup;
import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.SqlState;
import io.tidemark.wire.server.PgServerConnection;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers one backup command, on a thread of its own: waits for the LSN, then sends a tar as COPY out.
 *
 * <p>Until COPY has begun an error is an ordinary one; afterwards it stands in place of CopyDone, and the tar has no end marker.
 */
final class BackupSender implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(BackupSender.class);

    private final PgServerConnection connection;
    private final EdgeContext context;
    private final Timeline timeline;
    private final BackupRequest request;

    BackupSender(PgServerConnection connection, EdgeContext context, Timeline timeline, BackupRequest request) {
        this.connection = connection;
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
        try (CopyOutStream copy = new CopyOutStream(connection)) {
            if (request.gzip()) {
                FastGzip gzip = new FastGzip(copy);
                try {
                    TarBackup.write(directory, now, gzip);
                    gzip.finish();
                } finally {
                    gzip.end();
                }
            } else {
                TarBackup.write(directory, now, copy);
            }
            copy.flush();
        }
    }

    /** Speed counts more than size: pages are read faster than a better level compresses them. */
    private static final class FastGzip extends GZIPOutputStream {
        FastGzip(OutputStream out) throws IOException {
            super(out, CopyOutStream.CHUNK_BYTES);
            def.setLevel(Deflater.BEST_SPEED);
        }

        /** Gives the memory back, and leaves the stream below open. */
        void end() {
            def.end();
        }
    }
}
