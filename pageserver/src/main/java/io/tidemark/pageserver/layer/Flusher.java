package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.layer.file.LayerDescriptor;
import io.tidemark.pageserver.layer.file.LayerFileWriter;
import io.tidemark.pageserver.layer.file.LayerKind;
import io.tidemark.runtime.durable.DiskFullException;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes frozen layers to L0 files, the oldest first, on the executor it was given, one at a time.
 *
 * <p>A full disk is not a failure: the layer stays in memory, and the next request tries again. Anything else that goes wrong ends the
 * store.
 */
final class Flusher {
    private static final Logger LOG = LoggerFactory.getLogger(Flusher.class);

    private final LayerFiles files;
    private final PublishedMap published;
    private final Executor executor;
    private final AtomicBoolean requested = new AtomicBoolean();
    /** One flush at a time, whoever asks: the order of L0 files is that of the frozen layers. */
    private final ReentrantLock flushing = new ReentrantLock();

    private boolean closed;
    private volatile @Nullable DiskFullException diskFull;
    /** Attempts that have ended. */
    private final AtomicLong attempts = new AtomicLong();

    Flusher(LayerFiles files, PublishedMap published, Executor executor) {
        this.files = files;
        this.published = published;
        this.executor = executor;
    }

    /** Why the last attempt could not write; null when it could. */
    @Nullable
    DiskFullException diskFull() {
        return diskFull;
    }

    long attempts() {
        return attempts.get();
    }

    /** Asks for a flush of all that is frozen. */
    void request() {
        if (requested.compareAndSet(false, true)) {
            try {
                executor.execute(this::run);
            } catch (RejectedExecutionException e) {
                requested.set(false);
                LOG.debug("no flush any more: the executor has stopped");
            }
        }
    }

    private void run() {
        requested.set(false);
        flushing.lock(); // so that the store is not closed between the question and the flush
        try {
            if (!files.isClosed()) {
                flush();
            }
        } catch (DiskFullException e) {
            LOG.warn("{}: no room for a layer; it stays in memory: {}", files, e.getMessage());
        } catch (IOException e) {
            LOG.error("{}: flush failed", files, e);
        } finally {
            flushing.unlock();
        }
    }

    /** Flushes all that is frozen; when it returns, it is durable. */
    void flush() throws IOException {
        flushing.lock();
        try {
            files.requireAlive();
            while (!closed && !published.current().frozen().isEmpty()) {
                flushOldest(published.current().frozen().getLast());
            }
            diskFull = null;
        } catch (DiskFullException e) {
            diskFull = e;
            throw e;
        } finally {
            attempts.incrementAndGet();
            flushing.unlock();
            published.wake();
        }
    }

    private void flushOldest(LayerMap.Frozen frozen) throws IOException {
        Lsn diskConsistentLsn =
                frozen.complete() ? frozen.end() : files.layers().diskConsistentLsn();
        FileLayer layer = null;
        boolean committed = false;
        try {
            if (!frozen.layer().isEmpty()) {
                layer = files.layerOf(write(frozen));
            }
            FileLayer written = layer;
            files.commit(
                    set -> (written == null ? set : set.withL0(written)).withDiskConsistentLsn(diskConsistentLsn),
                    LayerMap::withoutOldestFrozen);
            committed = true;
        } finally {
            if (!committed && layer != null) {
                files.discard(layer);
            }
        }
    }

    private LayerDescriptor write(LayerMap.Frozen frozen) throws IOException {
        MemoryLayer layer = frozen.layer();
        try (LayerFileWriter writer =
                files.newLayer(LayerKind.DELTA, layer.startLsn(), frozen.end().plus(1))) {
            layer.writeTo(writer);
            return writer.finish();
        } catch (DiskFullException e) {
            throw e;
        } catch (IOException | RuntimeException | Error e) {
            files.fail(e);
            throw e;
        }
    }

    /** Waits for a flush that runs; there will be no other. */
    void close() {
        flushing.lock();
        try {
            closed = true;
        } finally {
            flushing.unlock();
        }
    }
}
