package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.compaction.CompactionConfig;
import io.tidemark.pageserver.compaction.CompactionLoop;
import io.tidemark.pageserver.compaction.Compactor;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.layer.LayerSet;
import io.tidemark.pageserver.layer.LayerSnapshot;
import io.tidemark.pageserver.layer.LayerStore;
import io.tidemark.pageserver.layer.LsnGarbageCollectedException;
import io.tidemark.pageserver.layer.Retention;
import io.tidemark.pageserver.timeline.ReadException.Kind;
import io.tidemark.runtime.time.TimeSource;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.WalPageHeader;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One branch of a tenant's history: what has been ingested, and what may be asked.
 *
 * <p>Written by one thread through its {@link TimelineWriter}; read by many, each with a {@link TimelineReader}.
 *
 * <p>Always: disk_consistent_lsn <= last_record_lsn; whoever sees last_record_lsn can read everything up to it, because it is
 * published after the versions are in the open layer and the caches know of them.
 */
public final class Timeline implements AutoCloseable {
    private volatile TimelineMetadata metadata;
    private final LayerStore store;
    private final PageCache.View pages;
    private final SizeCache sizes;
    /**
     * Set to null, once, when it is detached: after all that it had of its ancestor is in its own layers. Replaced when the ancestor's place
     * is taken by one that has been detached from it.
     */
    private volatile @Nullable Ancestry ancestry;

    private final TimelineRetention retention;
    private final LsnWaitQueue lastRecord;
    private final TimelineWriter writer;
    private final Compactor compactor;
    private final CompactionConfig compactionConfig;
    private final Runnable alarm;
    private volatile Supplier<String> ingestStatus = () -> "no WAL receiver";
    private volatile Runnable walWanted = () -> {};
    private volatile @Nullable String failure;
    private volatile @Nullable CompactionLoop compaction;

    /** Of the last record whose end was published, or is about to be. */
    private volatile Position position;

    /**
     * A place in WAL where a record ends.
     *
     * @param end last_record_lsn
     * @param start where the record that ends there starts; invalid when not known
     */
    public record Position(Lsn end, Lsn start) {}

    /** What is below a branch. */
    record Ancestry(Timeline timeline, Lsn branchLsn) {
        /** Whether the branch's layers have all that it has of the ancestor: it is about to be detached, and no chain goes on there. */
        boolean isTakenOver(LayerSnapshot layers) {
            return isTakenOver(layers.layers());
        }

        /** The same of layers in files. */
        boolean isTakenOver(LayerSet layers) {
            return layers.startLsn().isBefore(branchLsn);
        }
    }

    /**
     * A timeline on the versions of {@code store}.
     *
     * @param ancestor null for one that did not branch from another
     * @param alarm counts damage that a read has met
     */
    Timeline(
            TimelineMetadata metadata,
            LayerStore store,
            PageCache cache,
            @Nullable Timeline ancestor,
            Runnable alarm,
            CompactionConfig compactionConfig) {
        this.metadata = metadata;
        this.store = store;
        this.ancestry = ancestor == null
                ? null
                : new Ancestry(ancestor, metadata.ancestor().orElseThrow().lsn());
        this.retention = new TimelineRetention(store);
        this.alarm = alarm;
        Lsn head = store.diskConsistentLsn().max(metadata.startLsn());
        this.lastRecord = new LsnWaitQueue(head);
        this.position = new Position(head, Lsn.INVALID);
        this.pages = cache.view(head);
        this.sizes = new SizeCache(head);
        this.writer = new TimelineWriter(this);
        TimelineCompaction compaction = new TimelineCompaction(this);
        this.compactionConfig = compactionConfig;
        this.compactor = new Compactor(store, compactionConfig, compaction, compaction, TimeSource.system());
    }

    public TimelineMetadata metadata() {
        return metadata;
    }

    /** Everything up to here has been ingested and can be read. */
    public Lsn lastRecordLsn() {
        return lastRecord.current();
    }

    /** Where the last record before {@link #lastRecordLsn} starts; invalid when not known. */
    public Lsn prevRecordLsn() {
        return prevRecordLsnAt(lastRecordLsn());
    }

    /** Where the record starts that ends at {@code lsn}; invalid when that is not the last one, or not known. */
    Lsn prevRecordLsnAt(Lsn lsn) {
        Position last = position;
        return last.end().equals(lsn) ? last.start() : Lsn.INVALID;
    }

    /** The last record that was ingested, both of its ends at the same moment. */
    public Position lastRecord() {
        return position;
    }

