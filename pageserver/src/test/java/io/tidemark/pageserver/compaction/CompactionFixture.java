package io.tidemark.pageserver.compaction;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.layer.LayerConfig;
import io.tidemark.pageserver.layer.StoreFixture;
import io.tidemark.pageserver.layer.VersionModel;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.time.TimeSource;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A store with its compactor, both small. Images are made by reading the store, as the timeline does. */
final class CompactionFixture {
    static final CompactionConfig SMALL =
            new CompactionConfig(2, 20_000, 1500, 3, 6, 4, 400, 40, 100, Duration.ofMillis(50));

    final StoreFixture stored;
    final VersionModel model;
    final List<Key> images = new ArrayList<>();
    LiveKeyspace keyspace = LiveKeyspace.UNKNOWN;
    Compactor compactor;

    CompactionFixture(Disk disk) throws IOException {
        this(disk, StoreFixture.SMALL);
    }

    CompactionFixture(Disk disk, LayerConfig config) throws IOException {
        this.stored = new StoreFixture(disk, config, Runnable::run);
        this.model = stored.model;
        this.compactor = newCompactor();
    }

    private Compactor newCompactor() {
        return new Compactor(stored.store, SMALL, this::image, at -> keyspace.at(at), TimeSource.system());
    }

    private byte[] image(Key key, Lsn at) throws IOException {
        images.add(key);
        byte[] image = VersionModel.imageOf(stored.store, key, at);
        if (!java.util.Arrays.equals(image, model.image(key, at))) {
            throw new AssertionError("the image of " + key + " at " + at + " would be wrong");
        }
        return image;
    }

    void reopen() throws IOException {
        stored.reopen();
        compactor = newCompactor();
    }

    void openAgain() throws IOException {
        stored.openAgain();
        compactor = newCompactor();
    }

    void put(Key key, long lsn, boolean base, byte... bytes) throws IOException {
        stored.put(key, lsn, base, bytes);
    }

    void freeze() throws IOException {
        stored.store.freeze(stored.last);
    }

    /** Does all there is to do. */
    void settle() throws IOException {
        int steps = 0;
        while (compactor.step()) {
            if (++steps > 1000) {
                throw new AssertionError("compaction does not come to rest");
            }
        }
    }
}
