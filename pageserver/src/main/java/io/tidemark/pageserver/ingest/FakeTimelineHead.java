package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.key.ValueFormat;
import io.tidemark.pageserver.redo.Reconstruction;
import io.tidemark.pageserver.redo.RedoException;
import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A timeline in memory, for tests: keeps every version, answers at every LSN, and throws when whoever writes breaks the rules of {@link
 * TimelineHead#put}. Not thread-safe.
 */
public final class FakeTimelineHead implements TimelineHead {
    private final NavigableMap<Key, NavigableMap<Lsn, byte[]>> versions = new TreeMap<>();
    private final Reconstruction reconstruction;
    private Lsn newest = Lsn.INVALID;
    private long bytes;

    public FakeTimelineHead(RedoRules rules) {
        this.reconstruction = new Reconstruction(rules);
    }

    @Override
    public void put(Key key, Lsn lsn, Value value) {
        if (lsn.isBefore(newest)) {
            throw new IllegalStateException("put at " + lsn + " after " + newest);
        }
        newest = lsn;
        byte[] encoded = ValueFormat.encode(value);
        bytes += encoded.length;
        if (versions.computeIfAbsent(key, absent -> new TreeMap<>()).put(lsn, encoded) != null) {
            throw new IllegalStateException("two values of " + key + " at " + lsn);
        }
    }

    @Override
    public byte @Nullable [] read(Key key) throws IOException {
        return read(key, newest);
    }

    /** As {@link #read(Key)}, of a key that must have a value. */
    public byte[] require(Key key) throws IOException {
        return require(key, newest);
    }

    /** As {@link #require(Key)}, at an LSN. */
    public byte[] require(Key key, Lsn lsn) throws IOException {
        byte[] value = read(key, lsn);
        if (value == null) {
            throw new IOException("no value of " + Keys.describe(key) + " at " + lsn);
        }
        return value;
    }

    /** As {@link #read(Key)}, at an LSN. */
    public byte @Nullable [] read(Key key, Lsn lsn) throws IOException {
        reconstruction.begin(key);
        NavigableMap<Lsn, byte[]> ofKey = versions.get(key);
        if (ofKey != null) {
            for (Map.Entry<Lsn, byte[]> version :
                    ofKey.headMap(lsn, true).descendingMap().entrySet()) {
                if (!reconstruction.add(version.getKey().value(), version.getValue(), 0, version.getValue().length)) {
                    break;
                }
            }
        }
        try {
            return reconstruction.value();
        } catch (RedoException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** How many versions the newest state of a key is made of. */
    public int chainLength() {
        return reconstruction.versions();
    }

    @Override
    public void scan(KeyRange range, Visitor visitor) throws IOException {
        scan(range, newest, visitor);
    }

    /** As {@link #scan(KeyRange, Visitor)}, at an LSN. */
    public void scan(KeyRange range, Lsn lsn, Visitor visitor) throws IOException {
        for (Key key : versions.subMap(range.start(), true, range.end(), false).keySet()) {
            KeyKind kind = KeyKind.of(key);
            if (kind == null || kind.isPage()) {
                throw new IllegalStateException("scan of pages: " + key);
            }
            byte[] value = read(key, lsn);
            if (value != null) {
                visitor.visit(key, value);
            }
        }
    }

    /** How many versions there are. */
    public long count() {
        return versions.values().stream().mapToLong(Map::size).sum();
    }

    /** The size of all encoded values. */
    public long bytes() {
        return bytes;
    }
}
