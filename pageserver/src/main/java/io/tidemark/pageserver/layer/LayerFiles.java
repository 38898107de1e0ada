package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.file.BlockCodec;
import io.tidemark.pageserver.layer.file.LayerDescriptor;
import io.tidemark.pageserver.layer.file.LayerFileWriter;
import io.tidemark.pageserver.layer.file.LayerKind;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DiskFullException;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The layer files of a store and the manifest that names them: where a change becomes durable, and then visible. For flush and
 * compaction; whether the store lives is known here too, since it dies of its files.
 *
 * <p>The order of a change: files synced and renamed, names synced, manifest replaced, map published, listener told, files that are not
 * named any more deleted with their last reader.
 */
public final class LayerFiles {
    private static final Logger LOG = LoggerFactory.getLogger(LayerFiles.class);

    private final Disk disk;
    private final Path directory;
    private final LayerConfig config;
    private final LayerStoreListener listener;
    private final BlockCodec codec;
    private final ManifestStore manifests;
    private final AtomicLong nextNumber;
    private final PublishedMap published;
    /** Orders manifests; held while one is written. Never taken by the writer or a reader. */
    private final ReentrantLock committing = new ReentrantLock();

    /** There is a manifest on disk. */
    private volatile boolean begun;

    private volatile @Nullable Throwable failure;
    private volatile boolean closed;

    LayerFiles(
            Disk disk,
            Path directory,
            LayerConfig config,
            LayerStoreListener listener,
            BlockCodec codec,
            PublishedMap published,
            LayerDirectory.Recovered recovered) {
        this.disk = disk;
        this.directory = directory;
        this.config = config;
        this.listener = listener;
        this.codec = codec;
        this.manifests = new ManifestStore(disk, directory);
        this.published = published;
        this.nextNumber = new AtomicLong(recovered.manifest().nextNumber());
        this.begun = recovered.isWritten();
    }

    /** The layers that are durable and published. */
    public LayerSet layers() {
        return published.current().files();
    }

    /**
     * Says what must stay readable. New reads elsewhere below the cutoff are refused from now on; compaction drops what nobody needs.
     * Durable with the next manifest, and not before anything is dropped. The cutoff never moves back.
     *
     * @throws LsnGarbageCollectedException when an LSN is to be retained that is not readable any more; then nothing changes
     */
    void retain(Retention retention) {
        committing.lock();
        try {
            Retention now = layers().retention();
            for (Lsn lsn : retention.retained()) {
                if (!now.covers(lsn)) {
                    throw new LsnGarbageCollectedException(lsn, now.cutoff());
                }
            }
            Lsn cutoff = retention.cutoff().max(now.cutoff());
            Retention next = new Retention(cutoff, retention.retained());
            published.publish(map -> map.withFiles(map.files().withRetention(next)));
        } finally {
            committing.unlock();
        }
    }

    /**
     * For compaction: moves the oldest L0 layers, rewritten, into the partitions.
     *
     * @param inputs the oldest ones, all of them down to {@code upTo}
     * @param outputs newest first, durable under their names; the directory is synced here
     * @param upTo the new compacted_lsn
     * @param splits where to cut partitions
     */
    public void replaceL0(Collection<FileLayer> inputs, List<LayerDescriptor> outputs, Lsn upTo, Collection<Key> splits)
            throws IOException {
        List<FileLayer> layers = outputs.stream().map(this::layerOf).toList();
        replace(layers, files -> files.withCompactedL0(inputs, layers, upTo, splits));
    }

    /**
     * For compaction: moves the oldest L0 layers into the partitions as they are.
     *
     * @param inputs the oldest ones, all of them down to {@code upTo}, newest first
     * @param upTo the new compacted_lsn
     */
    public void sinkL0(List<FileLayer> inputs, Lsn upTo) throws IOException {
        commit(files -> files.withCompactedL0(inputs, inputs, upTo, List.of()), UnaryOperator.identity());
    }

    /**
     * For compaction: replaces the upper layers of one partition's stack.
     *
     * @param keys the partition's
     * @param inputs the newest ones of the stack
     * @param outputs newest first
     * @param collectedLsn the partition's new one
     * @param splits where to cut the partition
     */
    public void replaceStack(
            KeyRange keys,
            Collection<FileLayer> inputs,
            List<LayerDescriptor> outputs,
            Lsn collectedLsn,
            Collection<Key> splits)
            throws IOException {
        List<FileLayer> layers = outputs.stream().map(this::layerOf).toList();
        replace(layers, files -> files.withMergedStack(keys, inputs, layers, collectedLsn, splits));
    }

    /**
     * Puts images of what the timeline began with below everything else: it needs no ancestor any more.
     *
     * @param images at start_lsn, durable under their names; the directory is synced here
     */
    public void addBottom(List<LayerDescriptor> images) throws IOException {
        List<FileLayer> layers = images.stream().map(this::layerOf).toList();
        List<Key> splits = images.stream().map(layer -> layer.keys().start()).toList();
        replace(layers, files -> files.withBottom(layers, splits));
    }

