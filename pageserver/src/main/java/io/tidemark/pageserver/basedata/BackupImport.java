package io.tidemark.pageserver.basedata;

import io.tidemark.pageserver.basedata.ImportException.Reason;
import io.tidemark.pageserver.ingest.IngestException;
import io.tidemark.pageserver.ingest.TimelineHead;
import io.tidemark.pageserver.ingest.WalIngest;
import io.tidemark.pageserver.pgcontrol.ControlFile;
import io.tidemark.pageserver.receiver.Connections;
import io.tidemark.pageserver.receiver.CopyQueue;
import io.tidemark.pageserver.receiver.ReplicationStream;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import java.time.Duration;

/**
 * Makes a running PostgreSQL the beginning of a timeline: its BASE_BACKUP, put as it comes in without a copy on disk, then its WAL.
 *
 * <p>Two connections: one owns a temporary slot, so that the server keeps the WAL, and streams it when the copy is complete; the other
 * copies. The slot and the connection live until {@link #close}; the server is not changed.
 *
 * <p>One after the other: {@link #copy}, then {@link #catchUp}, then the timeline can be read at {@link BaseData#readableLsn}.
 */
public final class BackupImport implements AutoCloseable {
    private static final Duration SILENCE = Duration.ofSeconds(60);
    private static final String LABEL = "tidemark import";

    private final Connections connections;
    private final PgClientConfig server;
    private final TimelineHead head;
    private final PgConnection walConnection;
    private final String slot;
    private final int pgMajor;
    /** Written by the thread that copies, read by those who ask how far it is. */
    private volatile long copiedBytes;

    private volatile long totalBytes;

    private BackupImport(
            Connections connections,
            PgClientConfig server,
            TimelineHead head,
            PgConnection walConnection,
            String slot,
            int pgMajor) {
        this.connections = connections;
        this.server = server;
        this.head = head;
        this.walConnection = walConnection;
        this.slot = slot;
        this.pgMajor = pgMajor;
    }

    /**
     * Connects and makes the server keep its WAL from now on.
     *
     * @param server a role that may replicate
     * @param slot a name for the temporary slot
     * @throws ImportException when the server is of a version that cannot be served
     * @throws IOException when it refuses or cannot be reached
     */
    public static BackupImport open(Connections connections, PgClientConfig server, String slot, TimelineHead head)
            throws IOException, InterruptedException, ImportException {
        PgClientConfig replication = server.withParameter("replication", "true");
        PgConnection connection = connections.open(replication);
        boolean done = false;
        try {
            int major = majorOf(connection);
            var _ = Connections.ask(
                    replication,
                    connection,
                    "CREATE_REPLICATION_SLOT \"" + slot + "\" TEMPORARY PHYSICAL "
                            + (major < 15 ? "RESERVE_WAL" : "(RESERVE_WAL)"));
            done = true;
            return new BackupImport(connections, replication, head, connection, slot, major);
        } finally {
            if (!done) {
                connection.close();
            }
        }
    }

    private static int majorOf(PgConnection connection) throws ImportException {
        String version = String.valueOf(connection.serverParameter("server_version"));
        for (int major = PgVersion.OLDEST_MAJOR; major <= PgVersion.NEWEST_MAJOR; major++) {
            if (version.equals(Integer.toString(major)) || version.startsWith(major + ".")) {
                return major;
            }
        }
        throw new ImportException(
                Reason.WRONG_VERSION,
                "the server is PostgreSQL " + version + "; supported are " + PgVersion.OLDEST_MAJOR + " to "
                        + PgVersion.NEWEST_MAJOR);
    }

    /** 14 to 18. */
    public int pgMajor() {
        return pgMajor;
    }

    /** Copies the data. */
    public BaseData copy() throws IOException, InterruptedException, ImportException {
        PgConnection connection = connections.open(server);
        try (BackupStream stream = new BackupStream(server, start(connection), pgMajor >= 15)) {
            Lsn start = stream.readStart();
            totalBytes = stream.totalBytes();
            BaseDataWriter writer = new BaseDataWriter(head, pgMajor, start);
            TarEntries tar = new TarEntries(stream);
            for (TarEntries.Entry entry = tar.next(); entry != null; entry = tar.next()) {
                accept(entry, tar, writer);
            }
            ControlFile control = writer.finish(Lsn.INVALID);
            Lsn stop = stream.readStop();
            return new BaseData(
                    pgMajor,
                    control.systemId(),
                    start,
                    Lsn.INVALID,
                    stop,
                    control.dataChecksumVersion() != 0,
                    control.walLogHints(),
                    control.walSegmentSizeBytes());
        } finally {
            connection.close();
        }
    }

    private CopyQueue start(PgConnection connection) throws IOException, InterruptedException {
        String command = pgMajor < 15
                ? "BASE_BACKUP LABEL '" + LABEL + "' PROGRESS FAST NOWAIT"
                : "BASE_BACKUP (LABEL '" + LABEL + "', PROGRESS true, CHECKPOINT 'fast', WAIT false, MANIFEST 'no')";
        return Connections.copy(server, connection, command);
    }

    private void accept(TarEntries.Entry entry, TarEntries tar, BaseDataWriter writer)
            throws IOException, ImportException {
        switch (entry.type()) {
            case TarEntries.FILE -> {
                writer.file(entry.name(), entry.sizeBytes(), tar.content());
                copied(entry.sizeBytes());
            }
            case TarEntries.SYMBOLIC_LINK -> {
                if (DataFile.of(entry.name()) instanceof DataFile.UserTablespace) {
                    throw new ImportException(
                            Reason.USER_TABLESPACE,
                            entry.name()
                                    + " is a tablespace that a user created; move everything to pg_default and drop it");
                }
            }
            default -> {}
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    private void copied(long bytes) {
        copiedBytes += bytes;
    }

    /** How much of the data has been copied; from any thread. */
    public long copiedBytes() {
        return copiedBytes;
    }

    /** How much there is to copy by the server's estimate; 0 before it said so. From any thread. */
    public long totalBytes() {
        return totalBytes;
    }

    /**
     * Ingests the server's WAL from the start of the copy until the data is consistent.
     *
     * @param ingest onto the same head
     * @return the end of the last record that was ingested, at or behind {@link BaseData#readableLsn}
     */
    public Lsn catchUp(BaseData base, WalIngest ingest)
            throws IOException, InterruptedException, InvalidWalException, IngestException {
        String command = "START_REPLICATION SLOT \"" + slot + "\" PHYSICAL " + base.startLsn();
        try (ReplicationStream stream = ReplicationStream.start(
                server, walConnection, command, pgMajor, base.walSegmentSizeBytes(), base.startLsn())) {
            Lsn end = base.startLsn();
            while (end.isBefore(base.readableLsn())) {
                WalRecord record = stream.next();
                if (record != null) {
                    ingest.ingest(record);
                    end = record.end();
                } else if (!stream.await(SILENCE)) {
                    throw new IOException(server + " has sent nothing for " + SILENCE.toSeconds() + " s");
                }
            }
            return end;
        }
    }

    @Override
    public void close() {
        walConnection.close();
    }
}
