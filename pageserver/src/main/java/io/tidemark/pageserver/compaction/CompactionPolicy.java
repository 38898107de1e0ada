package io.tidemark.pageserver.compaction;

import io.tidemark.pageserver.compaction.CompactionTask.L0;
import io.tidemark.pageserver.compaction.CompactionTask.Sink;
import io.tidemark.pageserver.compaction.CompactionTask.Stack;
import io.tidemark.pageserver.layer.FileLayer;
import io.tidemark.pageserver.layer.LayerSet;
import io.tidemark.pageserver.layer.LayerSet.Partition;
import io.tidemark.pageserver.layer.file.LayerDescriptor;
import io.tidemark.wire.id.Lsn;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Says what to do next with a set of layers. Pure.
 *
 * <p>L0 goes first: it is what every read of every key passes. Then the stack that is highest beyond its limit. Layers on top of a stack
 * are merged when they are of similar size, as in a size-tiered LSM: a byte is then written a logarithmic number of times. The
 * bottom, which holds most, is rewritten only when what lies above has grown as large, or when enough of it is garbage.
 *
 * <p>A layer that several partitions share counts in each with an equal part of its size.
 */
public final class CompactionPolicy {
    private final CompactionConfig config;

    public CompactionPolicy(CompactionConfig config) {
        this.config = config;
    }

    /**
     * The next task; null when there is none.
     *
     * @param damaged layers that cannot be merged
     */
    @Nullable
    CompactionTask next(LayerSet set, DamagedLayers damaged) {
        if (set.l0().size() >= config.l0Threshold()) {
            CompactionTask task = oldestL0(set, damaged);
            if (task != null) {
                return task;
            }
        }
        Map<FileLayer, Integer> shares = shares(set);
        Stack best = null;
        for (Partition partition : set.partitions()) {
            Stack task = ofStack(set, partition, damaged, shares);
            if (task != null
                    && (best == null || task.inputs().size() > best.inputs().size())) {
                best = task;
            }
        }
        return best;
    }

    /** As many of the oldest L0 files as one batch may have; null when none may be moved. */
    @Nullable
    CompactionTask oldestL0(LayerSet set, DamagedLayers damaged) {
        List<FileLayer> l0 = set.l0();
        int end = 0;
        long bytes = 0;
        boolean whole = true;
        for (int count = 1; count <= l0.size(); count++) {
            FileLayer file = l0.get(l0.size() - count);
            LayerDescriptor layer = file.descriptor();
            if (damaged.isInL0(file)) {
                whole = false;
                if (end > 0) {
                    break; // what lies below it first
                }
            }
            bytes += layer.fileBytes();
            if (end > 0 && bytes > config.l0BatchBytes()) {
                break;
            }
            // Files that share an LSN stay together, and an LSN that is not complete stays out.
            boolean alone = count == l0.size()
                    || l0.get(l0.size() - count - 1).descriptor().startLsn().isAfter(layer.lastLsn());
            if (alone && layer.lastLsn().isAtMost(set.diskConsistentLsn())) {
                end = count;
                if (!whole) {
                    break;
                }
            }
        }
        if (end == 0) {
            return null;
        }
        List<FileLayer> oldest = l0.subList(l0.size() - end, l0.size());
        return oldest.stream().anyMatch(damaged::isInL0) ? new Sink(oldest) : new L0(oldest);
    }

    private static Map<FileLayer, Integer> shares(LayerSet set) {
        Map<FileLayer, Integer> shares = new HashMap<>();
        for (Partition partition : set.partitions()) {
            for (FileLayer layer : partition.stack()) {
                shares.merge(layer, 1, Integer::sum);
            }
        }
        return shares;
    }

    private @Nullable Stack ofStack(
            LayerSet set, Partition partition, DamagedLayers damaged, Map<FileLayer, Integer> shares) {
        List<FileLayer> stack =
                damaged.above(partition.stack(), partition.keys().start());
        boolean whole = stack.size() == partition.stack().size();
        if (whole && isGarbage(set.retention().cutoff().min(set.compactedLsn()), partition, shares)) {
            return new Stack(partition, stack);
        }
        int count = similar(stack, shares);
        if (count >= config.stackThreshold()) {
            return new Stack(partition, stack.subList(0, count));
        }
        if (stack.size() > config.maxStack()) {
            return new Stack(partition, stack.subList(0, Math.max(count, stack.size() - config.maxStack() + 2)));
        }
        return null;
    }

    /**
     * How many of the upper layers are worth merging: as many as possible, as long as none of them is more than half of the whole. Each
     * merge then at least doubles what a byte is part of.
     */
    private static int similar(List<FileLayer> stack, Map<FileLayer, Integer> shares) {
        double sum = 0;
        double largest = 0;
        int count = 0;
        for (int i = 0; i < stack.size(); i++) {
            FileLayer layer = stack.get(i);
            double share = (double) layer.descriptor().fileBytes() / shares.getOrDefault(layer, 1);
            sum += share;
            largest = Math.max(largest, share);
            if (2 * largest <= sum) {
                count = i + 1;
            }
        }
        return count;
    }

    /**
     * Whether enough of a stack is garbage to rewrite it. An estimate: versions behind a base in their own layer, and as much as
     * newer layers have in bases. Only layers that lie below the cutoff now and did not when the stack was last collected count;
     * what was kept then is kept for a retained LSN.
     */
    private boolean isGarbage(Lsn cutoff, Partition partition, Map<FileLayer, Integer> shares) {
        if (cutoff.isAtMost(partition.collectedLsn())) {
            return false;
        }
        double garbage = 0;
        double all = 0;
        FileLayer bottom =
                partition.stack().isEmpty() ? null : partition.stack().getLast();
        for (FileLayer layer : partition.stack()) {
            LayerDescriptor descriptor = layer.descriptor();
            double share = 1.0 / shares.getOrDefault(layer, 1);
            all += share * descriptor.valueBytes();
            boolean collectable = descriptor.lastLsn().isAtMost(cutoff)
                    && descriptor.lastLsn().isAfter(partition.collectedLsn());
            if (collectable) {
                garbage += share * descriptor.supersededBytes();
                garbage += layer.equals(bottom) ? 0 : share * descriptor.baseBytes();
            }
        }
        return garbage > 0 && garbage * 100 >= all * config.garbagePercent();
    }
}
