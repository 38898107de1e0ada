package io.tidemark.safekeeper.metrics;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DiskFullException;
import io.tidemark.runtime.durable.DurableFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** A disk that measures the writes and syncs of another one, apart for control files and WAL. */
public final class MeteredDisk implements Disk {
    private static final String CONTROL_FILE = "safekeeper.control";

    private final Disk disk;
    private final SafekeeperMetrics metrics;

    public MeteredDisk(Disk disk, SafekeeperMetrics metrics) {
        this.disk = disk;
        this.metrics = metrics;
    }

    private record MeteredFile(DurableFile file, boolean control, SafekeeperMetrics metrics) implements DurableFile {
        @Override
        public void write(ByteBuffer bytes, long position) throws IOException {
            int length = bytes.remaining();
            long start = System.nanoTime();
            try {
                file.write(bytes, position);
            } catch (IOException e) {
                throw count(metrics, e);
            }
            if (!control) {
                metrics.walWritten(length, (System.nanoTime() - start) / 1e9);
            }
        }

        @Override
        public int read(ByteBuffer into, long position) throws IOException {
            return file.read(into, position);
        }

        @Override
        public void sync() throws IOException {
            long start = System.nanoTime();
            try {
                file.sync();
            } catch (IOException e) {
                throw count(metrics, e);
            }
            double seconds = (System.nanoTime() - start) / 1e9;
            if (control) {
                metrics.controlFilePersisted(seconds);
            } else {
                metrics.walFlushed(seconds);
            }
        }

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

    private static IOException count(SafekeeperMetrics metrics, IOException e) {
        if (e instanceof DiskFullException) {
            metrics.diskWasFull();
        } else {
            metrics.diskFailed();
        }
        return e;
    }

    @Override
    public DurableFile open(Path file, Mode mode) throws IOException {
        boolean control =
                file.getFileName() != null && file.getFileName().toString().startsWith(CONTROL_FILE);
        DurableFile opened = disk.open(file, mode);
        return mode == Mode.READ ? opened : new MeteredFile(opened, control, metrics);
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
    public void syncDirectory(Path directory) throws IOException {
        disk.syncDirectory(directory);
    }

    @Override
    public Space space() throws IOException {
        return disk.space();
    }

    @Override
    public Closeable lock(Path lockFile) throws IOException {
        return disk.lock(lockFile);
    }
}
