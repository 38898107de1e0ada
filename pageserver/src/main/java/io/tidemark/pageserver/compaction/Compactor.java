package io.tidemark.pageserver.compaction;

import io.tidemark.pageserver.compaction.CompactionTask.L0;
import io.tidemark.pageserver.compaction.CompactionTask.Sink;
import io.tidemark.pageserver.compaction.CompactionTask.Stack;
import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.FileLayer;
import io.tidemark.pageserver.layer.LayerSet;
import io.tidemark.pageserver.layer.LayerSet.Partition;
import io.tidemark.pageserver.layer.LayerSnapshot;
import io.tidemark.pageserver.layer.LayerStore;
import io.tidemark.pageserver.layer.Retention;
import io.tidemark.pageserver.layer.file.CorruptLayerException;
import io.tidemark.pageserver.layer.file.LayerDescriptor;
import io.tidemark.runtime.durable.SyncFailedException;
import io.tidemark.runtime.time.TimeSource;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compacts the layers of one timeline, one task at a time, on the thread that calls.
 *
 * <p>A task that fails leaves the layers as they were. A damaged input is told and gone around from then on ({@link DamagedLayers}); a full disk
 * is the caller's to wait for; a failed fsync ends the store.
 */
public final class Compactor {
    private static final Logger LOG = LoggerFactory.getLogger(Compactor.class);

    /** While L0 is this many times its threshold, there is no limit to the work. */
    private static final int URGENT = 2;

    private final LayerStore store;
    private final CompactionConfig config;
    private final CompactionPolicy policy;
    private final PageMaterializer materializer;
    private final LiveKeyspace keyspace;
    private final TimeSource time;
    /** One task at a time, whoever asks for it: a person and the background thread do. */
    private final ReentrantLock compacting = new ReentrantLock();

    private final DamagedLayers damaged = new DamagedLayers();

    private volatile boolean stopped;
    private volatile CompactionStats stats = CompactionStats.NONE;
    private volatile int damagedLayers;

    public Compactor(
            LayerStore store,
            CompactionConfig config,
            PageMaterializer materializer,
            LiveKeyspace keyspace,
            TimeSource time) {
        this.store = store;
        this.config = config;
        this.policy = new CompactionPolicy(config);
        this.materializer = materializer;
        this.keyspace = keyspace;
        this.time = time;
    }

    public CompactionStats stats() {
        return stats;
    }

    /** Files that merges found damaged since the start. */
    public int damagedLayers() {
        return damagedLayers;
    }

    /** Does the most urgent thing; answers false when there was none. */
    public boolean step() throws IOException {
        compacting.lock();
        try {
            if (store.hasFailed() || stopped) {
                return false;
            }
            CompactionTask task = policy.next(store.layers(), damaged);
            if (task == null) {
                return false;
            }
            carryOut(task);
            return true;
        } finally {
            compacting.unlock();
        }
    }

    /** Moves all of L0 into the partitions, whatever the threshold. */
    public void compactL0() throws IOException {
        compacting.lock();
        try {
            CompactionTask task = policy.oldestL0(store.layers(), damaged);
            while (task != null) {
                carryOut(task);
                task = policy.oldestL0(store.layers(), damaged);
            }
        } finally {
            compacting.unlock();
        }
    }

    /** Merges every partition whole: drops all that no readable LSN needs. Costs a rewrite of the timeline. */
    public void collectAll() throws IOException {
        compacting.lock();
        try {
            Key next = Key.MIN;
            while (next.isBefore(Key.MAX)) {
                Partition partition = store.layers().partition(next);
                List<FileLayer> stack =
                        damaged.above(partition.stack(), partition.keys().start());
                if (!stack.isEmpty()) {
                    carryOut(new Stack(partition, stack));
                }
                next = partition.keys().end();
            }
        } finally {
            compacting.unlock();
        }
    }

    /** Lets a running task end soon, without a result. There will be no other. */
    public void stop() {
        stopped = true;
    }

    private void carryOut(CompactionTask task) throws IOException {
        // Pinned, so that the inputs stay open whatever becomes of the store.
        try (LayerSnapshot pinned = store.snapshot()) {
            LOG.debug("{}: {} above {}", store, task, pinned.layers().compactedLsn());
            switch (task) {
                case L0 l0 -> mergeL0(l0);
                case Sink sink -> store.files().sinkL0(sink.inputs(), sink.upTo());
                case Stack stack -> mergeStack(stack);
            }
        } catch (CorruptLayerException e) {
            failed();
            remember(task, e);
        } catch (SyncFailedException e) {
            failed();
            store.files().fail(e);
            throw e;
        } catch (IOException e) {
            failed();
            throw e;
        }
    }

