package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.compaction.LiveKeyspace;
import io.tidemark.pageserver.compaction.PageMaterializer;
import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.key.ValueFormat;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.wal.LittleEndian;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What compaction has to be told about a timeline: images of keys with long chains, and which keys exist. While an ancestor has to stream
 * again what the timeline has of it, neither is known, and compaction goes on without.
 */
final class TimelineCompaction implements PageMaterializer, LiveKeyspace {
    private final Timeline timeline;
    private @Nullable TimelineReader reader;

    TimelineCompaction(Timeline timeline) {
        this.timeline = timeline;
    }

    private TimelineReader reader() {
        TimelineReader existing = reader;
        if (existing == null) {
            existing = timeline.reader();
            reader = existing;
        }
        return existing;
    }

    @Override
    public byte @Nullable [] materialize(Key key, Lsn at) throws IOException {
        if (!timeline.hasAncestor()) {
            return null;
        }
        try {
            byte[] value = reader().find(key, at);
            return value == null ? null : ValueFormat.encode(new Value.Image(value));
        } catch (ReadException e) {
            throw new IOException(e.text(), e);
        }
    }

    @Override
    public @Nullable List<KeyRange> at(Lsn at) throws IOException {
        if (!timeline.hasAncestor()) {
            return null;
        }
        List<KeyRange> live = new ArrayList<>();
        try {
            reader().scan(KeyKind.RELATION_SIZE.range(), at, (key, value) -> {
                RelTag relation = Keys.relTag(key);
                int blocks = LittleEndian.i32(value, 0);
                if (blocks != 0) {
                    live.add(Keys.relationBlocks(relation, 0, blocks));
                }
            });
            reader().scan(KeyKind.SLRU_SEGMENT_SIZE.range(), at, (key, value) -> {
                int pages = LittleEndian.i32(value, 0);
                if (pages != 0) {
                    Key first = Keys.slruBlock(Keys.slruKind(key), key.f4(), 0);
                    live.add(new KeyRange(first, first.plus(pages)));
                }
            });
        } catch (ReadException e) {
            throw new IOException(e.text(), e);
        }
        live.sort(Comparator.comparing(KeyRange::start));
        // Small things come and go with values of their own that say so.
        live.add(new KeyRange(KeyKind.CONTROL.range().start(), Key.MAX));
        return live;
    }
}
