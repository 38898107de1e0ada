package io.tidemark.simulation.mutant;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;

/** A disk on which some operations do nothing, and say that all is well. */
final class ForgetfulDisk implements Disk {
    private final Disk honest;
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
        this.honest = honest;
        this.lapse = lapse;
        this.files = files;
    }

    @Override
    public DurableFile open(Path file, Mode mode) throws IOException {
        DurableFile opened = honest.open(file, mode);
        return files.test(file) ? new ForgetfulFile(opened) : opened;
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        if (lapse != Lapse.SYNC_OF_DIRECTORIES) {
            honest.syncDirectory(directory);
        }
    }

    @Override
    public boolean exists(Path path) throws IOException {
        return honest.exists(path);
    }

    @Override
    public void createDirectory(Path directory) throws IOException {
        honest.createDirectory(directory);
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        return honest.list(directory);
    }

    @Override
    public boolean isDirectory(Path path) throws IOException {
        return honest.isDirectory(path);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        honest.rename(from, to);
    }

    @Override
    public void delete(Path path) throws IOException {
        if (lapse != Lapse.SHRINKING_AND_DELETING_OF_FILES || !files.test(path)) {
            honest.delete(path);
        }
    }

    @Override
    public Space space() throws IOException {
        return honest.space();
    }

    @Override
    public Closeable lock(Path lockFile) throws IOException {
        return honest.lock(lockFile);
    }

    /** A file on which something does nothing. */
    private final class ForgetfulFile implements DurableFile {
        private final DurableFile honest;

        ForgetfulFile(DurableFile honest) {
            this.honest = honest;
        }

        @Override
        public void sync() throws IOException {
            if (lapse != Lapse.SYNC_OF_FILES) {
                honest.sync();
            }
        }

        @Override
        public void write(ByteBuffer bytes, long position) throws IOException {
            honest.write(bytes, position);
        }

        @Override
        public int read(ByteBuffer into, long position) throws IOException {
            return honest.read(into, position);
        }

        @Override
        public void setSize(long sizeBytes) throws IOException {
            boolean shrinks = sizeBytes < honest.size();
            if (!shrinks || (lapse != Lapse.SHRINKING_OF_FILES && lapse != Lapse.SHRINKING_AND_DELETING_OF_FILES)) {
                honest.setSize(sizeBytes);
            }
        }

        @Override
        public long size() throws IOException {
            return honest.size();
        }

        @Override
        public void close() throws IOException {
            honest.close();
        }
    }
}
