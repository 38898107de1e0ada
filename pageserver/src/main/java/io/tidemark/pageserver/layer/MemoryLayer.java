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
            long newest = keys.newest(known);
            previous = VersionArena.addressOf(newest);
            jump = keys.newestJump(known);
            depth = VersionArena.depthOf(newest);
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
            keys.setNewest(known, VersionArena.place(address, depth + 1), jump, lsn.value());
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
        long place = arena.find(keys.newest(key), read.boundary());
        if (place != 0) {
            read.visit();
        }
        VersionRun run = read.run();
        boolean more = true;
        for (int atMost = VersionRun.FIRST; place != 0 && more; atMost = Math.min(2 * atMost, VersionRun.MOST)) {
            place = run.collect(arena, place, atMost);
            more = pass(run, read);
        }
    }

    /** Copies the versions of a run, up to a base, into one array: an array for each would cost as much as its bytes. */
    private boolean pass(VersionRun run, ChainRead read) {
        int count = 0;
        int size = 0;
        boolean more = true;
        while (count < run.count() && more) {
            int at = run.address(count);
            size += arena.length(at);
            more = !arena.isBase(at);
            count++;
        }
        byte[] values = new byte[size];
        int offset = 0;
        for (int i = 0; i < count; i++) {
            int at = run.address(i);
            int length = arena.copyTo(at, values, offset);
            more = read.row(arena.lsn(at), arena.isBase(at), values, offset, length);
            offset += length;
        }
        return more;
    }

    @Override
    public @Nullable Key ceiling(Key key) {
        int found = keys.ceiling(key.high(), key.low());
        return found == 0 ? null : new Key(keys.high(found), keys.low(found));
    }

    /** Writes all versions; the layer is frozen. */
    void writeTo(LayerFileWriter writer) throws IOException {
        byte[] value = new byte[64 << 10];
        VersionRun run = new VersionRun();
        for (int key = keys.first(); key != 0; key = keys.next(key)) {
            long place = keys.newest(key);
            while (place != 0) {
                place = run.collect(arena, place, VersionRun.MOST);
                for (int i = 0; i < run.count(); i++) {
                    int at = run.address(i);
                    int length = arena.length(at);
                    if (length > value.length) {
                        value = new byte[length];
                    }
                    arena.copyTo(at, value, 0);
                    writer.add(keys.high(key), keys.low(key), arena.lsn(at), arena.isBase(at), value, 0, length);
                }
            }
        }
    }

    @Override
    public void release() {
        arena.close();
    }
}
