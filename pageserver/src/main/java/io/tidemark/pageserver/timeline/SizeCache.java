package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.key.Key;
import io.tidemark.wire.id.Lsn;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * The sizes of relations that have been asked for lately, each for the LSNs it is right for; as {@link PageCache}, for numbers.
 *
 * <p>The lock that a reader's note of the last change and a writer's closing of the end need is the map's own, per key.
 */
final class SizeCache {
    /** The fork does not exist. */
    static final int ABSENT = -1;

    /** Nothing is known. */
    static final int UNKNOWN = -2;

    private static final int MAX_ENTRIES = 100_000;
    private static final int NOTES = 1024;
    private static final long OPEN = -1;

    private record Entry(long fromLsn, long endLsn, int blocks) {}

    private final ConcurrentHashMap<Key, Entry> entries = new ConcurrentHashMap<>();
    private final AtomicLongArray notes = new AtomicLongArray(NOTES);

    /** {@code startLsn}: what was written up to it is not known here. */
    SizeCache(Lsn startLsn) {
        for (int slot = 0; slot < NOTES; slot++) {
            notes.setRelease(slot, startLsn.value());
        }
    }

    private static int slot(Key key) {
        return (key.hashCode() * 0x9E3779B1) >>> 22;
    }

    /** The size in blocks, {@link #ABSENT}, or {@link #UNKNOWN}. */
    int get(Key key, Lsn at) {
        Entry entry = entries.get(key);
        if (entry == null
                || Long.compareUnsigned(entry.fromLsn, at.value()) > 0
                || Long.compareUnsigned(at.value(), entry.endLsn) >= 0) {
            return UNKNOWN;
        }
        return entry.blocks;
    }

    /** Keeps a size whose newest version is at {@code fromLsn}, read at {@code readAt}, which had been published. */
    void put(Key key, Lsn fromLsn, Lsn readAt, int blocks) {
        if (entries.size() >= MAX_ENTRIES) {
            entries.clear();
        }
        entries.compute(key, (k, old) -> {
            if (old != null && Long.compareUnsigned(old.fromLsn, fromLsn.value()) > 0) {
                return old;
            }
            boolean unchanged = Long.compareUnsigned(notes.get(slot(key)), readAt.value()) <= 0;
            return new Entry(fromLsn.value(), unchanged ? OPEN : readAt.value() + 1, blocks);
        });
    }

    /** A size has been written at {@code lsn}, which is published after this call. From the one writer. */
    void changed(Key key, Lsn lsn) {
        notes.set(slot(key), lsn.value());
        entries.compute(
                key,
                (k, old) -> old == null || Long.compareUnsigned(old.endLsn, lsn.value()) <= 0
                        ? old
                        : new Entry(old.fromLsn, lsn.value(), old.blocks));
    }
}
