package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.ingest.TimelineHead;
import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.key.ValueFormat;
import io.tidemark.pageserver.layer.LayerStore;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;

/** Takes base data, before it is known what the timeline is: nothing can be read yet. */
final class NewTimelineHead implements TimelineHead {
    private final LayerStore store;

    NewTimelineHead(LayerStore store) {
        this.store = store;
    }

    @Override
    public void put(Key key, Lsn lsn, Value value) throws IOException {
        byte[] bytes = ValueFormat.encode(value);
        store.put(key, lsn, value.isBase(), bytes, 0, bytes.length);
    }

    @Override
    public byte[] read(Key key) {
        throw new IllegalStateException("base data is only put, nothing is read back");
    }

    @Override
    public void scan(KeyRange range, Visitor visitor) {
        throw new IllegalStateException("base data is only put, nothing is read back");
    }
}
