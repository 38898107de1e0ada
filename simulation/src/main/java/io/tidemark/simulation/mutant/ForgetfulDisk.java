package io.tidemark.simulation.mutant;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.runtime.durable.ForwardingDisk;
import io.tidemark.runtime.durable.ForwardingFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Predicate;

/** A disk on which some operations do nothing, and say that all is well. */
final class ForgetfulDisk extends ForwardingDisk {
    private final Lapse lapse;
    private final Predicate<Path> files;

    /** What it forgets. */
    enum Lapse {
        SYNC_OF_FILES,
        SYNC_OF_DIRECTORIES,
        SHRINKING_OF_FILES,
        SHRINKING_AND_DELETING_OF_FILES
    }

    /** Forgets on files that the predicate holds for. */
    ForgetfulDisk(Disk honest, Lapse lapse, Predicate<Path> files) {
        super(honest);
        this.lapse = lapse;
        this.files = files;
    }

    @Override
    public DurableFile open(Path file, Mode mode) throws IOException {
        DurableFile opened = super.open(file, mode);
        return files.test(file) ? new ForgetfulFile(opened) : opened;
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        if (lapse != Lapse.SYNC_OF_DIRECTORIES) {
            super.syncDirectory(directory);
        }
    }

    @Override
    public void delete(Path path) throws IOException {
        if (lapse != Lapse.SHRINKING_AND_DELETING_OF_FILES || !files.test(path)) {
            super.delete(path);
        }
    }

    /** A file on which something does nothing. */
    private final class ForgetfulFile extends ForwardingFile {
        ForgetfulFile(DurableFile honest) {
            super(honest);
        }

        @Override
        public void sync() throws IOException {
            if (lapse != Lapse.SYNC_OF_FILES) {
                super.sync();
            }
        }

        @Override
        public void setSize(long sizeBytes) throws IOException {
            boolean shrinks = sizeBytes < size();
            if (!shrinks || (lapse != Lapse.SHRINKING_OF_FILES && lapse != Lapse.SHRINKING_AND_DELETING_OF_FILES)) {
                super.setSize(sizeBytes);
            }
        }
    }
}
