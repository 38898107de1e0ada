package io.tidemark.safekeeper.metrics;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DiskFullException;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.runtime.durable.ForwardingDisk;
import io.tidemark.runtime.durable.ForwardingFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** A disk that measures the writes and syncs of another one, apart for control files and WAL. */
public final class MeteredDisk extends ForwardingDisk {
    private static final String CONTROL_FILE = "safekeeper.control";

    private final SafekeeperMetrics metrics;

    public MeteredDisk(Disk disk, SafekeeperMetrics metrics) {
        super(disk);
        this.metrics = metrics;
    }

    private static final class MeteredFile extends ForwardingFile {
        private final boolean control;
        private final SafekeeperMetrics metrics;

        MeteredFile(DurableFile file, boolean control, SafekeeperMetrics metrics) {
            super(file);
            this.control = control;
            this.metrics = metrics;
        }

        @Override
        public void write(ByteBuffer bytes, long position) throws IOException {
            int length = bytes.remaining();
            long start = System.nanoTime();
            try {
                super.write(bytes, position);
            } catch (IOException e) {
                throw count(metrics, e);
            }
            if (!control) {
                metrics.walWritten(length, (System.nanoTime() - start) / 1e9);
            }
        }

        @Override
        public void sync() throws IOException {
            long start = System.nanoTime();
            try {
                super.sync();
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
        DurableFile opened = super.open(file, mode);
        return mode == Mode.READ ? opened : new MeteredFile(opened, control, metrics);
    }
}
