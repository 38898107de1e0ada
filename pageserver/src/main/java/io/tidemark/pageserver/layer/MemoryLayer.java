package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.layer.file.LayerFileWriter;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The open layer, or a frozen one on its way to a file: versions in off-heap memory, keys in a {@link KeyTable}. One writer while it
 * is open; any number of readers, who see a version as soon as the put has returned.
 */
final class MemoryLayer implements Layer {
    private final Lsn startLsn;
    private final KeyTable keys = new KeyTable();
    private final VersionArena arena = new VersionArena();
    private Lsn lastLsn;
    private long versions;
    private long bytes;

    /** Versions are at or above this LSN. */
    MemoryLayer(Lsn startLsn) {
        this.startLsn = startLsn;
        this.lastLsn = Lsn.INVALID;
    }

    Lsn startLsn() {
        return startLsn;
    }

    /** The LSN of the last version put; for the writer, or of a frozen layer. */
    Lsn lastLsn() {
        return lastLsn;
    }

    boolean isEmpty() {
        return versions == 0;
    }

    long versions() {
        return versions;
    }

    /** What the versions take, values and their places, in bytes; for the writer, or of a frozen layer. */
    long sizeBytes() {
        return bytes;
    }

    /** Memory held, on the heap and off it. */
    long memoryBytes() {
        return keys.sizeBytes() + arena.sizeBytes();
    }

    /** Adds a version. A second one of the same key and LSN takes the place of the first. */
    void put(Key key, Lsn lsn, boolean base, byte[] from, int offset, int length) {
        int known = keys.find(key.high(), key.low());
        int previous = 0;
        int jump = 0;
        int depth = 0;
        if (known != 0) {
            previous = keys.newest(known);
            jump = keys.newestJump(known);
            depth = keys.depth(known);
            if (keys.newestLsn(known) == lsn.value()) {
                previous = arena.previous(previous);
                jump = arena.jump(previous);
                depth--;
            }
        }
        jump = arena.jumpInFrontOf(previous, jump, depth);
        int address = arena.append(previous, jump, lsn.value(), base, from, offset, length);
        if (known == 0) {
            keys.insert(key.high(), key.low(), address, lsn.value());
        } else {
            keys.setNewest(known, address, jump, lsn.value(), depth + 1);
        }
        lastLsn = lsn;
        versions++;
        bytes += VersionArena.HEADER_BYTES + length;
    }

    @Override
    public void read(ChainRead read) {
        int key = keys.find(read.key().high(), read.key().low());
        if (key == 0) {
            return;
        }
        int at = arena.find(keys.newest(key), read.boundary());
        if (at != 0) {
            read.visit();
        }
        boolean more = true;
        while (at != 0 && more) {
            byte[] value = new byte[arena.length(at)];
            arena.copyTo(at, value);
            more = read.row(arena.lsn(at), arena.isBase(at), value, 0, value.length);
            at = arena.previous(at);
        }
    }

    @Override
    public @Nullable Key ceiling(Key key) {
        int found = keys.ceiling(key.high(), key.low());
        return found == 0 ? null : new Key(keys.high(found), keys.low(found));
    }

    /** Writes all versions; the layer is frozen. */
    void writeTo(LayerFileWriter writer) throws IOException {
        byte[] value = new byte[64 << 10];
        for (int key = keys.first(); key != 0; key = keys.next(key)) {
            for (int at = keys.newest(key); at != 0; at = arena.previous(at)) {
                int length = arena.length(at);
                if (length > value.length) {
                    value = new byte[length];
                }
                arena.copyTo(at, value);
                writer.add(keys.high(key), keys.low(key), arena.lsn(at), arena.isBase(at), value, 0, length);
            }
        }
    }

    @Override
    public void release() {
        arena.close();
    }
}
