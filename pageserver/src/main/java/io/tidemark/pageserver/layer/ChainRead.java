package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.layer.file.LayerFileReader;
import io.tidemark.wire.id.Lsn;
import java.util.IdentityHashMap;

/**
 * One read on its way through the layers: how far down it is, what it has met. The boundary only ever sinks, so a version that two
 * layers have is passed on once. Used by one thread, for one key after the other.
 */
final class ChainRead implements LayerFileReader.Rows {
    private final VersionSink sink;
    private final VersionRun run = new VersionRun();
    private final IdentityHashMap<Layer, LayerFileReader.LastBlock> lastBlocks = new IdentityHashMap<>(4);

    private Key key = Key.MIN;
    private long boundary;
    private boolean base;
    private int versions;
    private int layersVisited;

    ChainRead(VersionSink sink) {
        this.sink = sink;
    }

    /** Begins with a key, at versions at or below an LSN. */
    void start(Key newKey, Lsn at) {
        key = newKey;
        boundary = at.value();
        base = false;
        versions = 0;
    }

    Key key() {
        return key;
    }

    /** Only versions at or below this LSN (unsigned) are wanted. */
    long boundary() {
        return boundary;
    }

    boolean isAtBase() {
        return base;
    }

    /** Versions of this key so far. */
    int versions() {
        return versions;
    }

    int layersVisited() {
        return layersVisited;
    }

    void visit() {
        layersVisited++;
    }

    /** For layers in memory. */
    VersionRun run() {
        return run;
    }

    LayerFileReader.LastBlock lastBlock(Layer layer) {
        return lastBlocks.computeIfAbsent(layer, _ -> new LayerFileReader.LastBlock());
    }

    @Override
    public boolean row(long lsn, boolean isBase, byte[] bytes, int offset, int length) {
        sink.version(key, Lsn.of(lsn), isBase, bytes, offset, length);
        versions++;
        base = isBase;
        boundary = lsn - 1;
        return !isBase;
    }
}
