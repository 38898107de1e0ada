package io.tidemark.pageserver.layer;

import io.tidemark.wire.id.Lsn;

/** Hears what has become durable. Called by the thread that did it, which waits: hand work on. */
public interface LayerStoreListener {
    /** Hears nothing. */
    LayerStoreListener NONE = new LayerStoreListener() {
        @Override
        public void layersChanged(LayerSet layers) {}

        @Override
        public void failed(Throwable cause) {}
    };

    /** A manifest with these layers is durable; {@link LayerSet#diskConsistentLsn} may have moved. */
    void layersChanged(LayerSet layers);

    /** The store has stopped for good. */
    void failed(Throwable cause);

    /** Only listens to disk_consistent_lsn. */
    static LayerStoreListener ofDiskConsistentLsn(java.util.function.Consumer<Lsn> consumer) {
        return new LayerStoreListener() {
            @Override
            public void layersChanged(LayerSet layers) {
                consumer.accept(layers.diskConsistentLsn());
            }

            @Override
            public void failed(Throwable cause) {}
        };
    }
}
