package io.tidemark.safekeeper;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.runtime.durable.ForwardingDisk;
import io.tidemark.runtime.durable.ForwardingFile;
import java.io.IOException;
import java.nio.file.Path;

/** A disk whose syncs do nothing, for {@code --no-sync}: survives a killed process, not a killed machine. */
final class UnsyncedDisk extends ForwardingDisk {
    UnsyncedDisk(Disk disk) {
        super(disk);
    }

    private static final class UnsyncedFile extends ForwardingFile {
        UnsyncedFile(DurableFile file) {
            super(file);
        }

        @Override
        public void sync() {}
    }

    @Override
    public DurableFile open(Path file, Mode mode) throws IOException {
        return new UnsyncedFile(super.open(file, mode));
    }

    @Override
    public void syncDirectory(Path directory) {}
}
