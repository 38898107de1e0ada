package io.tidemark.safekeeper;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** A disk whose syncs do nothing, for {@code --no-sync}: survives a killed process, not a killed machine. */
final class UnsyncedDisk implements Disk {
    private final Disk disk;

    UnsyncedDisk(Disk disk) {
        this.disk = disk;
    }

    private record UnsyncedFile(DurableFile file) implements DurableFile {
        @Override
        public void write(ByteBuffer bytes, long position) throws IOException {
            file.write(bytes, position);
        }

        @Override
        public int read(ByteBuffer into, long position) throws IOException {
            return file.read(into, position);
        }

        @Override
        public void sync() {}

        @Override
        public void setSize(long sizeBytes) throws IOException {
            file.setSize(sizeBytes);
        }

        @Override
        public long size() throws IOException {
            return file.size();
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    @Override
    public DurableFile open(Path file, Mode mode) throws IOException {
        return new UnsyncedFile(disk.open(file, mode));
    }

    @Override
    public boolean exists(Path path) throws IOException {
        return disk.exists(path);
    }

    @Override
    public void createDirectory(Path directory) throws IOException {
        disk.createDirectory(directory);
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        return disk.list(directory);
    }

    @Override
    public boolean isDirectory(Path path) throws IOException {
        return disk.isDirectory(path);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        disk.rename(from, to);
    }

    @Override
    public void delete(Path path) throws IOException {
        disk.delete(path);
    }

    @Override
    public void syncDirectory(Path directory) {}

    @Override
    public Space space() throws IOException {
        return disk.space();
    }

    @Override
    public Closeable lock(Path lockFile) throws IOException {
        return disk.lock(lockFile);
    }
}
