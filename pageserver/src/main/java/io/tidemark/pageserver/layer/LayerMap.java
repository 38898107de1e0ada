package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;

/**
 * All layers at one moment. Immutable, but for the open layer that grows, and the count of readers who have pinned it.
 *
 * <p>The count is striped over cache lines, so that readers on different cores do not meet. A reader counts itself in, then looks
 * whether this is still the published map, and leaves it alone when it is not; whoever retires the map publishes the next one, then
 * looks at the counts. One of the two sees the other.
 */
final class LayerMap {
    private static final int STRIPES = 16;
    private static final int INTS_PER_CACHE_LINE = 16;

    /**
     * A layer that waits for its flush.
     *
     * @param layer the versions
     * @param end the LSN up to which it, with all before it, is complete
     * @param complete false when more versions at {@code end} are in the next layer
     */
    record Frozen(MemoryLayer layer, Lsn end, boolean complete) {}

    private final MemoryLayer open;
    /** Newest first. */
    private final List<Frozen> frozen;

    private final LayerSet files;
    private final AtomicIntegerArray pins = new AtomicIntegerArray(STRIPES * INTS_PER_CACHE_LINE);

    LayerMap(MemoryLayer open, List<Frozen> frozen, LayerSet files) {
        this.open = open;
        this.frozen = frozen;
        this.files = files;
    }

    MemoryLayer open() {
        return open;
    }

    List<Frozen> frozen() {
        return frozen;
    }

    LayerSet files() {
        return files;
    }

    LayerMap withFiles(LayerSet next) {
        return new LayerMap(open, frozen, next);
    }

    /** The open layer becomes the newest frozen one. */
    LayerMap withFrozen(Frozen newest, MemoryLayer nextOpen) {
        List<Frozen> more = new ArrayList<>(frozen.size() + 1);
        more.add(newest);
        more.addAll(frozen);
        return new LayerMap(nextOpen, List.copyOf(more), files);
    }

    /** The oldest frozen layer is in a file now. */
    LayerMap withoutOldestFrozen() {
        return new LayerMap(open, frozen.subList(0, frozen.size() - 1), files);
    }

    /** Counts a reader in; answers what {@link #unpin} wants back. */
    int pin() {
        int stripe = ((int) Thread.currentThread().threadId() & (STRIPES - 1)) * INTS_PER_CACHE_LINE;
        pins.incrementAndGet(stripe);
        return stripe;
    }

    void unpin(int stripe) {
        pins.decrementAndGet(stripe);
    }

    boolean isPinned() {
        for (int stripe = 0; stripe < STRIPES; stripe++) {
            if (pins.get(stripe * INTS_PER_CACHE_LINE) != 0) {
                return true;
            }
        }
        return false;
    }

    /** Every layer once. */
    List<Layer> layers() {
        List<Layer> all = new ArrayList<>();
        all.add(open);
        frozen.forEach(one -> all.add(one.layer()));
        all.addAll(files.layers());
        return all;
    }

    /** Reads one key, newest layer first, until a base. */
    void read(ChainRead read) throws IOException {
        open.read(read);
        for (int i = 0; i < frozen.size() && !read.isAtBase(); i++) {
            frozen.get(i).layer().read(read);
        }
        read(read, files.l0());
        if (!read.isAtBase()) {
            read(read, files.partition(read.key()).stack());
        }
    }

    private static void read(ChainRead read, List<FileLayer> layers) throws IOException {
        for (int i = 0; i < layers.size() && !read.isAtBase(); i++) {
            layers.get(i).read(read);
        }
    }

    /** Reads every key of a range, in order; answers how many had a version. */
    int scan(KeyRange keys, Lsn at, ChainRead read) throws IOException {
        int found = 0;
        Key key = ceiling(keys.start());
        while (key != null && key.isBefore(keys.end())) {
            read.start(key, at);
            read(read);
            if (read.versions() > 0) {
                found++;
            }
            key = ceiling(key.next());
        }
        return found;
    }

    /** The first key with any version at or behind this one. */
    private @Nullable Key ceiling(Key key) throws IOException {
        Key nearest = open.ceiling(key);
        for (Frozen one : frozen) {
            nearest = nearer(nearest, one.layer().ceiling(key));
        }
        for (FileLayer layer : files.l0()) {
            nearest = nearer(nearest, layer.ceiling(key));
        }
        LayerSet.Partition partition = files.partition(key);
        while (true) {
            for (FileLayer layer : partition.stack()) {
                nearest = nearer(nearest, layer.ceiling(key));
            }
            Key end = partition.keys().end();
            if (end.compareTo(Key.MAX) == 0 || nearest != null && nearest.isBefore(end)) {
                return nearest;
            }
            partition = files.partition(end);
        }
    }

    private static @Nullable Key nearer(@Nullable Key one, @Nullable Key other) {
        if (one == null || other == null) {
            return one == null ? other : one;
        }
        return one.isBefore(other) ? one : other;
    }
}
