package io.tidemark.safekeeper.timeline;

import io.tidemark.wire.id.TenantTimelineId;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Timelines that were deleted here not long ago, so that a compute that still pushes to them does not create them anew. In memory
 * only: after a restart nothing remembers deletions, and not allowing creation by computes is the real protection.
 *
 * <p>Guarded by the registry's lock.
 */
final class Tombstones {
    static final Duration LIFE = Duration.ofDays(1);

    /** More than this are never kept; the oldest ones go first. */
    static final int MAX_COUNT = 100_000;

    /** A tombstone that no generation outgrows: the timeline was deleted, not excluded. */
    private static final long PERMANENT = Long.MAX_VALUE;

    private record Tombstone(long generation, long bornNanos) {}

    /** In order of birth. */
    private final Map<TenantTimelineId, Tombstone> tombstones = new LinkedHashMap<>();

    /** The timeline was deleted. */
    void deleted(TenantTimelineId ttid, long nowNanos) {
        put(ttid, new Tombstone(PERMANENT, nowNanos));
    }

    /** This node was excluded from the timeline's membership of {@code generation}. */
    void excluded(TenantTimelineId ttid, long generation, long nowNanos) {
        Tombstone old = tombstones.get(ttid);
        long strongest = old == null ? generation : Math.max(old.generation(), generation);
        put(ttid, new Tombstone(strongest, nowNanos));
    }

    /** True when the timeline must not be created with a membership of {@code generation}; 0 is creation by a compute. */
    boolean forbids(TenantTimelineId ttid, long generation, long nowNanos) {
        dropOld(nowNanos);
        Tombstone tombstone = tombstones.get(ttid);
        return tombstone != null && tombstone.generation() >= generation;
    }

    /** The timeline exists again. */
    void remove(TenantTimelineId ttid) {
        tombstones.remove(ttid);
    }

    private void put(TenantTimelineId ttid, Tombstone tombstone) {
        dropOld(tombstone.bornNanos());
        tombstones.remove(ttid);
        if (tombstones.size() >= MAX_COUNT) {
            tombstones.remove(tombstones.keySet().iterator().next());
        }
        tombstones.put(ttid, tombstone);
    }

    private void dropOld(long nowNanos) {
        Iterator<Tombstone> oldestFirst = tombstones.values().iterator();
        while (oldestFirst.hasNext() && nowNanos - oldestFirst.next().bornNanos() >= LIFE.toNanos()) {
            oldestFirst.remove();
        }
    }
}
