package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.basedata.BackupImport;
import io.tidemark.pageserver.basedata.BaseData;
import io.tidemark.pageserver.basedata.DataDirectoryImport;
import io.tidemark.pageserver.basedata.ImportException;
import io.tidemark.pageserver.ingest.TimelineHead;
import io.tidemark.pageserver.receiver.Connections;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.wal.WalFlavour;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Makes timelines from clusters that exist. Thread-safe. */
public final class BaseDataImports {
    private final TimelineRegistry timelines;
    private final Connections connections;
    private final Map<TenantTimelineId, BackupImport> copying = new ConcurrentHashMap<>();

    /** {@code connections}: to servers that are imported. */
    public BaseDataImports(TimelineRegistry timelines, Connections connections) {
        this.timelines = timelines;
        this.connections = connections;
    }

    /**
     * From the data directory of a server that was shut down, initdb's included.
     *
     * @throws IllegalArgumentException when the directory cannot be the beginning of a timeline, with what to do
     */
    public Timeline dataDirectory(TenantTimelineId id, Path directory) throws IOException {
        return timelines.create(id, head -> metadata(id, put(directory, head)));
    }

    /**
     * From a server that runs and goes on running, by its BASE_BACKUP. The timeline is made when this returns, and readable when its WAL has
     * been ingested from there to where the copy ended: the safekeepers must have it, so a shim has to have been at work before.
     *
     * @param server a role that may replicate
     * @throws IllegalArgumentException when the server cannot be the beginning of a timeline, with what to do
     * @throws IOException also when the server refuses or cannot be reached
     */
    public Timeline runningServer(TenantTimelineId id, PgClientConfig server) throws IOException {
        return timelines.create(id, head -> {
            String slot = "tidemark_import_" + id.timelineId().toString().substring(16);
            try (BackupImport backup = BackupImport.open(connections, server, slot, head)) {
                copying.put(id, backup);
                return metadata(id, backup.copy());
            } catch (ImportException e) {
                throw new IllegalArgumentException(e.getMessage(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while " + server + " was copied");
            } finally {
                copying.remove(id);
            }
        });
    }

    /**
     * How far the copy of a running server is.
     *
     * @param totalBytes by the server's estimate; 0 before it has made one
     */
    public record Progress(long copiedBytes, long totalBytes) {}

    /** Empty when no server is being copied for this timeline. */
    public Optional<Progress> progress(TenantTimelineId id) {
        return Optional.ofNullable(copying.get(id))
                .map(backup -> new Progress(backup.copiedBytes(), backup.totalBytes()));
    }

    private static BaseData put(Path directory, TimelineHead head) throws IOException {
        try {
            return DataDirectoryImport.run(directory, head);
        } catch (ImportException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    private static TimelineMetadata metadata(TenantTimelineId id, BaseData data) {
        return new TimelineMetadata(
                id,
                data.pgMajor(),
                data.systemId(),
                WalFlavour.STOCK,
                data.dataChecksums(),
                data.hintBitsLogged(),
                data.walSegmentSizeBytes(),
                data.startLsn(),
                data.readableLsn(),
                Optional.empty());
    }
}
