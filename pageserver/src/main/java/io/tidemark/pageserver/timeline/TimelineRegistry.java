package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.ingest.TimelineHead;
import io.tidemark.pageserver.layer.LayerStore;
import io.tidemark.pageserver.layer.LsnGarbageCollectedException;
import io.tidemark.pageserver.metrics.PageserverMetrics;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The timelines of a pageserver, in memory and in its data directory ({@link TimelineFiles}).
 *
 * <p>Making and deleting timelines is serialised; finding one takes no lock. A timeline that cannot be opened is known with its reason,
 * and keeps its files; the others go on.
 */
public final class TimelineRegistry implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TimelineRegistry.class);
    static final Comparator<TimelineId> BY_TEXT = Comparator.comparing(TimelineId::toString);

    private final Disk disk;
    private final TimelineFiles files;
    private final StorageTuning tuning;
    private final PageCache cache;
    private final AncestorDetach detach;
    private final Companion companion;
    private final PageserverMetrics metrics;
    private final ExecutorService sessionThreads = Executors.newVirtualThreadPerTaskExecutor();
    private final ExecutorService flushThreads;
    private final Map<TenantTimelineId, Timeline> timelines = new ConcurrentHashMap<>();
    private final Map<TenantTimelineId, String> broken = new ConcurrentHashMap<>();
    private final Map<TenantTimelineId, TimelineMetadata> loaded = new ConcurrentHashMap<>();
    private final Set<TenantTimelineId> beingMade = new HashSet<>();

    /** Somebody who works beside each timeline: whoever brings it WAL. */
    public interface Companion {
        /** For registries that only read. */
        Companion NONE = new Companion() {
            @Override
            public void opened(Timeline timeline) {}

            @Override
            public void closing(Timeline timeline) {}
        };

        /** A timeline can be written from now on. */
        void opened(Timeline timeline);

        /** Stops writing to the timeline before this returns. */
        void closing(Timeline timeline);
    }

    private TimelineRegistry(
            Disk disk, StorageTuning tuning, long pageCacheBytes, Companion companion, PageserverMetrics metrics) {
        this.companion = companion;
        this.disk = disk;
        this.files = new TimelineFiles(disk);
        this.tuning = tuning;
        this.cache = new PageCache(pageCacheBytes);
        this.detach = new AncestorDetach(this, files, tuning.compaction().targetFileBytes());
        this.metrics = metrics;
        this.flushThreads = Executors.newFixedThreadPool(
                2, task -> Thread.ofPlatform().daemon().name("flush").unstarted(task));
        metrics.gauge("page_cache_hits", "Pages served from the cache of built pages", cache::hits);
        metrics.gauge("page_cache_misses", "Pages that had to be built", cache::misses);
        metrics.gauge(
                "timelines_without_room",
                "Timelines whose last flush found the disk full",
                () -> timelines.values().stream()
                        .filter(timeline -> timeline.store().waitsForRoom() != null)
                        .count());
        metrics.gauge(
                "damaged_layers",
                "Layer files that compaction found damaged and goes around",
                () -> timelines.values().stream()
                        .mapToInt(timeline -> timeline.compactor().damagedLayers())
                        .sum());
    }

    /** Opens all timelines of a data directory. Throws when the directory itself cannot be read. */
    public static TimelineRegistry open(
            Disk disk, StorageTuning tuning, long pageCacheBytes, Companion companion, PageserverMetrics metrics)
            throws IOException {
        TimelineRegistry registry = new TimelineRegistry(disk, tuning, pageCacheBytes, companion, metrics);
        for (TenantTimelineId id : registry.files.list()) {
            try {
                registry.loaded.put(id, registry.files.read(id));
            } catch (IOException e) {
                registry.markBroken(id, String.valueOf(e.getMessage()), e);
            }
        }
        registry.openLoaded();
        registry.finishDetaching();
        return registry;
    }

    // Ancestors before their branches.
    private void openLoaded() {
        Deque<TimelineMetadata> waiting = new ArrayDeque<>(loaded.values());
        int untilStuck = waiting.size();
        while (!waiting.isEmpty()) {
            TimelineMetadata metadata = waiting.remove();
            TenantTimelineId ancestor = ancestorId(metadata);
            if (ancestor != null && !timelines.containsKey(ancestor)) {
                if (loaded.containsKey(ancestor) && !broken.containsKey(ancestor) && untilStuck-- > 0) {
                    waiting.add(metadata);
                } else {
                    markBroken(metadata.id(), "its ancestor " + ancestor + " is missing or damaged", null);
                }
                continue;
            }
            untilStuck = waiting.size();
            try {
                keepBranchPoint(metadata);
                open(metadata);
            } catch (IOException | LsnGarbageCollectedException e) {
                markBroken(metadata.id(), e.getMessage() + "", e);
            }
        }
        // What cannot even be read may have branched from any other timeline of its tenant.
        broken.keySet().stream()
                .filter(id -> !loaded.containsKey(id))
                .forEach(id -> timelinesOf(id.tenantId())
                        .forEach(other -> other.retention().addUnknownBranch(id.timelineId())));
    }

    private void keepBranchPoint(TimelineMetadata metadata) {
        TenantTimelineId ancestorId = ancestorId(metadata);
        Timeline ancestor = ancestorId == null ? null : timelines.get(ancestorId);
        if (ancestor != null) {
            Lsn lsn = metadata.ancestor().orElseThrow().lsn();
            ancestor.retention().addBranch(metadata.id().timelineId(), () -> lsn);
        }
    }

    private static @Nullable TenantTimelineId ancestorId(TimelineMetadata metadata) {
        return metadata.ancestor()
                .map(branch -> new TenantTimelineId(metadata.id().tenantId(), branch.timelineId()))
                .orElse(null);
    }

    private void markBroken(TenantTimelineId id, String reason, @Nullable Exception cause) {
        LOG.error("timeline {} is not served: {}", id, reason, cause);
        metrics.alarm();
        broken.put(id, reason);
    }

    private LayerStore openStore(TenantTimelineId id, Lsn start) throws IOException {
        return LayerStore.open(
                disk,
                files.layers(id),
                tuning.layers(),
                start,
                flushThreads,
                new StoreListener(id, timelines::get, metrics));
    }

    private Timeline open(TimelineMetadata metadata) throws IOException {
        Lsn start = metadata.ancestor().map(TimelineMetadata.BranchPoint::lsn).orElse(Lsn.INVALID);
        return serve(metadata, openStore(metadata.id(), start));
    }

    private Timeline serve(TimelineMetadata metadata, LayerStore store) {
        TenantTimelineId ancestorId = ancestorId(metadata);
        Timeline ancestor = ancestorId == null ? null : timelines.get(ancestorId);
        Timeline timeline = new Timeline(metadata, store, cache, ancestor, metrics::alarm, tuning.compaction());
        try {
            timeline.recallLastRecord();
        } catch (ReadException e) {
            // Only the back link of a base backup's first record depends on it.
            LOG.warn("timeline {}: the last record is not known: {}", metadata.id(), e.text());
        }
        if (timeline.isPartlyDetached()) {
            timeline.retention().pause();
        }
        timelines.put(metadata.id(), timeline);
        timeline.startCompaction();
        companion.opened(timeline);
        return timeline;
    }

    /** Where a new timeline's base data comes from. */
    @FunctionalInterface
    public interface BaseDataSource {
        /**
         * Puts everything at the start LSN, and says what it was. Reads nothing back. What it throws undoes the making.
         *
         * @return what the timeline is, with the id that it is to have
         */
        TimelineMetadata put(TimelineHead head) throws IOException;
    }

    /**
     * Makes a timeline; it is durable and readable when this returns.
     *
     * @throws IOException when the base data cannot be had or written; nothing is left of it
     * @throws TimelineExistsException when there is one of this id, or it is being made
     */
    public Timeline create(TenantTimelineId id, BaseDataSource source) throws IOException {
        return make(id, () -> {
            TimelineMetadata metadata;
            try (LayerStore store = openStore(id, Lsn.INVALID)) {
                metadata = source.put(new NewTimelineHead(store));
                store.freeze(metadata.startLsn());
                store.flush();
            }
            files.write(metadata);
            return open(metadata);
        });
    }

    /**
     * Makes a branch; it is durable and readable when this returns.
     *
     * @param at an LSN that the ancestor has ingested; none: its last_record_lsn
     * @throws IOException when it cannot be written; nothing is left of it
     * @throws io.tidemark.pageserver.layer.LsnGarbageCollectedException when the ancestor cannot be read there any more
     * @throws TimelineExistsException when there is one of this id, or it is being made
     * @throws IllegalStateException when the ancestor is being deleted
     */
    Timeline branch(TenantTimelineId id, Timeline ancestor, Optional<Lsn> at) throws IOException {
        return make(id, () -> {
            Lsn lsn = ancestor.retention().addBranch(id.timelineId(), () -> at.orElseGet(ancestor::lastRecordLsn));
            boolean done = false;
            try {
                TimelineMetadata metadata = ancestor.metadata().branch(id, lsn, ancestor.prevRecordLsnAt(lsn));
                LayerStore store = openStore(id, lsn);
                files.write(metadata);
                Timeline timeline = serve(metadata, store);
                done = true;
                flushUpTo(ancestor, lsn);
                return timeline;
            } finally {
                if (!done) {
                    ancestor.retention().removeBranch(id.timelineId());
                }
            }
        });
    }

    /** So that after a crash the branch does not have to wait until its ancestor has streamed so far again. */
    private void flushUpTo(Timeline timeline, Lsn lsn) {
        if (timeline.diskConsistentLsn().isAtLeast(lsn)) {
            return;
        }
        sessionThreads.execute(() -> {
            try {
                timeline.flush();
            } catch (IOException | IllegalStateException e) {
                LOG.info(
                        "timeline {}: not flushed after branching: {}",
                        timeline.metadata().id(),
                        e.getMessage());
            }
        });
    }

    @FunctionalInterface
    private interface Making {
        Timeline make() throws IOException;
    }

    private Timeline make(TenantTimelineId id, Making making) throws IOException {
        synchronized (beingMade) {
            if (timelines.containsKey(id) || broken.containsKey(id) || !beingMade.add(id)) {
                throw new TimelineExistsException(id);
            }
        }
        boolean done = false;
        try {
            files.makeDirectory(id);
            Timeline timeline = making.make();
            done = true;
            return timeline;
        } finally {
            if (!done) {
                files.delete(id);
            }
            synchronized (beingMade) {
                beingMade.remove(id);
            }
        }
    }

    /**
     * Makes a branch independent of its ancestor: what it has of it becomes its own. What was done before is not done again, and what was
     * left undone is finished, whatever the behavior now.
     *
     * @return the timelines that were branches of the ancestor and are now its, now or by an earlier call
     * @throws BranchException when it never had an ancestor, or has more than one where it may not, or the tenant is busy
     * @throws IOException when it cannot be read or written; nothing has changed then, or it can be repeated
     */
    public List<TimelineId> detach(Timeline timeline, DetachBehavior behavior) throws BranchException, IOException {
        return detach.detach(timeline, behavior);
    }

    private void finishDetaching() {
        for (Timeline timeline : List.copyOf(timelines.values())) {
            if (timeline.isPartlyDetached()) {
                try {
                    detach(timeline, DetachBehavior.NO_ANCESTOR_AND_REPARENT);
                } catch (BranchException | IOException e) {
                    LOG.error(
                            "timeline {} was being detached from its ancestor, and keeps its garbage until that is repeated: {}",
                            timeline.metadata().id(),
                            e.getMessage());
                }
            }
        }
    }

    /** Keeps others from making, deleting or detaching a timeline, until {@link #unclaim}; false when one of them is under way. */
    boolean claim(TenantTimelineId id) {
        synchronized (beingMade) {
            return beingMade.add(id);
        }
    }

    void unclaim(TenantTimelineId id) {
        synchronized (beingMade) {
            beingMade.remove(id);
        }
    }

    /** What is known of the timelines of a tenant, also of those that are not served. */
    List<TimelineMetadata> known(TenantId tenant) {
        List<TimelineMetadata> known = new ArrayList<>();
        timelinesOf(tenant).forEach(timeline -> known.add(timeline.metadata()));
        loaded.values().stream()
                .filter(metadata -> metadata.id().tenantId().equals(tenant) && broken.containsKey(metadata.id()))
                .forEach(known::add);
        return known;
    }

    /** What is known of a timeline, also when it is not served. */
    Optional<TimelineMetadata> knownMetadata(TenantTimelineId id) {
        Timeline timeline = timelines.get(id);
        if (timeline != null) {
            return Optional.of(timeline.metadata());
        }
        return broken.containsKey(id) ? Optional.ofNullable(loaded.get(id)) : Optional.empty();
    }

    /** It is durable that a timeline has another ancestor, which has all that it had of the old one. */
    void reparented(TimelineMetadata metadata, Timeline ancestor) {
        Timeline timeline = timelines.get(metadata.id());
        if (timeline == null) {
            loaded.put(metadata.id(), metadata);
        } else {
            timeline.reparented(metadata, ancestor);
        }
    }

    /**
     * Deletes a timeline with its files; does nothing when there is none.
     *
     * @throws IllegalStateException when others have branched from it, or may have
     */
    public void delete(TenantTimelineId id) throws IOException {
        synchronized (beingMade) {
            requireChildless(id);
            if (!beingMade.add(id)) {
                throw new IllegalStateException("timeline " + id + " is being made or deleted");
            }
        }
        try {
            Timeline timeline = timelines.remove(id);
            TimelineMetadata metadata = timeline == null ? loaded.get(id) : timeline.metadata();
            broken.remove(id);
            if (timeline != null) {
                companion.closing(timeline);
                timeline.close();
            }
            files.delete(id);
            // Only now: until it is durable that the branch is gone, it may come back.
            timelinesOf(id.tenantId()).forEach(other -> other.retention().removeBranch(id.timelineId()));
            LOG.info(
                    "timeline {} is deleted, {}",
                    id,
                    metadata == null ? "whatever it was" : "it began at " + metadata.startLsn());
        } finally {
            synchronized (beingMade) {
                beingMade.remove(id);
            }
        }
    }

    private void requireChildless(TenantTimelineId id) {
        Timeline timeline = timelines.get(id);
        if (timeline != null && !timeline.retention().close()) {
            throw new IllegalStateException("timeline " + id + " has branches, or may have: delete "
                    + timeline.retention().children() + " first");
        }
        for (TimelineMetadata other : loaded.values()) {
            if (id.equals(ancestorId(other)) && broken.containsKey(other.id())) {
                throw new IllegalStateException("timeline " + id + " has branches: delete " + other.id() + " first");
            }
        }
    }

    /** Those of one tenant that can be served. */
    List<Timeline> timelinesOf(TenantId tenant) {
        return timelines.values().stream()
                .filter(timeline -> timeline.metadata().id().tenantId().equals(tenant))
                .toList();
    }

    public Optional<Timeline> find(TenantTimelineId id) {
        return Optional.ofNullable(timelines.get(id));
    }

    public Collection<Timeline> all() {
        return timelines.values();
    }

    /** Timelines that cannot be served, with the reason. */
    public Map<TenantTimelineId, String> broken() {
        return Map.copyOf(broken);
    }

    /** Runs what may wait for long: sessions of the page service. */
    public Executor sessionThreads() {
        return sessionThreads;
    }

    /** Closes every timeline. What was not flushed is streamed again after the next start. */
    @Override
    public void close() {
        // First of all those who wait are sent away: the receiver of a branch may wait for its ancestor.
        timelines.values().forEach(Timeline::stop);
        timelines.values().forEach(companion::closing);
        sessionThreads.shutdown();
        flushThreads.shutdown();
        try {
            flushThreads.awaitTermination(10, TimeUnit.SECONDS);
            sessionThreads.awaitTermination(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        timelines.values().forEach(Timeline::close);
        cache.close();
    }
}
