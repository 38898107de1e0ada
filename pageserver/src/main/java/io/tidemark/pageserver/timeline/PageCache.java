package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.key.Key;
import io.tidemark.wire.id.Lsn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.StampedLock;

/**
 * Pages that have been built, off the heap, a fixed number of them, for all timelines of a process; a timeline has a {@link View}.
 *
 * <p>An entry holds for LSNs {@code [fromLsn, endLsn)}: from the page's newest version on until the next one. While no newer version
 * is known the end is open, and whoever writes one closes it before that LSN can be asked for, so an entry with an open end is right
 * for every LSN that can be asked for. One entry per key; a newer one replaces an older one.
 *
 * <p>Why an open end is never stale: the writer first notes the new versions' LSNs ({@link View#changed}), then, behind a full fence, looks
 * for entries to close ({@link View#settle}), then publishes the LSNs. A reader that keeps a page read at R looks at the note under the shard's
 * lock and leaves the end open only when nothing newer than R is noted. So either the reader sees the note, or the writer sees the
 * entry. The same goes for a reader's word that it keeps pages at all: a timeline that nobody reads from is spared the search.
 *
 * <p>Sharded by key; each shard is a set-associative table under a stamped lock, so a hit costs an optimistic read and one copy of 8 KiB.
 * Within a set the entry that was not used for longest is replaced.
 */
final class PageCache implements AutoCloseable {
    private static final int PAGE = 8192;
    private static final int WAYS = 8;
    private static final int SHARDS = 64;
    private static final long OPEN = -1;

    /** How many LSNs of changes a view notes; a key shares its slot with others, which only makes entries end early. */
    private static final int NOTES = 4096;

    /** Room for changes of a view that writes little, and how many are left to be settled at once. */
    private static final int FEW_CHANGES = 16;

    private static final int MANY_CHANGES = 16 << 10;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment pages;
    private final Shard[] shards = new Shard[SHARDS];
    private final int setsPerShard;
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final AtomicLong nextOwner = new AtomicLong();

    private static final class Shard {
        private final StampedLock lock = new StampedLock();
        private final long[] owners;
        private final long[] highs;
        private final long[] lows;
        private final long[] froms;
        private final long[] ends;
        private final int[] used;
        private int clock;

        private Shard(int entries) {
            owners = new long[entries];
            highs = new long[entries];
            lows = new long[entries];
            froms = new long[entries];
            ends = new long[entries];
            used = new int[entries];
            Arrays.fill(owners, -1);
        }
    }

    /** @param capacityBytes what the pages may take; at least one page per way and shard is taken */
    PageCache(long capacityBytes) {
        setsPerShard = (int) Math.max(1, capacityBytes / PAGE / SHARDS / WAYS);
        pages = arena.allocate((long) SHARDS * setsPerShard * WAYS * PAGE, 8);
        for (int i = 0; i < SHARDS; i++) {
            shards[i] = new Shard(setsPerShard * WAYS);
        }
    }

    private static long hash(long owner, long high, long low) {
        long mixed = (high * 0x9E3779B97F4A7C15L ^ low) * 0xC2B2AE3D27D4EB4FL ^ owner;
        mixed ^= mixed >>> 29;
        mixed *= 0x9E3779B97F4A7C15L;
        return mixed ^ mixed >>> 32;
    }

    private int firstWay(long hash) {
        return (int) Long.remainderUnsigned(hash >>> 6, setsPerShard) * WAYS;
    }

    private MemorySegment page(long hash, int entry) {
        return pages.asSlice(((hash & SHARDS - 1) * setsPerShard * WAYS + entry) * PAGE, PAGE);
    }

    /** The cache as one timeline sees it. */
    final class View implements AutoCloseable {
        private final long owner = nextOwner.getAndIncrement();
        private final AtomicLongArray notes = new AtomicLongArray(NOTES);
        /** Whether anybody has ever kept a page here. */
        private volatile boolean used;

        /** The writer's: keys and LSNs whose entries are to be closed. */
        private long[] changes = new long[3 * FEW_CHANGES];

        private int changeCount;

        private View(Lsn startLsn) {
            for (int slot = 0; slot < NOTES; slot++) {
                notes.setRelease(slot, startLsn.value());
            }
        }

        /** Copies the page as of {@code at}; false when it is not there. */
        boolean get(Key key, Lsn at, byte[] into) {
            return PageCache.this.get(owner, key, at, into);
        }

        /**
         * Keeps a page.
         *
         * @param fromLsn the LSN of its newest version
         * @param readAt the LSN it was read at: no version lies between, and it had been published
         */
        void put(Key key, Lsn fromLsn, Lsn readAt, byte[] page) {
            PageCache.this.put(this, key, fromLsn, readAt, page);
        }

        /** A version of this key has been written at {@code lsn}, which is published after {@link #settle}. From the one writer. */
        void changed(Key key, Lsn lsn) {
            notes.setRelease(slot(hash(owner, key.high(), key.low())), lsn.value());
            if (3 * changeCount == changes.length) {
                if (changeCount == MANY_CHANGES) {
                    settle();
                } else {
                    changes = Arrays.copyOf(changes, 2 * changes.length);
                }
            }
            int at = 3 * changeCount++;
            changes[at] = key.high();
            changes[at + 1] = key.low();
            changes[at + 2] = lsn.value();
        }

        /** What has been written may be published. From the one writer. */
        void settle() {
            if (changeCount == 0) {
                return;
            }
            VarHandle.fullFence();
            if (used) {
                for (int at = 0; at < 3 * changeCount; at += 3) {
                    closeEnd(owner, changes[at], changes[at + 1], changes[at + 2]);
                }
            }
            changeCount = 0;
        }

