package io.tidemark.pageserver.compaction;

import io.tidemark.pageserver.layer.FileLayer;
import io.tidemark.pageserver.layer.LayerSet.Partition;
import io.tidemark.wire.id.Lsn;
import java.util.List;

/** One thing that compaction does. */
public sealed interface CompactionTask {
    /**
     * Moves the oldest L0 files into the partitions.
     *
     * @param inputs newest first
     */
    record L0(List<FileLayer> inputs) implements CompactionTask {
        /** The new compacted_lsn. */
        Lsn upTo() {
            return inputs.getFirst().descriptor().lastLsn();
        }
    }

    /**
     * Moves the oldest L0 files into the partitions as they are: one of them is damaged, and the others share an LSN with it.
     *
     * @param inputs newest first
     */
    record Sink(List<FileLayer> inputs) implements CompactionTask {
        /** The new compacted_lsn. */
        Lsn upTo() {
            return inputs.getFirst().descriptor().lastLsn();
        }
    }

    /**
     * Merges the upper layers of a partition's stack into one.
     *
     * @param partition the partition
     * @param inputs newest first
     */
    record Stack(Partition partition, List<FileLayer> inputs) implements CompactionTask {
        boolean isWhole() {
            return inputs.size() == partition.stack().size();
        }
    }
}