    /** Where the record starts that ends at {@code lsn}; invalid when that is not remembered. */
    public Lsn startOfRecordBefore(Lsn lsn) throws ReadException {
        Position last = position;
        if (last.end().equals(lsn) && last.start().isValid()) {
            return last.start();
        }
        Optional<TimelineMetadata.BranchPoint> origin = metadata.origin();
        if (origin.isPresent()
                && lsn.equals(origin.get().lsn())
                && origin.get().prevRecordLsn().isValid()) {
            return origin.get().prevRecordLsn();
        }
        Ancestry below = ancestry;
        if (below != null && lsn.isAtMost(below.branchLsn())) {
            return below.timeline().startOfRecordBefore(lsn);
        }
        return Keys.lastRecordStart(reader().find(Keys.LAST_RECORD, lsn), lsn);
    }

    /** Recalls, after a start, what is known of the last record. Waits for nobody: not for an ancestor that has to stream again either. */
    void recallLastRecord() throws ReadException {
        if (hasAncestor()) {
            Lsn end = lastRecordLsn();
            position = new Position(end, startOfRecordBefore(end));
        }
    }

    /** Everything up to here survives a crash. */
    public Lsn diskConsistentLsn() {
        return store.diskConsistentLsn().max(metadata.startLsn());
    }

    /** Below it nothing can be asked for any more, but for single LSNs that are kept. */
    public Lsn gcCutoff() {
        return store.layers().retention().cutoff();
    }

    /** The first LSN that can be asked for. */
    public Lsn minReadableLsn() {
        return gcCutoff().max(metadata.readableLsn());
    }

    /** The layers and their files, for inspection and maintenance. */
    public LayerStore store() {
        return store;
    }

    /** Makes durable what has been ingested by now. */
    public void flush() throws IOException {
        writer.flush();
    }

    /** Rewrites the layers; one task at a time. */
    public Compactor compactor() {
        return compactor;
    }

    /** Why nothing is ingested any more; null while all is well. */
    public @Nullable String failure() {
        return failure;
    }

    /** A reader for one thread. */
    public TimelineReader reader() {
        return new TimelineReader(this);
    }

    /** The one writer; for the thread that ingests. */
    public TimelineWriter writer() {
        return writer;
    }

    /**
     * Settles which LSN a request reads.
     *
     * <pre>
     *   request_lsn = 0, request_lsn < not_modified_since, request_lsn below what is kept: refused
     *   not_modified_since > last_record_lsn: wait until it has arrived, read there
     *   else: the lower one of request_lsn and last_record_lsn
     * </pre>
     *
     * @param limit how long to wait at most
     */
    public Lsn effectiveLsn(Lsn requestLsn, Lsn notModifiedSince, Duration limit) throws ReadException {
        if (!requestLsn.isValid()) {
            throw new ReadException(Kind.BAD_REQUEST, "invalid LSN(0) in request");
        }
        if (requestLsn.isBefore(notModifiedSince)) {
            throw new ReadException(
                    Kind.BAD_REQUEST,
                    "invalid request with request LSN " + requestLsn + " and not_modified_since " + notModifiedSince);
        }
        Lsn readable = readable(requestLsn);
        if (notModifiedSince.isAfter(lastRecordLsn())) {
            await(notModifiedSince, limit);
            return notModifiedSince;
        }
        return readable.min(lastRecordLsn());
    }

    /** The LSN to read for one that is asked for: the same, or the one behind the page header that it points at. */
    private Lsn readable(Lsn lsn) throws ReadException {
        Retention kept = store.layers().retention();
        Lsn first = metadata.readableLsn();
        if (lsn.isAtLeast(first) && kept.covers(lsn)) {
            return lsn;
        }
        Lsn normalized = normalized(lsn);
        if (normalized.isBefore(first)) {
            throw new ReadException(
                    Kind.BAD_REQUEST,
                    "timeline " + metadata.id() + " can be read from " + first + " on, not at " + lsn);
        }
        if (!kept.covers(normalized)) {
            throw new ReadException(
                    Kind.BAD_REQUEST,
                    "tried to request a page version that was garbage collected. requested at " + lsn + " gc cutoff "
                            + gcCutoff());
        }
        return normalized;
    }

    /**
     * Where a record starts that is to start at {@code lsn}: aligned, and behind a page header. Nothing ends between the two, so a timeline
     * is the same at both.
     */
    Lsn normalized(Lsn lsn) {
        long value = lsn.value();
        if (value % Lsn.WAL_PAGE_SIZE == 0) {
            return lsn.plus(WalPageHeader.sizeAt(lsn, metadata.walSegmentSizeBytes()));
        }
        long aligned = value + 7 & ~7L;
        return aligned == 0 ? lsn : Lsn.of(aligned);
    }

    /**
     * Keeps an LSN readable until what this returns is closed, wherever the gc cutoff goes.
     *
     * @param lsn an effective one
     */
    public Hold hold(Lsn lsn) throws ReadException {
        try {
            retention.hold(lsn);
        } catch (LsnGarbageCollectedException e) {
            throw new ReadException(Kind.BAD_REQUEST, String.valueOf(e.getMessage()), e);
        }
        return () -> retention.release(lsn);
    }

