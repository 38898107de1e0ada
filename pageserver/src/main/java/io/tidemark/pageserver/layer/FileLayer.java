package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.file.BlockCodec;
import io.tidemark.pageserver.layer.file.LayerCursor;
import io.tidemark.pageserver.layer.file.LayerDescriptor;
import io.tidemark.pageserver.layer.file.LayerFileReader;
import io.tidemark.runtime.durable.Disk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A layer in a file, opened when somebody first needs it. A damaged one is tried again each time and fails each time, with the same
 * exception, for the keys that need it; the rest of the timeline goes on.
 */
public final class FileLayer implements Layer {
    private static final Logger LOG = LoggerFactory.getLogger(FileLayer.class);

    private final Disk disk;
    private final Path path;
    private final LayerDescriptor descriptor;
    private final BlockCodec codec;
    /** Once per file: two first readers must not open it twice. Not taken when it is open. */
    private final ReentrantLock opening = new ReentrantLock();

    private volatile @Nullable LayerFileReader reader;
    private volatile boolean obsolete;

    FileLayer(Disk disk, Path directory, LayerDescriptor descriptor, BlockCodec codec) {
        this.disk = disk;
        this.path = directory.resolve(descriptor.fileName());
        this.descriptor = descriptor;
        this.codec = codec;
    }

    public LayerDescriptor descriptor() {
        return descriptor;
    }

    public Path path() {
        return path;
    }

    /** All versions of a range of keys, in the order of the file. */
    public LayerCursor cursor(KeyRange keys) throws IOException {
        return reader().cursor(keys);
    }

    private LayerFileReader reader() throws IOException {
        LayerFileReader open = reader;
        if (open != null) {
            return open;
        }
        opening.lock();
        try {
            open = reader;
            if (open == null) {
                open = LayerFileReader.open(disk, path, descriptor, codec);
                reader = open;
            }
            return open;
        } finally {
            opening.unlock();
        }
    }

    @Override
    public void read(ChainRead read) throws IOException {
        Key key = read.key();
        boolean mayHelp = descriptor.keys().contains(key)
                && Long.compareUnsigned(descriptor.startLsn().value(), read.boundary()) <= 0;
        if (!mayHelp) {
            return;
        }
        LayerFileReader open = reader();
        if (open.contains(key.high(), key.low())) {
            read.visit();
            open.read(key.high(), key.low(), read.boundary(), read.lastBlock(this), read);
        }
    }

    @Override
    public @Nullable Key ceiling(Key key) throws IOException {
        if (!key.isBefore(descriptor.keys().end())) {
            return null;
        }
        return reader().ceiling(key);
    }

    /** No manifest names the file any more: it is deleted with the last reader. */
    void markObsolete() {
        obsolete = true;
    }

    @Override
    public void release() {
        try {
            LayerFileReader open = reader;
            if (open != null) {
                open.close();
            }
            if (obsolete) {
                disk.delete(path);
            }
        } catch (IOException e) {
            LOG.warn("could not close or delete {}; an unnamed file goes at the next start", path, e);
        }
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