        private boolean isUnchangedSince(long hash, Lsn lsn) {
            return Long.compareUnsigned(notes.get(slot(hash)), lsn.value()) <= 0;
        }

        private static int slot(long hash) {
            return (int) (hash >>> 40) & NOTES - 1;
        }

        /** Forgets the timeline's pages. */
        @Override
        public void close() {
            forget(owner);
        }
    }

    /**
     * A view for a timeline.
     *
     * @param startLsn what was written up to it is not known here: a page read below it may have a newer version
     */
    View view(Lsn startLsn) {
        return new View(startLsn);
    }

    private boolean get(long owner, Key key, Lsn at, byte[] into) {
        long hash = hash(owner, key.high(), key.low());
        Shard shard = shards[(int) (hash & SHARDS - 1)];
        int first = firstWay(hash);
        long stamp = shard.lock.tryOptimisticRead();
        if (stamp != 0) {
            int entry = find(shard, first, owner, key.high(), key.low());
            boolean covered = entry >= 0 && covers(shard, entry, at.value());
            if (covered) {
                copyOut(hash, entry, into);
            }
            if (shard.lock.validate(stamp)) {
                return count(shard, entry, covered);
            }
        }
        stamp = shard.lock.readLock();
        try {
            int entry = find(shard, first, owner, key.high(), key.low());
            boolean covered = entry >= 0 && covers(shard, entry, at.value());
            if (covered) {
                copyOut(hash, entry, into);
            }
            return count(shard, entry, covered);
        } finally {
            shard.lock.unlockRead(stamp);
        }
    }

    private boolean count(Shard shard, int entry, boolean hit) {
        if (hit) {
            // A racy write of a hint: at worst the wrong page goes first.
            shard.used[entry] = shard.clock;
            hits.increment();
        } else {
            misses.increment();
        }
        return hit;
    }

    private static boolean covers(Shard shard, int entry, long at) {
        return Long.compareUnsigned(shard.froms[entry], at) <= 0 && Long.compareUnsigned(at, shard.ends[entry]) < 0;
    }

    private void copyOut(long hash, int entry, byte[] into) {
        MemorySegment.copy(page(hash, entry), ValueLayout.JAVA_BYTE, 0, into, 0, PAGE);
    }

    private static int find(Shard shard, int first, long owner, long high, long low) {
        for (int entry = first; entry < first + WAYS; entry++) {
            if (shard.lows[entry] == low && shard.highs[entry] == high && shard.owners[entry] == owner) {
                return entry;
            }
        }
        return -1;
    }

    private void put(View view, Key key, Lsn fromLsn, Lsn readAt, byte[] page) {
        view.used = true; // before the note is read
        long owner = view.owner;
        long hash = hash(owner, key.high(), key.low());
        Shard shard = shards[(int) (hash & SHARDS - 1)];
        int first = firstWay(hash);
        long stamp = shard.lock.writeLock();
        try {
            int entry = find(shard, first, owner, key.high(), key.low());
            if (entry >= 0 && Long.compareUnsigned(shard.froms[entry], fromLsn.value()) > 0) {
                return; // what is there is newer
            }
            if (entry < 0) {
                entry = victim(shard, first);
            }
            shard.owners[entry] = owner;
            shard.highs[entry] = key.high();
            shard.lows[entry] = key.low();
            shard.froms[entry] = fromLsn.value();
            shard.ends[entry] = view.isUnchangedSince(hash, readAt) ? OPEN : readAt.value() + 1;
            shard.used[entry] = ++shard.clock;
            MemorySegment.copy(page, 0, page(hash, entry), ValueLayout.JAVA_BYTE, 0, PAGE);
        } finally {
            shard.lock.unlockWrite(stamp);
        }
    }

    private static int victim(Shard shard, int first) {
        int oldest = first;
        for (int entry = first; entry < first + WAYS; entry++) {
            if (shard.owners[entry] < 0) {
                return entry;
            }
            if (shard.used[entry] - shard.used[oldest] < 0) {
                oldest = entry;
            }
        }
        return oldest;
    }

    private void closeEnd(long owner, long high, long low, long lsn) {
        long hash = hash(owner, high, low);
        Shard shard = shards[(int) (hash & SHARDS - 1)];
        int first = firstWay(hash);
        long stamp = shard.lock.tryOptimisticRead();
        if (stamp != 0 && find(shard, first, owner, high, low) < 0 && shard.lock.validate(stamp)) {
            return;
        }
        stamp = shard.lock.writeLock();
        try {
            int entry = find(shard, first, owner, high, low);
            if (entry >= 0 && Long.compareUnsigned(shard.ends[entry], lsn) > 0) {
                shard.ends[entry] = lsn;
            }
        } finally {
            shard.lock.unlockWrite(stamp);
        }
    }

    private void forget(long owner) {
        for (Shard shard : shards) {
            long stamp = shard.lock.writeLock();
            try {
                for (int entry = 0; entry < shard.owners.length; entry++) {
                    if (shard.owners[entry] == owner) {
                        shard.owners[entry] = -1;
                    }
                }
            } finally {
                shard.lock.unlockWrite(stamp);
            }
        }
    }

    long hits() {
        return hits.sum();
    }

    long misses() {
        return misses.sum();
    }

    long capacityBytes() {
        return pages.byteSize();
    }

    @Override
    public void close() {
        arena.close();
    }
}