    /** Goes around the damaged file from now on. */
    private void remember(CompactionTask task, CorruptLayerException e) throws CorruptLayerException {
        List<FileLayer> inputs = switch (task) {
            case L0 l0 -> l0.inputs();
            case Sink sink -> sink.inputs();
            case Stack stack -> stack.inputs();
        };
        FileLayer layer = inputs.stream()
                .filter(input -> input.path().toString().equals(e.file()))
                .findFirst()
                .orElseThrow(() -> e);
        boolean isNew = task instanceof Stack stack
                ? damaged.addInPartition(layer, stack.partition().keys().start())
                : damaged.addInL0(layer);
        if (!isNew) {
            throw e;
        }
        damagedLayers = damaged.count();
        LOG.error(
                "{}: compaction goes on without {}, which is damaged: versions in it cannot be read, everything else"
                        + " can. Put a good copy of the file in its place and restart, or make the timeline anew",
                store,
                layer,
                e);
    }

    private void failed() {
        stats = stats.plus(new CompactionStats(0, 0, 0, 0, 0, 0, 0, 1));
    }

    private void mergeL0(L0 task) throws IOException {
        LayerSet set = store.layers();
        Lsn upTo = task.upTo();
        KeptVersions kept = KeptVersions.of(clipped(set.retention(), upTo));
        Lsn imageLsn = isReadable(upTo) ? upTo : Lsn.INVALID;
        Lsn startLsn = task.inputs().getLast().descriptor().startLsn();
        try (LayerOutputs outputs = new LayerOutputs(
                store.files(), config, materializer, startLsn, upTo.plus(1), imageLsn, set.partitions())) {
            LayerMerge merge = new LayerMerge(task.inputs(), KeyRange.ALL, config, kept, imageLsn, pace(), outputs);
            merge.run();
            List<LayerDescriptor> layers = outputs.finish();
            store.files().replaceL0(task.inputs(), layers, upTo, outputs.splits());
            done(task, task.inputs(), layers, new Result(outputs, merge));
        }
    }

    private void mergeStack(Stack task) throws IOException {
        LayerSet set = store.layers();
        Partition partition = task.partition();
        Retention retention = clipped(set.retention(), set.compactedLsn());
        boolean collects = task.isWhole() && retention.cutoff().isAfter(partition.collectedLsn());
        KeptVersions kept = collects ? withoutDropped(retention) : KeptVersions.of(retention);
        Lsn startLsn = task.inputs().stream()
                .map(layer -> layer.descriptor().startLsn())
                .reduce(Lsn::min)
                .orElseThrow();
        Lsn endLsn = task.inputs().stream()
                .map(layer -> layer.descriptor().endLsn())
                .reduce(Lsn::max)
                .orElseThrow();
        Lsn imageLsn = set.compactedLsn();
        try (LayerOutputs outputs =
                new LayerOutputs(store.files(), config, materializer, startLsn, endLsn, imageLsn, List.of(partition))) {
            LayerMerge merge = new LayerMerge(task.inputs(), partition.keys(), config, kept, imageLsn, pace(), outputs);
            merge.run();
            List<LayerDescriptor> layers = outputs.finish();
            Lsn collectedLsn = task.isWhole() ? retention.cutoff() : partition.collectedLsn();
            store.files().replaceStack(partition.keys(), task.inputs(), layers, collectedLsn, outputs.splits());
            done(task, task.inputs(), layers, new Result(outputs, merge));
        }
    }

    /** Without what was dropped, when it can be known what that is. */
    private KeptVersions withoutDropped(Retention retention) {
        try {
            return KeptVersions.of(retention, keyspace);
        } catch (IOException e) {
            LOG.warn("{}: cannot tell which relations exist, so none is taken as dropped", store, e);
            return KeptVersions.of(retention);
        }
    }

    /**
     * What must be kept in the partitions when they end at {@code upTo}: that LSN stays readable even when the cutoff is beyond it,
     * since images are made there, also of a key that is dropped in between.
     */
    private static Retention clipped(Retention retention, Lsn upTo) {
        return new Retention(retention.cutoff().min(upTo), retention.retained());
    }

    private boolean isReadable(Lsn lsn) {
        try (LayerSnapshot snapshot = store.snapshot()) {
            return snapshot.isReadable(lsn);
        }
    }

    private CompactionPace pace() {
        boolean urgent = store.layers().l0().size() >= URGENT * config.l0Threshold();
        return new CompactionPace(time, urgent ? 100 : config.cpuPercent(), () -> stopped);
    }

    private record Result(LayerOutputs outputs, LayerMerge merge) {}

    private void done(CompactionTask task, List<FileLayer> inputs, List<LayerDescriptor> layers, Result result) {
        long read = inputs.stream()
                .mapToLong(layer -> layer.descriptor().fileBytes())
                .sum();
        long written = layers.stream().mapToLong(LayerDescriptor::fileBytes).sum();
        stats = stats.plus(new CompactionStats(
                task instanceof L0 ? 1 : 0,
                task instanceof Stack ? 1 : 0,
                read,
                written,
                result.outputs().images(),
                result.outputs().failedImages(),
                result.merge().dropped(),
                0));
        LOG.debug("{}: {} layers of {} bytes became {} of {}", store, inputs.size(), read, layers.size(), written);
    }
}
