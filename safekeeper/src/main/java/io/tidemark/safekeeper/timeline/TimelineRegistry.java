package io.tidemark.safekeeper.timeline;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.owner.OwnerThreads;
import io.tidemark.runtime.time.TimeSource;
import io.tidemark.safekeeper.control.ControlFileStore;
import io.tidemark.safekeeper.metrics.SafekeeperMetrics;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All timelines of this safekeeper: loaded at start, created, deleted.
 *
 * <p>The map is read by everybody; creation and deletion of one id are kept apart by {@code busy}, the ids that are worked on right
 * now, guarded with the tombstones by this object's monitor: neither belongs to a timeline's owner, which does not exist yet, or any more.
 */
public final class TimelineRegistry implements AutoCloseable {
    /** More timelines than this are not created. */
    public static final int MAX_TIMELINES = 100_000;

    private static final Logger LOG = LoggerFactory.getLogger(TimelineRegistry.class);

    private final TimelineDirectories directories;
    private final NodeId me;
    private final OwnerThreads threads;
    private final SafekeeperMetrics metrics;
    private final TimeSource time;
    private final Duration saveInterval;
    private final ScheduledExecutorService timer;
    private final ConcurrentHashMap<TenantTimelineId, Timeline> timelines = new ConcurrentHashMap<>();
    private final Set<TenantTimelineId> busy = new HashSet<>();
    private final Tombstones tombstones = new Tombstones();
    private boolean closed;

    private TimelineRegistry(
            TimelineDirectories directories,
            NodeId me,
            OwnerThreads threads,
            SafekeeperMetrics metrics,
            TimeSource time,
            Duration saveInterval) {
        this.directories = directories;
        this.me = me;
        this.threads = threads;
        this.metrics = metrics;
        this.time = time;
        this.saveInterval = saveInterval;
        this.timer = Executors.newSingleThreadScheduledExecutor(
                task -> Thread.ofPlatform().daemon().name("save-timer").unstarted(task));
    }

    /**
     * Loads every timeline below the root of a disk. One that can't be loaded is kept as it is, and shown as broken; only a data
     * directory that can't be read at all is an error.
     */
    public static TimelineRegistry open(
            Disk disk,
            NodeId me,
            OwnerThreads threads,
            SafekeeperMetrics metrics,
            TimeSource time,
            Duration saveInterval)
            throws IOException {
        TimelineDirectories directories = new TimelineDirectories(disk);
        directories.settle();
        TimelineRegistry registry = new TimelineRegistry(directories, me, threads, metrics, time, saveInterval);
        List<CompletableFuture<Void>> loads = new ArrayList<>();
        for (TenantTimelineId ttid : directories.list()) {
            loads.add(CompletableFuture.runAsync(() -> registry.load(ttid), threads));
        }
        loads.forEach(CompletableFuture::join);
        return registry;
    }

    private void load(TenantTimelineId ttid) {
        try {
            TimelineCore core = openCore(ttid);
            timelines.put(ttid, timeline(ttid, core, null));
        } catch (IOException | RuntimeException e) {
            String reason = "it could not be loaded: " + (e.getMessage() == null ? e.toString() : e.getMessage());
            LOG.error("timeline {} is kept as it is, and not served: {}", ttid, reason, e);
            metrics.alarm();
            timelines.put(ttid, timeline(ttid, null, reason));
        }
    }

    private TimelineCore openCore(TenantTimelineId ttid) throws IOException {
        Path directory = TimelineDirectories.of(ttid);
        // Before anything in it is touched: a directory that was copied or moved to another name is somebody else's
        // timeline, and
        // would vote and acknowledge in this one's name.
        new ControlFileStore(directories.disk(), directory).requireOf(ttid);
        return TimelineCore.open(directories.disk(), directory, me);
    }

    private Timeline timeline(TenantTimelineId ttid, @Nullable TimelineCore core, @Nullable String failure) {
        return new Timeline(
                ttid,
                directories.disk(),
                threads,
                () -> openCore(ttid),
                this::afterSaveInterval,
                metrics,
                core,
                failure);
    }