    /** An LSN that stays readable. */
    @FunctionalInterface
    public interface Hold extends AutoCloseable {
        @Override
        void close();
    }

    /** Waits until everything up to {@code lsn} has been ingested. */
    public void await(Lsn lsn, Duration limit) throws ReadException {
        if (lastRecordLsn().isBefore(lsn)) {
            walWanted.run();
        }
        switch (lastRecord.await(lsn, limit)) {
            case REACHED -> {}
            case CLOSED -> throw new ReadException(Kind.CLOSED, "timeline " + metadata.id() + " is going down");
            case TIMED_OUT ->
                throw new ReadException(
                        Kind.LSN_TIMEOUT,
                        "Timed out while waiting for WAL record at LSN " + lsn + " to arrive, last_record_lsn "
                                + lastRecordLsn() + " disk consistent LSN=" + diskConsistentLsn()
                                + ", WalReceiver status: " + ingestStatus());
        }
    }

    /** What the ingest says of itself, for people. */
    public String ingestStatus() {
        String stopped = failure;
        if (stopped != null) {
            return "stopped: " + stopped;
        }
        String full = store.waitsForRoom();
        return full == null
                ? ingestStatus.get()
                : "waits for room on the disk, and goes on by itself when there is some: " + full;
    }

    /**
     * Somebody brings it WAL.
     *
     * @param status what it says of itself, for people
     * @param wanted called when somebody waits for WAL that is not here; does not block
     */
    public void ingestedBy(Supplier<String> status, Runnable wanted) {
        ingestStatus = status;
        walWanted = wanted;
    }

    /**
     * Returns when the ancestor, if there is one, has all that this timeline has of it.
     *
     * @throws IOException when it does not in time
     */
    void requireAncestor(Duration limit) throws IOException {
        Ancestry below = ancestry;
        if (below == null) {
            return;
        }
        below.timeline().requireAncestor(limit);
        try {
            below.timeline().await(below.branchLsn(), limit);
        } catch (ReadException e) {
            throw new IOException(
                    "the ancestor " + below.timeline().metadata().id().timelineId()
                            + " has not yet streamed again up to the" + " branch point " + below.branchLsn(),
                    e);
        }
    }

    /** Ingest stops for good, with a reason that says what to do; what has been ingested can still be read. */
    public void fail(String reason) {
        failure = reason;
    }

    /** What there is now; the caller closes it. */
    LayerSnapshot layers() {
        return store.snapshot();
    }

    PageCache.View pages() {
        return pages;
    }

    SizeCache sizes() {
        return sizes;
    }

    @Nullable
    Ancestry ancestry() {
        return ancestry;
    }

    /** All that it has of its ancestor is in its own layers, and this is durable. */
    void detached(TimelineMetadata detached) {
        metadata = detached;
        ancestry = null;
    }

    /** It is durable that another timeline, which has all that this one had of its ancestor, is its ancestor. */
    void reparented(TimelineMetadata reparented, Timeline newAncestor) {
        metadata = reparented;
        ancestry = new Ancestry(newAncestor, reparented.ancestor().orElseThrow().lsn());
    }

    /** Whether a detaching has begun that was not finished. */
    boolean isPartlyDetached() {
        Ancestry below = ancestry;
        return metadata.isReparenting() || below != null && below.isTakenOver(store.layers());
    }

    /** Whether the ancestor, if there is one, has all that this timeline has of it; does not wait. */
    boolean hasAncestor() {
        Ancestry below = ancestry;
        return below == null
                || below.timeline().lastRecordLsn().isAtLeast(below.branchLsn())
                        && below.timeline().hasAncestor();
    }

    /** What of it stays readable. */
    TimelineRetention retention() {
        return retention;
    }

    void alarm() {
        alarm.run();
    }

    /** From the writer: everything up to {@code lsn} has been put. */
    void publish(Lsn lsn, Lsn prev) {
        if (lsn.isAfter(position.end())) {
            position = new Position(lsn, prev);
        }
        lastRecord.advance(lsn);
    }

    /** From now on layers are compacted in the background. */
    void startCompaction() {
        compaction = CompactionLoop.start(
                compactor,
                compactionConfig.idlePeriod(),
                "compact-" + metadata.id().timelineId());
    }

    /** Compaction may have something to do. */
    void layersChanged() {
        CompactionLoop loop = compaction;
        if (loop != null) {
            loop.wake();
        }
    }

    /** Answers nobody who would have to wait, and compacts no more. */
    void stop() {
        lastRecord.close();
        CompactionLoop loop = compaction;
        compaction = null;
        if (loop != null) {
            loop.close();
        }
    }

    /** Stops, and gives memory and files back. What was not flushed is gone. */
    @Override
    public void close() {
        stop();
        pages.close();
        store.close();
    }
}
