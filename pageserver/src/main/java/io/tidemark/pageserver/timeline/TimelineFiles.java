package io.tidemark.pageserver.timeline;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where timelines are in a data directory.
 *
 * <pre>
 *   tenants/TENANT/timelines/TIMELINE/timeline     what it is; written last and deleted first, so that a directory without it
 *                                                  is nobody's
 *   tenants/TENANT/timelines/TIMELINE/layers/      its versions; not there before the first of them is
 * </pre>
 */
final class TimelineFiles {
    private static final Logger LOG = LoggerFactory.getLogger(TimelineFiles.class);
    private static final Path TENANTS = Path.of("tenants");
    private static final String METADATA = "timeline";
    private static final int MAX_METADATA_BYTES = 1 << 20;

    private final Disk disk;

    TimelineFiles(Disk disk) {
        this.disk = disk;
    }

    /**
     * All timelines there are, after the remains of those that were never finished, or were being deleted, are gone. What it finds is
     * durable when it returns: the process before may have ended before the names it had given were.
     */
    List<TenantTimelineId> list() throws IOException {
        disk.createDirectory(TENANTS);
        disk.syncDirectory(Path.of(""));
        disk.syncDirectory(TENANTS);
        List<TenantTimelineId> found = new ArrayList<>();
        for (String tenant : disk.list(TENANTS)) {
            Path directory = TENANTS.resolve(tenant).resolve("timelines");
            if (disk.exists(directory)) {
                disk.syncDirectory(TENANTS.resolve(tenant));
                disk.syncDirectory(directory);
                for (String timeline : disk.list(directory)) {
                    look(tenant, timeline, found);
                }
            }
        }
        return found;
    }

    private void look(String tenant, String timeline, List<TenantTimelineId> found) throws IOException {
        TenantTimelineId id;
        try {
            id = new TenantTimelineId(TenantId.parse(tenant), TimelineId.parse(timeline));
        } catch (IllegalArgumentException e) {
            LOG.warn("{}/{} is no timeline and left alone: {}", tenant, timeline, e.getMessage());
            return;
        }
        if (!disk.isDirectory(directory(id))) {
            LOG.warn("{} is no directory and left alone", directory(id));
            return;
        }
        disk.syncDirectory(directory(id));
        if (disk.exists(metadata(id))) {
            found.add(id);
        } else {
            LOG.info("removing {}, which was never finished", directory(id));
            deleteTree(directory(id));
        }
    }

    private static Path directory(TenantTimelineId id) {
        return TENANTS.resolve(id.tenantId().toString())
                .resolve("timelines")
                .resolve(id.timelineId().toString());
    }

    private static Path metadata(TenantTimelineId id) {
        return directory(id).resolve(METADATA);
    }

    /** Where the versions of a timeline are. */
    Path layers(TenantTimelineId id) {
        return directory(id).resolve("layers");
    }

    /** What a timeline is; the exception names the file. */
    TimelineMetadata read(TenantTimelineId id) throws IOException {
        try {
            TimelineMetadata metadata = TimelineMetadataFormat.decode(bytes(metadata(id)));
            if (!metadata.id().equals(id)) {
                throw new IOException("it is the file of timeline " + metadata.id());
            }
            return metadata;
        } catch (IOException e) {
            throw new IOException(metadata(id) + ": " + e.getMessage(), e);
        }
    }

    private byte[] bytes(Path file) throws IOException {
        try (var opened = disk.open(file, Disk.Mode.READ)) {
            if (opened.size() > MAX_METADATA_BYTES) {
                throw new IOException("it is damaged: it has " + opened.size() + " bytes");
            }
            ByteBuffer bytes = ByteBuffer.allocate((int) opened.size());
            while (bytes.hasRemaining() && opened.read(bytes, bytes.position()) >= 0) {
                // the next piece
            }
            return bytes.array();
        }
    }

    /** Makes the directory of a timeline, durably. */
    void makeDirectory(TenantTimelineId id) throws IOException {
        Path parent = TENANTS;
        for (String name :
                List.of(id.tenantId().toString(), "timelines", id.timelineId().toString())) {
            Path directory = parent.resolve(name);
            disk.createDirectory(directory);
            // Also when it is there: whoever made it may have failed before its name was durable.
            disk.syncDirectory(parent);
            parent = directory;
        }
    }

    /** From now on the timeline exists, or is another one than before; durable when this returns. */
    void write(TimelineMetadata metadata) throws IOException {
        Path directory = directory(metadata.id());
        Path unfinished = directory.resolve(METADATA + ".new");
        try (var file = disk.open(unfinished, Disk.Mode.CREATE_OR_TRUNCATE)) {
            file.write(ByteBuffer.wrap(TimelineMetadataFormat.encode(metadata)), 0);
            file.sync();
        }
        disk.rename(unfinished, directory.resolve(METADATA));
        disk.syncDirectory(directory);
    }

    /** Removes whatever there is of a timeline; first, durably, that it exists. */
    void delete(TenantTimelineId id) throws IOException {
        if (disk.exists(metadata(id))) {
            disk.delete(metadata(id));
            disk.syncDirectory(directory(id));
        }
        deleteTree(directory(id));
    }

    private void deleteTree(Path path) throws IOException {
        if (!disk.exists(path)) {
            return;
        }
        if (disk.isDirectory(path)) {
            for (String name : disk.list(path)) {
                deleteTree(path.resolve(name));
            }
        }
        disk.delete(path);
    }
}
