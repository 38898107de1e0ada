package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.basedata.BaseData;
import io.tidemark.pageserver.basedata.DataDirectoryImport;
import io.tidemark.pageserver.basedata.ImportException;
import io.tidemark.pageserver.ingest.TimelineHead;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.wal.WalFlavour;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Makes timelines from clusters that exist. */
public final class BaseDataImports {
    private final TimelineRegistry timelines;

    public BaseDataImports(TimelineRegistry timelines) {
        this.timelines = timelines;
    }

    /**
     * From the data directory of a server that was shut down, initdb's included.
     *
     * @throws IllegalArgumentException when the directory cannot be the beginning of a timeline, with what to do
     */
    public Timeline dataDirectory(TenantTimelineId id, Path directory) throws IOException {
        return timelines.create(id, head -> metadata(id, put(directory, head)));
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