    /**
     * Puts the history of another timeline below everything else; see {@link HistoryCopy}.
     *
     * @param older its partitions, of layers that are durable under their names; the directory is synced here
     * @param kept what is kept of it
     * @param end where it ends
     */
    void addHistory(List<LayerSet.Partition> older, Retention kept, Lsn end) throws IOException {
        commit(files -> files.withHistory(older, kept, end), UnaryOperator.identity());
    }

    private void replace(List<FileLayer> outputs, UnaryOperator<LayerSet> change) throws IOException {
        boolean committed = false;
        try {
            commit(change, UnaryOperator.identity());
            committed = true;
        } finally {
            if (!committed) {
                outputs.forEach(this::discard);
            }
        }
    }

    /** Makes a change of the files durable, then publishes it, together with one of the layers in memory. */
    void commit(UnaryOperator<LayerSet> change, UnaryOperator<LayerMap> inMemory) throws IOException {
        exclusively(() -> {
            LayerSet next = change.apply(layers());
            if (!begun) {
                makeDirectory();
            }
            // Names before the manifest that uses them. It is one more fsync, and the order holds on any file system.
            disk.syncDirectory(directory);
            Set<FileLayer> before = layers().layers();
            writeManifest(next);
            before.removeAll(next.layers());
            before.forEach(FileLayer::markObsolete);
            published.publish(map -> inMemory.apply(map).withFiles(next));
        });
        try {
            listener.layersChanged(layers());
        } catch (RuntimeException e) {
            LOG.error("{}: a listener failed; what it should have heard is durable all the same", this, e);
        }
    }

    /** A new store gets its manifest before its first layer: layers without one are those of a store that has lost it. */
    private void begin() throws IOException {
        exclusively(() -> {
            if (!begun) {
                makeDirectory();
                writeManifest(layers());
            }
        });
    }

    private interface Change {
        void make() throws IOException;
    }

    /** One change of the manifest at a time; what fails with anything but a full disk ends the store. */
    private void exclusively(Change change) throws IOException {
        committing.lock();
        try {
            requireAlive();
            change.make();
        } catch (DiskFullException e) {
            throw e;
        } catch (IOException | RuntimeException | Error e) {
            fail(e);
            throw e;
        } finally {
            committing.unlock();
        }
    }

    // Also when it is there: whoever made it may have been killed before its name was durable.
    private void makeDirectory() throws IOException {
        disk.createDirectory(directory);
        Path parent = directory.getParent();
        disk.syncDirectory(parent == null ? Path.of("") : parent);
    }

    private void writeManifest(LayerSet layers) throws IOException {
        manifests.replace(ManifestFormat.encode(new ManifestFormat.Manifest(layers, nextNumber.get())));
        begun = true;
    }

    /** For flush and compaction: a file of a number of its own. */
    public LayerFileWriter newLayer(LayerKind kind, Lsn startLsn, Lsn endLsn) throws IOException {
        if (!begun) {
            begin();
        }
        return new LayerFileWriter(
                disk,
                directory,
                kind,
                nextNumber.getAndIncrement(),
                startLsn,
                endLsn,
                config.blockBytes(),
                config.zstdLevel());
    }

    FileLayer layerOf(LayerDescriptor descriptor) {
        return new FileLayer(disk, directory, descriptor, codec);
    }

    /** For compaction: deletes a finished file that no manifest will name. What cannot be deleted goes at the next start. */
    public void discard(LayerDescriptor descriptor) {
        discard(layerOf(descriptor));
    }

    void discard(FileLayer layer) {
        if (failure == null) {
            layer.markObsolete();
            layer.release();
        }
    }

    /** Stops the store for good. */
    public void fail(Throwable cause) {
        if (failure == null) {
            failure = cause;
            listener.failed(cause);
        }
        published.wake();
    }

    /** Whether it is dead; reads go on. */
    public boolean hasFailed() {
        return failure != null;
    }

    void requireAlive() throws LayerStoreFailedException {
        Throwable cause = failure;
        if (cause != null) {
            throw new LayerStoreFailedException(
                    this + " has stopped for good; restart to go on from disk_consistent_lsn "
                            + layers().diskConsistentLsn(),
                    cause);
        }
        if (closed) {
            throw new IllegalStateException(this + " is closed");
        }
    }

    boolean isClosed() {
        return closed;
    }

    /** Refuses every change from now on. Waits for one that is being made. */
    void close() {
        committing.lock();
        try {
            closed = true;
        } finally {
            committing.unlock();
        }
        codec.close();
    }

    @Override
    public String toString() {
        return "layer store " + directory;
    }
}
