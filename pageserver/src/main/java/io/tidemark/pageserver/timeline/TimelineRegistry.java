package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.ingest.TimelineHead;
import io.tidemark.pageserver.layer.LayerSet;
import io.tidemark.pageserver.layer.LayerStore;
import io.tidemark.pageserver.layer.LayerStoreListener;
import io.tidemark.pageserver.metrics.PageserverMetrics;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
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
 * The timelines of a pageserver, in memory and in its data directory.
 *
 * <pre>
 *   tenants/TENANT/timelines/TIMELINE/timeline     what it is; written last, so that a directory without it was never finished
 *   tenants/TENANT/timelines/TIMELINE/layers/      its versions
 * </pre>
 *
 * <p>Making and deleting timelines is serialised; finding one takes no lock. A timeline that cannot be opened is known with its reason,
 * and keeps its files; the others go on.
 */
public final class TimelineRegistry implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TimelineRegistry.class);
    private static final Path TENANTS = Path.of("tenants");
    private static final String METADATA = "timeline";
    private static final int MAX_METADATA_BYTES = 1 << 20;

    private final Disk disk;
    private final StorageTuning tuning;
    private final PageCache cache;
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
        this.tuning = tuning;
        this.cache = new PageCache(pageCacheBytes);
        this.metrics = metrics;
        this.flushThreads = Executors.newFixedThreadPool(
                2, task -> Thread.ofPlatform().daemon().name("flush").unstarted(task));
        metrics.gauge("page_cache_hits", "Pages served from the cache of built pages", cache::hits);
        metrics.gauge("page_cache_misses", "Pages that had to be built", cache::misses);
    }

    /** Opens all timelines of a data directory. Throws when the directory itself cannot be read. */
    public static TimelineRegistry open(
            Disk disk, StorageTuning tuning, long pageCacheBytes, Companion companion, PageserverMetrics metrics)
            throws IOException {
        TimelineRegistry registry = new TimelineRegistry(disk, tuning, pageCacheBytes, companion, metrics);
        disk.createDirectory(TENANTS);
        disk.syncDirectory(Path.of(""));
        for (String tenant : disk.list(TENANTS)) {
            Path directory = TENANTS.resolve(tenant).resolve("timelines");
            if (disk.exists(directory)) {
                for (String timeline : disk.list(directory)) {
                    registry.load(tenant, timeline);
                }
            }
        }
        registry.openLoaded();
        return registry;
    }

    private void load(String tenant, String timeline) throws IOException {
        TenantTimelineId id;
        try {
            id = new TenantTimelineId(TenantId.parse(tenant), TimelineId.parse(timeline));
        } catch (IllegalArgumentException e) {
            LOG.warn("{}/{} is no timeline and left alone: {}", tenant, timeline, e.getMessage());
            return;
        }
        Path directory = directory(id);
        if (!disk.exists(directory.resolve(METADATA))) {
            LOG.info("removing {}, which was never finished", directory);
            deleteTree(directory);
            return;
        }
        try {
            TimelineMetadata metadata = TimelineMetadataFormat.decode(read(directory.resolve(METADATA)));
            if (!metadata.id().equals(id)) {
                throw new IOException("it is the file of timeline " + metadata.id());
            }
            loaded.put(id, metadata);
        } catch (IOException e) {
            markBroken(id, directory.resolve(METADATA) + ": " + e.getMessage(), e);
        }
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
                open(metadata);
            } catch (IOException e) {
                markBroken(metadata.id(), e.getMessage() + "", e);
            }
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
                disk, directory(id).resolve("layers"), tuning.layers(), start, flushThreads, new Listener(id));
    }

    private Timeline open(TimelineMetadata metadata) throws IOException {
        TenantTimelineId ancestorId = ancestorId(metadata);
        Timeline ancestor = ancestorId == null ? null : timelines.get(ancestorId);
        Lsn start = metadata.ancestor().map(TimelineMetadata.BranchPoint::lsn).orElse(Lsn.INVALID);
        LayerStore store = openStore(metadata.id(), start);
        Timeline timeline = new Timeline(metadata, store, cache, ancestor, metrics::alarm, tuning.compaction());
        timelines.put(metadata.id(), timeline);
        timeline.startCompaction();
        companion.opened(timeline);
        return timeline;
    }

    private final class Listener implements LayerStoreListener {
        private final TenantTimelineId id;

        private Listener(TenantTimelineId id) {
            this.id = id;
        }

        @Override
        public void layersChanged(LayerSet layers) {
            Timeline timeline = timelines.get(id);
            if (timeline != null) {
                timeline.layersChanged();
            }
        }

        @Override
        public void failed(Throwable cause) {
            LOG.error(
                    "timeline {}: its store has stopped for good; restart to go on from disk_consistent_lsn",
                    id,
                    cause);
            metrics.alarm();
            Timeline timeline = timelines.get(id);
            if (timeline != null) {
                timeline.fail("the store failed: " + cause.getMessage() + "; restart the pageserver");
            }
        }
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
     * @throws IllegalStateException when there is one of this id, or it is being made
     */
    public Timeline create(TenantTimelineId id, BaseDataSource source) throws IOException {
        synchronized (beingMade) {
            if (timelines.containsKey(id) || broken.containsKey(id) || !beingMade.add(id)) {
                throw new IllegalStateException("timeline " + id + " exists already, or is being made");
            }
        }
        boolean done = false;
        try {
            makeDirectories(id);
            TimelineMetadata metadata;
            try (LayerStore store = openStore(id, Lsn.INVALID)) {
                metadata = source.put(new NewTimelineHead(store));
                store.freeze(metadata.startLsn());
                store.flush();
            }
            write(directory(id), TimelineMetadataFormat.encode(metadata));
            Timeline timeline = open(metadata);
            done = true;
            return timeline;
        } finally {
            if (!done) {
                deleteTree(directory(id));
            }
            synchronized (beingMade) {
                beingMade.remove(id);
            }
        }
    }

    private void makeDirectories(TenantTimelineId id) throws IOException {
        Path directory = directory(id);
        for (Path path : List.of(TENANTS.resolve(id.tenantId().toString()), directory.getParent(), directory)) {
            disk.createDirectory(path);
            Path parent = path.getParent();
            disk.syncDirectory(parent == null ? Path.of("") : parent);
        }
    }

    /**
     * Deletes a timeline with its files; does nothing when there is none.
     *
     * @throws IllegalStateException when others have branched from it
     */
    public void delete(TenantTimelineId id) throws IOException {
        for (Timeline other : timelines.values()) {
            if (id.equals(ancestorId(other.metadata()))) {
                throw new IllegalStateException("timeline " + id + " has branches: delete "
                        + other.metadata().id() + " first");
            }
        }
        Timeline timeline = timelines.remove(id);
        broken.remove(id);
        if (timeline != null) {
            companion.closing(timeline);
            timeline.close();
        }
        Path directory = directory(id);
        if (disk.exists(directory.resolve(METADATA))) {
            disk.delete(directory.resolve(METADATA));
            disk.syncDirectory(directory);
        }
        deleteTree(directory);
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

    private static Path directory(TenantTimelineId id) {
        return TENANTS.resolve(id.tenantId().toString())
                .resolve("timelines")
                .resolve(id.timelineId().toString());
    }

    private byte[] read(Path file) throws IOException {
        try (var opened = disk.open(file, Disk.Mode.READ)) {
            if (opened.size() > MAX_METADATA_BYTES) {
                throw new IOException("it is damaged: it has " + opened.size() + " bytes");
            }
            ByteBuffer bytes = ByteBuffer.allocate((int) opened.size());
            while (bytes.hasRemaining() && opened.read(bytes, bytes.position()) >= 0) {
                // the next piece
            }
            return bytes.array();
        }
    }

    private void write(Path directory, byte[] bytes) throws IOException {
        Path unfinished = directory.resolve(METADATA + ".new");
        try (var file = disk.open(unfinished, Disk.Mode.CREATE_OR_TRUNCATE)) {
            file.write(ByteBuffer.wrap(bytes), 0);
            file.sync();
        }
        disk.rename(unfinished, directory.resolve(METADATA));
        disk.syncDirectory(directory);
    }

    private void deleteTree(Path path) throws IOException {
        if (!disk.exists(path)) {
            return;
        }
        if (disk.isDirectory(path)) {
            for (String name : disk.list(path)) {
                deleteTree(path.resolve(name));
            }
        }
        disk.delete(path);
    }

    /** Closes every timeline. What was not flushed is streamed again after the next start. */
    @Override
    public void close() {
        timelines.values().forEach(companion::closing);
        timelines.values().forEach(Timeline::stop);
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
