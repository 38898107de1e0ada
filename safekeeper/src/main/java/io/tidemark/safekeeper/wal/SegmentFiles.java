package io.tidemark.safekeeper.wal;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.wire.wal.WalSegmentName;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Where the segments of one timeline are: {@code <name>} when complete, {@code <name>.partial} while written. When both are there,
 * the partial one is right: it was complete, was cut by a truncation, and is being written again.
 */
final class SegmentFiles {
    /** The next segment is made under this name, so that no short file is ever seen under a segment's. */
    static final String PREALLOCATED_NAME = "waltmp";

    private static final int TLI = 1;
    private static final int OPEN_ATTEMPTS = 3;

    final Disk disk;
    final Path directory;
    final int segmentSizeBytes;

    SegmentFiles(Disk disk, Path directory, int segmentSizeBytes) {
        this.disk = disk;
        this.directory = directory;
        this.segmentSizeBytes = segmentSizeBytes;
    }

    private WalSegmentName name(long segment) {
        return new WalSegmentName(TLI, segment, segmentSizeBytes, false);
    }

    Path complete(long segment) {
        return directory.resolve(name(segment).fileName());
    }

    Path partial(long segment) {
        return directory.resolve(name(segment).asPartial().fileName());
    }

    Path preallocated() {
        return directory.resolve(PREALLOCATED_NAME);
    }

    /** Numbers of the segments that are there under either name. */
    NavigableSet<Long> present() throws IOException {
        TreeSet<Long> segments = new TreeSet<>();
        for (String name : disk.list(directory)) {
            WalSegmentName.find(name, segmentSizeBytes)
                    .filter(found -> found.tli() == TLI)
                    .ifPresent(found -> segments.add(found.segmentNumber()));
        }
        return segments;
    }

    Optional<Path> find(long segment) throws IOException {
        if (disk.exists(partial(segment))) {
            return Optional.of(partial(segment));
        }
        return disk.exists(complete(segment)) ? Optional.of(complete(segment)) : Optional.empty();
    }

    /** Opens a segment for reading while its owner may be renaming it; null when it is not there. */
    @Nullable
    DurableFile openForReading(long segment) throws IOException {
        for (int attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
            for (Path path : new Path[] {partial(segment), complete(segment)}) {
                try {
                    return disk.open(path, Disk.Mode.READ);
                } catch (NoSuchFileException e) {
                    // Try the other name: between the two attempts the owner may have renamed it.
                }
            }
        }
        return null;
    }
}
