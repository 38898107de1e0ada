package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.file.BlockCodec;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DiskFullException;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The versions of one timeline, in memory and in the layer files of one directory.
 *
 * <p>Owner: the timeline's owner is the one writer; {@link #put}, {@link #freeze}, {@link #freezeIfDue} and {@link #awaitRoom} are its.
 * Everybody else reads through a {@link LayerSnapshot}, without locks. Flushes run on the executor given; compaction replaces
 * layers through {@link #files}, one at a time.
 *
 * <p>Always: start_lsn <= compacted_lsn <= disk_consistent_lsn <= the last LSN put. A crash loses what is above disk_consistent_lsn, and
 * nothing else. After a failed fsync the store is dead for good (D7): it refuses every change, and goes on answering reads, since what
 * it has published is in memory or was durable before.
 */
public final class LayerStore implements AutoCloseable {
    private final LayerConfig config;
    private final PublishedMap published;
    private final LayerFiles files;
    private final Flusher flusher;

    /** Of the last put or freeze; the writer's. */
    private Lsn lastLsn;
    /** Where the open layer begins: nothing at or below it may be put, unless a part of it is still to come. */
    private Lsn frozenLsn;

    private boolean frozenWithinLsn;
    private long openSinceNanos;
    private boolean openSinceKnown;

    private LayerStore(
            Disk disk,
            Path directory,
            LayerConfig config,
            Executor executor,
            LayerStoreListener listener,
            BlockCodec codec,
            LayerDirectory.Recovered recovered) {
        ManifestFormat.Manifest manifest = recovered.manifest();
        this.config = config;
        this.frozenLsn = manifest.layers().diskConsistentLsn();
        this.lastLsn = frozenLsn;
        this.published =
                new PublishedMap(new LayerMap(new MemoryLayer(frozenLsn.plus(1)), List.of(), manifest.layers()));
        this.files = new LayerFiles(disk, directory, config, listener, codec, published, recovered);
        this.flusher = new Flusher(files, published, executor);
    }

    /**
     * Opens the store of a directory, which is made with the first change when it is not there. What an unfinished write left is removed.
     *
     * @param startLsn for a new one: every version will be above it; {@link Lsn#INVALID} for a timeline without an ancestor
     * @param executor runs flushes; they block on the disk
     * @throws io.tidemark.pageserver.layer.file.CorruptLayerException when the manifest is damaged, or missing beside layers
     */
    public static LayerStore open(
            Disk disk, Path directory, LayerConfig config, Lsn startLsn, Executor executor, LayerStoreListener listener)
            throws IOException {
        BlockCodec codec = new BlockCodec();
        boolean opened = false;
        try {
            LayerDirectory.Recovered recovered = new LayerDirectory(disk, directory, codec).recover(startLsn);
            LayerStore store = new LayerStore(disk, directory, config, executor, listener, codec, recovered);
            opened = true;
            return store;
        } finally {
            if (!opened) {
                codec.close();
            }
        }
    }

    /**
     * Adds a version; readers see it at once. Several keys may be put at one LSN, in any order. A second version of one key at one LSN
     * replaces the first: who has two changes of one record to one key merges them before.
     *
     * <p>Does not freeze, except when the open layer has reached its limit within one LSN (copying a database is one record): then it
     * waits for a flush, and disk_consistent_lsn does not move until the LSN is complete.
     *
     * @param base whether it is complete by itself: an image, or a record that makes its page anew
     * @throws IllegalArgumentException when the LSN is below the last one or not above the last freeze
     * @throws DiskFullException when there is no room in memory, since there is none on disk; nothing was added
     * @throws LayerStoreFailedException when the store is dead
     */
    public void put(Key key, Lsn lsn, boolean base, byte[] bytes, int offset, int length) throws IOException {
        boolean inOrder =
                lsn.isAtLeast(lastLsn) && (lsn.isAfter(frozenLsn) || frozenWithinLsn && lsn.equals(frozenLsn));
        if (!inOrder || key.equals(Key.MAX)) {
            throw new IllegalArgumentException("version of " + key + " at " + lsn + ", the last one was at " + lastLsn
                    + ", frozen up to " + frozenLsn);
        }
        MemoryLayer open = published.current().open();
        if (open.sizeBytes() + length > config.maxOpenBytes() && !open.isEmpty()) {
            spill();
            open = published.current().open();
        }
        files.requireAlive();
        open.put(key, lsn, base, bytes, offset, length);
        lastLsn = lsn;
    }

    private void spill() throws IOException {
        while (published.current().frozen().size() >= config.maxFrozen()) {
            awaitFlush(Long.MAX_VALUE);
        }
        freeze(lastLsn, false);
    }

    /**
     * Seals all versions up to {@code end}, which must be complete, and has them flushed. The next put must be above it.
     *
     * @throws IllegalArgumentException when {@code end} is below the last put or freeze
     */
    public void freeze(Lsn end) throws IOException {
        files.requireAlive();
        if (end.isBefore(lastLsn)) {
            throw new IllegalArgumentException("cannot freeze up to " + end + ", behind " + lastLsn);
        }
        if (end.equals(frozenLsn)
                && !frozenWithinLsn
                && published.current().open().isEmpty()) {
            return;
        }
        freeze(end, true);
    }

    private void freeze(Lsn end, boolean complete) throws IOException {
        files.requireAlive();
        Lsn nextStart = complete ? end.plus(1) : end;
        published.publish(
                map -> map.withFrozen(new LayerMap.Frozen(map.open(), end, complete), new MemoryLayer(nextStart)));
        lastLsn = end;
        frozenLsn = end;
        frozenWithinLsn = !complete;
        openSinceKnown = false;
        flusher.request();
    }

    /** Freezes when {@link #isFreezeDue} says so, and answers the same. */
    public boolean freezeIfDue(Lsn end, long nowNanos) throws IOException {
        boolean due = isFreezeDue(end, nowNanos);
        if (due) {
            freeze(end);
        }
        return due;
    }

    /**
     * Whether the open layer is large, far or old enough to be frozen, and there is room for one more frozen layer. Ask between batches,
     * and now and then when nothing comes. If so, something may be put at {@code end} before it is frozen.
     *
     * @param end everything up to it has been put
     * @param nowNanos the monotonic clock
     */
    public boolean isFreezeDue(Lsn end, long nowNanos) {
        LayerMap map = published.current();
        if (!openSinceKnown) {
            openSinceKnown = true;
            openSinceNanos = nowNanos;
        }
        boolean old = nowNanos - openSinceNanos >= config.freezeAge().toNanos() && end.isAfter(frozenLsn);
        boolean due = map.open().sizeBytes() >= config.freezeBytes()
                || end.minus(frozenLsn) >= config.freezeDistanceBytes()
                || old;
        return due && map.frozen().size() < config.maxFrozen();
    }

    /**
     * Waits until another layer may be frozen: until flushes and compaction have caught up.
     *
     * @return false when the time is up
     * @throws DiskFullException when it waits for a flush and the disk has no room; nothing is lost, call again later
     * @throws LayerStoreFailedException when the store is dead
     */
    public boolean awaitRoom(Duration atMost) throws IOException {
        long left = atMost.toNanos();
        while (true) {
            files.requireAlive();
            LayerMap map = published.current();
            boolean frozenRoom = map.frozen().size() < config.maxFrozen();
            if (frozenRoom && map.files().l0().size() < config.maxL0()) {
                return true;
            }
            if (left <= 0) {
                return false;
            }
            left = frozenRoom ? await(published.events(), map, left) : awaitFlush(left);
        }
    }

    /** Waits for something to happen since {@code map} was read. */
    @SuppressWarnings("ReferenceEquality") // which map it is, is the question
    private long await(long seen, LayerMap map, long nanos) throws IOException {
        if (published.current() != map) {
            return nanos;
        }
        try {
            return published.awaitEvent(seen, nanos);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for room", e);
        }
    }

    /** Waits for the end of a flush attempt that begins now or later. */
    private long awaitFlush(long nanos) throws IOException {
        LayerMap map = published.current();
        long attempts = flusher.attempts();
        long events = published.events();
        flusher.request();
        long left = flusher.attempts() == attempts ? await(events, map, nanos) : nanos;
        DiskFullException full = flusher.diskFull();
        if (full != null && flusher.attempts() > attempts) {
            throw new DiskFullException(full.getMessage() + "; waiting for room, nothing is lost", full);
        }
        files.requireAlive();
        return left;
    }

    /** Flushes what is frozen, on this thread, together with any flush that runs already; then it is durable. */
    public void flush() throws IOException {
        flusher.flush();
    }

    /** Pins the layers of now. */
    @SuppressWarnings("ReferenceEquality") // see LayerMap: the count holds when the map is still the published one
    public LayerSnapshot snapshot() {
        while (true) {
            if (files.isClosed()) {
                throw new IllegalStateException(this + " is closed");
            }
            LayerMap map = published.current();
            int stripe = map.pin();
            if (published.current() == map) {
                return new LayerSnapshot(this, map, stripe);
            }
            unpin(map, stripe);
        }
    }

    void unpin(LayerMap map, int stripe) {
        map.unpin(stripe);
        if (published.anyRetired()) {
            published.reclaim();
        }
    }

    /** {@link LayerSnapshot#read(Key, Lsn, VersionSink)} on the layers of now. */
    public LayerSnapshot.Chain read(Key key, Lsn at, VersionSink sink) throws IOException {
        try (LayerSnapshot snapshot = snapshot()) {
            return snapshot.read(key, at, sink);
        }
    }

    /** {@link LayerSnapshot#scan} on the layers of now. */
    public int scan(KeyRange keys, Lsn at, VersionSink sink) throws IOException {
        try (LayerSnapshot snapshot = snapshot()) {
            return snapshot.scan(keys, at, sink);
        }
    }

    /** Every version at or below it survives a crash. */
    public Lsn diskConsistentLsn() {
        return layers().diskConsistentLsn();
    }

    /** The layers in files. */
    public LayerSet layers() {
        return published.current().files();
    }

    /** What is in memory and not yet in a file, in bytes of versions. */
    public long unflushedBytes() {
        LayerMap map = published.current();
        return map.open().sizeBytes()
                + map.frozen().stream()
                        .mapToLong(one -> one.layer().sizeBytes())
                        .sum();
    }

    /** Memory that open and frozen layers hold, on the heap and off it. */
    public long memoryBytes() {
        LayerMap map = published.current();
        return map.open().memoryBytes()
                + map.frozen().stream()
                        .mapToLong(one -> one.layer().memoryBytes())
                        .sum();
    }

    /**
     * Says what must stay readable. New reads elsewhere below the cutoff are refused from now on; compaction drops what nobody needs.
     * Durable with the next manifest, and not before anything is dropped. The cutoff never moves back.
     *
     * @throws LsnGarbageCollectedException when an LSN is to be retained that is not readable any more; then nothing changes
     */
    public void retain(Retention retention) {
        files.retain(retention);
    }

    /** The files, for those who replace some: compaction. */
    public LayerFiles files() {
        return files;
    }

    /** Why the last flush could not write, when the disk had no room; null when it could. */
    public @Nullable String waitsForRoom() {
        DiskFullException full = flusher.diskFull();
        return full == null ? null : full.getMessage();
    }

    /** Whether it is dead; reads go on. */
    public boolean hasFailed() {
        return files.hasFailed();
    }

    /**
     * Gives memory and files back as soon as the last snapshot is closed. Does not flush: what is above disk_consistent_lsn is gone.
     * Waits for a flush that runs. The caller has stopped writing.
     */
    @Override
    public void close() {
        flusher.close();
        if (files.isClosed()) {
            return;
        }
        files.close();
        MemoryLayer nothing = new MemoryLayer(lastLsn);
        published.publish(map ->
                new LayerMap(nothing, List.of(), LayerSet.empty(map.files().startLsn())));
        nothing.release();
    }

    @Override
    public String toString() {
        return files.toString();
    }
}