    private void afterSaveInterval(Runnable task) {
        try {
            var _ = timer.schedule(task, saveInterval.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("closing: LSNs are saved by close()");
        }
    }

    public NodeId me() {
        return me;
    }

    public Optional<Timeline> find(TenantTimelineId ttid) {
        return Optional.ofNullable(timelines.get(ttid));
    }

    /** NOT_FOUND, in the words that Neon's clients know, when there is none; DELETED when it was here not long ago. */
    public Timeline require(TenantTimelineId ttid) throws TimelineException {
        Timeline timeline = timelines.get(ttid);
        if (timeline != null) {
            return timeline;
        }
        synchronized (this) {
            if (tombstones.forbids(ttid, 0, time.monotonicNanos())) {
                throw new TimelineException(TimelineException.Kind.DELETED, "Timeline " + ttid + " was deleted");
            }
        }
        throw new TimelineException(
                TimelineException.Kind.NOT_FOUND, "Timeline " + ttid + " was not found in global map");
    }

    public int count() {
        return timelines.size();
    }

    /** All of them, by id. */
    public List<Timeline> all() {
        Collection<Timeline> all = timelines.values();
        return all.stream()
                .sorted(Comparator.comparing(timeline -> timeline.ttid().toString()))
                .toList();
    }

    /**
     * Makes a timeline, durably, or finds the one that is there, whatever it looks like. Blocks for the disk.
     *
     * @throws TimelineException INVALID, DELETED, NOT_NOW or DISK
     */
    public Timeline create(NewTimeline wanted) throws TimelineException {
        TenantTimelineId ttid = wanted.ttid();
        Timeline existing = timelines.get(ttid);
        if (existing != null) {
            return existing;
        }
        wanted.requireValid();
        begin(ttid, wanted.membership().generation(), true);
        try {
            existing = timelines.get(ttid);
            if (existing != null) {
                return existing;
            }
            TimelineCore core = TimelineCore.create(
                    directories.disk(),
                    TimelineDirectories.of(ttid),
                    wanted.initialState(time.now().toEpochMilli()),
                    me);
            Timeline created = timeline(ttid, core, null);
            timelines.put(ttid, created);
            LOG.info("timeline {} created: start_lsn {}, {}", ttid, wanted.startLsn(), wanted.membership());
            synchronized (this) {
                tombstones.remove(ttid);
            }
            return created;
        } catch (IOException | RuntimeException e) {
            throw new TimelineException(
                    TimelineException.Kind.DISK, "timeline " + ttid + " could not be created: " + e.getMessage(), e);
        } finally {
            end(ttid);
        }
    }

    private synchronized void begin(TenantTimelineId ttid, long generation, boolean create) throws TimelineException {
        if (closed || busy.contains(ttid)) {
            throw new TimelineException(
                    TimelineException.Kind.NOT_NOW, "timeline " + ttid + " is being created or deleted right now");
        }
        if (create && tombstones.forbids(ttid, generation, time.monotonicNanos())) {
            throw new TimelineException(TimelineException.Kind.DELETED, "timeline " + ttid + " was deleted");
        }
        if (create && timelines.size() >= MAX_TIMELINES) {
            throw new TimelineException(
                    TimelineException.Kind.INVALID, "there are " + MAX_TIMELINES + " timelines here already");
        }
        busy.add(ttid);
    }

    private synchronized void end(TenantTimelineId ttid) {
        busy.remove(ttid);
    }

    /**
     * Stops a timeline and removes its files; leaves a tombstone. Does so for a broken one too. Returns whether there was a directory.
     */
    public boolean delete(TenantTimelineId ttid) throws TimelineException {
        return remove(ttid, null);
    }

    /**
     * The same for a node that is not a member of {@code generation} any more: refuses with CONFLICT when the timeline knows a higher
     * one. The check and the stop are one step of the owner, so no membership switch comes between.
     */
    public boolean exclude(TenantTimelineId ttid, long generation) throws TimelineException {
        return remove(ttid, generation);
    }

    private boolean remove(TenantTimelineId ttid, @Nullable Long generation) throws TimelineException {
        begin(ttid, 0, false);
        try {
            Timeline timeline = timelines.get(ttid);
            if (timeline != null) {
                stop(timeline, generation);
            }
            boolean existed = directories.delete(ttid);
            timelines.remove(ttid);
            synchronized (this) {
                if (generation == null) {
                    tombstones.deleted(ttid, time.monotonicNanos());
                } else {
                    tombstones.excluded(ttid, generation, time.monotonicNanos());
                }
            }
            LOG.info("timeline {} {}", ttid, generation == null ? "deleted" : "excluded at generation " + generation);
            return existed;
        } catch (IOException e) {
            throw new TimelineException(
                    TimelineException.Kind.DISK, "timeline " + ttid + " could not be deleted: " + e.getMessage(), e);
        } finally {
            end(ttid);
        }
    }

    private static void stop(Timeline timeline, @Nullable Long generation) throws TimelineException {
        String reason = generation == null ? "it was deleted" : "this safekeeper was excluded from it";
        if (!Answers.await(timeline.stop(generation, false, reason))) {
            throw new TimelineException(
                    TimelineException.Kind.CONFLICT,
                    "timeline " + timeline.ttid() + " is at a higher membership generation than " + generation);
        }
    }

    /** Saves the LSNs of all timelines and closes their files. Nothing depends on it: a crash is as good. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        timer.shutdownNow();
        List<CompletableFuture<Boolean>> stops = new ArrayList<>();
        for (Timeline timeline : timelines.values()) {
            stops.add(timeline.stop(null, true, "the safekeeper is going down"));
        }
        for (CompletableFuture<Boolean> stop : stops) {
            try {
                Answers.await(stop);
            } catch (TimelineException e) {
                LOG.warn("closing a timeline: {}", e.text());
            }
        }
    }
}
