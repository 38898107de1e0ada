package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import io.tidemark.wire.wal.LittleEndian;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A timeline as simple as can be: for each key all values it ever had, whole. Knows its ancestor; remembers what was written to it, in
 * order, as safekeepers do.
 */
final class TreeModel {
    static final int PAGE = 8192;
    static final Key CLOG_PAGE = Keys.slruBlock(SlruKind.CLOG, 0, 0);
    static final Key CLOG_SIZE = Keys.slruSegmentSize(SlruKind.CLOG, 0);

    /** One record: where it ends, and what it puts. */
    record Entry(Lsn end, Map<Key, Value> changes) {}

    final long number;
    final @Nullable TreeModel ancestor;
    final Lsn start;
    final List<Entry> wal = new ArrayList<>();
    private final Map<Key, NavigableMap<Lsn, byte[]>> values = new TreeMap<>();
    private static final byte[] NONE = {};

    TreeModel(long number, @Nullable TreeModel ancestor, Lsn start) {
        this.number = number;
        this.ancestor = ancestor;
        this.start = start;
    }

    static RelTag relation(int number) {
        return new RelTag(RelTag.DEFAULT_TABLESPACE, 5, 20_000 + number, Fork.MAIN);
    }

    Lsn head() {
        return wal.isEmpty() ? start : wal.getLast().end();
    }

    void append(Entry entry) {
        wal.add(entry);
        entry.changes().forEach((key, value) -> {
            byte[] before = get(key, entry.end());
            values.computeIfAbsent(key, _ -> new TreeMap<>()).put(entry.end(), after(before, value));
        });
    }

    private static byte[] after(byte @Nullable [] before, Value value) {
        return switch (value) {
            case Value.Image image -> image.bytes();
            case Value.ZeroPage _ -> new byte[PAGE];
            case Value.Removed _ -> NONE;
            case Value.TransactionStatus change -> {
                byte[] page = before == null ? new byte[PAGE] : before.clone();
                for (int xid : change.xids()) {
                    int shift = xid % 4 * 2;
                    page[xid / 4] = (byte) (page[xid / 4] & ~(3 << shift) | change.status() << shift);
                }
                yield page;
            }
            default -> throw new IllegalArgumentException("the model does not know " + value);
        };
    }

    /** The value of a key at an LSN; null when there is none. */
    byte @Nullable [] get(Key key, Lsn at) {
        NavigableMap<Lsn, byte[]> versions = values.get(key);
        var newest = versions == null ? null : versions.floorEntry(at);
        if (newest != null) {
            return newest.getValue().length == 0 ? null : newest.getValue();
        }
        return ancestor == null ? null : ancestor.get(key, at.min(start));
    }

    /** Blocks of a relation; -1 when it does not exist. */
    int blocks(int relation, Lsn at) {
        byte[] size = get(Keys.relationSize(relation(relation)), at);
        return size == null ? -1 : LittleEndian.i32(size, 0);
    }
}
