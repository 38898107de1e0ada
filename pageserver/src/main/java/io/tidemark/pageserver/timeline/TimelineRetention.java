package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.layer.LayerStore;
import io.tidemark.pageserver.layer.LsnGarbageCollectedException;
import io.tidemark.pageserver.layer.Retention;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What of a timeline's past stays readable: everything from the gc cutoff on, and single LSNs below it: the branch points of its children,
 * those that are leased, and what is being read for long.
 *
 * <p>Always: the LSN of a branch that was added is readable until the branch is removed, a leased one until the lease has expired. One lock
 * orders adding against the moves of the cutoff, so what is asked for is refused or kept, and never granted and then lost.
 *
 * <p>What the manifest retained when the timeline was opened stays until {@link #moveCutoff} is called first: by then all children are
 * known again, and all leases that somebody still needs.
 */
final class TimelineRetention {
    private static final int MAX_LEASES = 10_000;

    private final LayerStore store;
    /** Makers of branches, gc and deletion meet here, a few times a minute. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Map<TimelineId, Lsn> branches = new HashMap<>();
    /** Until when. */
    private final Map<Lsn, Instant> leases = new HashMap<>();
    /** Timelines of which it is not known what they branched from. While there is one, no garbage is collected. */
    private final Set<TimelineId> unknown = new HashSet<>();

    private final Set<Lsn> restored;
    /** What is being read for long, by how many. */
    private final Map<Lsn, Integer> held = new HashMap<>();

    private boolean closed;
    private boolean paused;

    TimelineRetention(LayerStore store) {
        this.store = store;
        this.restored = new HashSet<>(store.layers().retention().retained());
    }

    /**
     * A child begins at an LSN; from now on that stays readable.
     *
     * @param at asked under the lock, so that no cutoff passes what it answers
     * @return what {@code at} answered
     * @throws LsnGarbageCollectedException when it is not readable any more
     * @throws IllegalStateException when the timeline is being deleted
     */
    Lsn addBranch(TimelineId child, Supplier<Lsn> at) {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("the ancestor is being deleted");
            }
            Lsn lsn = at.get();
            Lsn before = branches.put(child, lsn);
            boolean done = false;
            try {
                apply(Lsn.INVALID);
                done = true;
            } finally {
                if (!done) {
                    undo(child, before);
                }
            }
            return lsn;
        } finally {
            lock.unlock();
        }
    }

    private void undo(TimelineId child, @Nullable Lsn before) {
        if (before == null) {
            branches.remove(child);
        } else {
            branches.put(child, before);
        }
    }

    /**
     * Somebody reads at an LSN for long; until {@link #release} it stays readable.
     *
     * @throws LsnGarbageCollectedException when it is not readable any more
     */
    void hold(Lsn lsn) {
        lock.lock();
        try {
            held.merge(lsn, 1, Integer::sum);
            boolean done = false;
            try {
                apply(Lsn.INVALID);
                done = true;
            } finally {
                if (!done) {
                    release(lsn);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** The end of one {@link #hold}; the LSN may go with the next garbage. */
    void release(Lsn lsn) {
        lock.lock();
        try {
            held.computeIfPresent(lsn, (same, count) -> count == 1 ? null : count - 1);
        } finally {
            lock.unlock();
        }
    }

    /** There is a timeline that may be a child, and nobody knows where it would begin: keeps everything. */
    void addUnknownBranch(TimelineId child) {
        lock.lock();
        try {
            unknown.add(child);
        } finally {
            lock.unlock();
        }
    }

    /** A child is gone; its branch point may go with the next garbage. */
    void removeBranch(TimelineId child) {
        lock.lock();
        try {
            branches.remove(child);
            unknown.remove(child);
        } finally {
            lock.unlock();
        }
    }

    /** The children, and what may be one. */
    Set<TimelineId> children() {
        lock.lock();
        try {
            Set<TimelineId> children = new HashSet<>(branches.keySet());
            children.addAll(unknown);
            return children;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Keeps an LSN readable until {@code end}, or as long as it was already promised.
     *
     * @return until when
     * @throws LsnGarbageCollectedException when it is not readable any more
     * @throws IllegalStateException when there are too many leases
     */
    Instant lease(Lsn lsn, Instant end) {
        lock.lock();
        try {
            Instant before = leases.get(lsn);
            if (before != null && !before.isBefore(end)) {
                return before;
            }
            if (before == null && leases.size() >= MAX_LEASES) {
                throw new IllegalStateException(
                        leases.size() + " LSNs are leased already, no more than " + MAX_LEASES + " can be");
            }
            leases.put(lsn, end);
            boolean done = before != null;
            try {
                if (!done) {
                    apply(Lsn.INVALID);
                    done = true;
                }
            } finally {
                if (!done) {
                    leases.remove(lsn);
                }
            }
            return end;
        } finally {
            lock.unlock();
        }
    }

    /** Lets the cutoff stand still, and what is leased be kept, until {@link #resume}. */
    void pause() {
        lock.lock();
        try {
            paused = true;
        } finally {
            lock.unlock();
        }
    }

    /** The cutoff may move again. */
    void resume() {
        lock.lock();
        try {
            paused = false;
        } finally {
            lock.unlock();
        }
    }

    /** Puts the ancestor's layers below the timeline's own. */
    @FunctionalInterface
    interface Commit {
        void run() throws IOException;
    }

    /**
     * Keeps what another timeline keeps of its history up to an LSN, since that becomes this one's history too.
     *
     * @param children branches of the other one up to that LSN, which are to be this one's
     * @param commit makes it so; nothing is retained or given up meanwhile
     * @return those children whose branch points are readable here
     */
    Set<TimelineId> takeOver(TimelineRetention other, Lsn end, Map<TimelineId, Lsn> children, Commit commit)
            throws IOException {
        SortedMap<Lsn, Instant> leased = other.leases().headMap(end.plus(1));
        Set<Lsn> restoredThere = other.restored();
        lock.lock();
        try {
            commit.run();
            Retention now = store.layers().retention();
            Map<TimelineId, Lsn> readable = new HashMap<>(children);
            readable.values().removeIf(lsn -> !now.covers(lsn));
            branches.putAll(readable);
            leased.forEach((lsn, until) -> {
                if (now.covers(lsn)) {
                    leases.merge(lsn, until, (one, two) -> one.isAfter(two) ? one : two);
                }
            });
            restoredThere.stream()
                    .filter(lsn -> lsn.isAtMost(end) && now.covers(lsn))
                    .forEach(restored::add);
            apply(Lsn.INVALID);
            return readable.keySet();
        } finally {
            lock.unlock();
        }
    }

    private Set<Lsn> restored() {
        lock.lock();
        try {
            return new HashSet<>(restored);
        } finally {
            lock.unlock();
        }
    }

    /** The leased LSNs, each with its end. */
    SortedMap<Lsn, Instant> leases() {
        lock.lock();
        try {
            return new TreeMap<>(leases);
        } finally {
            lock.unlock();
        }
    }

    /** Lets nobody branch any more; answers false, and does nothing, when somebody has. */
    boolean close() {
        lock.lock();
        try {
            if (branches.isEmpty() && unknown.isEmpty()) {
                closed = true;
            }
            return closed;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Moves the gc cutoff up to what {@code wanted} answers; never back. Leases that have expired by {@code now} are gone with it.
     *
     * @return where it is now
     */
    Lsn moveCutoff(Supplier<Lsn> wanted, Instant now) {
        lock.lock();
        try {
            if (unknown.isEmpty() && !paused) {
                restored.clear();
                leases.values().removeIf(end -> end.isBefore(now));
                apply(wanted.get());
            }
            return store.layers().retention().cutoff();
        } finally {
            lock.unlock();
        }
    }

    private void apply(Lsn cutoff) {
        List<Lsn> retained = new ArrayList<>(branches.values());
        retained.addAll(leases.keySet());
        retained.addAll(restored);
        retained.addAll(held.keySet());
        store.retain(new Retention(cutoff, retained));
    }
}
