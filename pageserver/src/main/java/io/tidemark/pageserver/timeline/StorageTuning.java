package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.compaction.CompactionConfig;
import io.tidemark.pageserver.layer.LayerConfig;

/**
 * The sizes of layers, for all timelines of a pageserver. Nobody has to choose them; tests take small ones, so that little data makes many
 * files.
 *
 * @param layers when a layer is frozen
 * @param compaction when files are merged
 */
public record StorageTuning(LayerConfig layers, CompactionConfig compaction) {
    public static final StorageTuning DEFAULT = new StorageTuning(LayerConfig.DEFAULT, CompactionConfig.DEFAULT);

    /** As if layers were this long. */
    public static StorageTuning ofLayerBytes(long bytes) {
        return new StorageTuning(LayerConfig.DEFAULT.ofSize(bytes), CompactionConfig.DEFAULT.ofSize(bytes));
    }
}
