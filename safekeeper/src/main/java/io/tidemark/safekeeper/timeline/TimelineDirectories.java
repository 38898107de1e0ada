package io.tidemark.safekeeper.timeline;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where timelines live below the data directory: {@code <tenant>/<timeline>/}. What is being made is next to it with {@code .tmp} behind
 * its name, what is being removed in {@code tmp/}; a start removes both, so a timeline's directory is always whole or absent.
 */
final class TimelineDirectories {
    private static final Logger LOG = LoggerFactory.getLogger(TimelineDirectories.class);
    private static final Path ROOT = Path.of("");
    private static final Path TEMPORARY = Path.of("tmp");

    /** What {@link TimelineCore#create} leaves behind when it is interrupted. */
    private static final String UNFINISHED = ".tmp";

    private final Disk disk;
    private final AtomicLong number = new AtomicLong();

    TimelineDirectories(Disk disk) {
        this.disk = disk;
    }

    Disk disk() {
        return disk;
    }

    static Path of(TenantTimelineId ttid) {
        return Path.of(ttid.tenantId().toString(), ttid.timelineId().toString());
    }

    /**
     * Makes the names as this process finds them durable, and then removes what is half made or half removed. The process before may
     * have ended between a rename and its fsync: power loss could still undo that rename, and what would come back is a timeline whose
     * files we have deleted, or what would go is one that has voted meanwhile.
     */
    void settle() throws IOException {
        disk.createDirectory(TEMPORARY);
        disk.syncDirectory(ROOT);
        disk.syncDirectory(TEMPORARY);
        for (String tenant : tenants()) {
            disk.syncDirectory(Path.of(tenant));
        }
        for (String removed : disk.list(TEMPORARY)) {
            deleteTree(TEMPORARY.resolve(removed));
        }
    }

    private List<String> tenants() throws IOException {
        List<String> tenants = new ArrayList<>();
        for (String name : disk.list(ROOT)) {
            if (isId(name) && disk.isDirectory(Path.of(name))) {
                tenants.add(name);
            }
        }
        return tenants;
    }

    /** Every directory that is named like a timeline in one that is named like a tenant. */
    List<TenantTimelineId> list() throws IOException {
        List<TenantTimelineId> found = new ArrayList<>();
        for (String tenant : tenants()) {
            for (String timeline : disk.list(Path.of(tenant))) {
                if (isId(timeline) && disk.isDirectory(Path.of(tenant, timeline))) {
                    found.add(new TenantTimelineId(TenantId.parse(tenant), TimelineId.parse(timeline)));
                } else if (timeline.endsWith(UNFINISHED)) {
                    deleteTree(Path.of(tenant, timeline));
                } else {
                    LOG.warn("{}/{} is not a timeline: left alone", tenant, timeline);
                }
            }
        }
        return found;
    }

    /** Lower case only: another spelling would be another directory for the same id. */
    private static boolean isId(String name) {
        return name.length() == 32 && name.chars().allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    }

    /** Takes a timeline's directory away, durably, and then deletes it. Returns false when there was none. */
    boolean delete(TenantTimelineId ttid) throws IOException {
        Path directory = of(ttid);
        if (!disk.exists(directory)) {
            return false;
        }
        Path temporary = temporaryName(ttid);
        disk.rename(directory, temporary);
        // Both ends of the rename, and before any file goes: what power loss brings back has to be whole.
        disk.syncDirectory(TEMPORARY);
        disk.syncDirectory(Path.of(ttid.tenantId().toString()));
        deleteTree(temporary);
        return true;
    }

    private Path temporaryName(TenantTimelineId ttid) {
        return TEMPORARY.resolve(ttid.tenantId() + "_" + ttid.timelineId() + "_" + number.incrementAndGet());
    }

    private void deleteTree(Path path) throws IOException {
        if (disk.isDirectory(path)) {
            for (String name : disk.list(path)) {
                deleteTree(path.resolve(name));
            }
        }
        disk.delete(path);
    }
}
