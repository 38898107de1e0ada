package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;

/**
 * The layers of a timeline, pinned: until it is closed, every LSN that was readable when it was taken stays so, whatever gc does.
 * Every version that had been put by then is visible; later ones may be or not, so take it after waiting for the LSN, not before.
 * Cheap to take; take one per request. Safe for several threads until it is closed.
 */
public final class LayerSnapshot implements AutoCloseable {
    private final LayerStore store;
    private final LayerMap map;
    private final int stripe;
    private boolean closed;

    LayerSnapshot(LayerStore store, LayerMap map, int stripe) {
        this.store = store;
        this.map = map;
        this.stripe = stripe;
    }

    /**
     * How a read ended.
     *
     * @param base whether the last version passed on is a base; if not, the chain goes on in the ancestor timeline, or the key does
     *     not exist
     * @param versions how many versions were passed on
     * @param layersVisited how many layers had one
     */
    public record Chain(boolean base, int versions, int layersVisited) {}

    /** The layers in files. */
    public LayerSet layers() {
        return map.files();
    }

    /** What may be read. */
    public Retention retention() {
        return map.files().retention();
    }

    /**
     * Passes on the chain of a key at an LSN, newest version first.
     *
     * @throws LsnGarbageCollectedException when the LSN is below the gc cutoff and not retained
     */
    public Chain read(Key key, Lsn at, VersionSink sink) throws IOException {
        requireReadable(at);
        ChainRead read = new ChainRead(sink);
        read.start(key, at);
        map.read(read);
        return new Chain(read.isAtBase(), read.versions(), read.layersVisited());
    }

    /** For reading many keys at one LSN, in rising order, by one thread. Ends with this snapshot. */
    public InOrder inOrder(VersionSink sink) {
        return new InOrder(new ChainRead(sink));
    }

    /** Reads one key after the other. Those in rising order share the decompression of blocks. */
    public final class InOrder {
        private final ChainRead read;

        private InOrder(ChainRead read) {
            this.read = read;
        }

        /**
         * Passes on the chain of a key at an LSN, newest version first; answers whether the last one is a base.
         *
         * @throws LsnGarbageCollectedException when the LSN is below the gc cutoff and not retained
         */
        public boolean read(Key key, Lsn at) throws IOException {
            requireReadable(at);
            read.start(key, at);
            map.read(read);
            return read.isAtBase();
        }
    }

    /**
     * Passes on the chains of all keys of a range that have a version at or below an LSN, keys rising. Keys that only an ancestor
     * has are not among them. For ranges where most keys do not exist; its cost is that of the keys, not of the range.
     *
     * @return how many keys there were
     * @throws LsnGarbageCollectedException when the LSN is below the gc cutoff and not retained
     */
    public int scan(KeyRange keys, Lsn at, VersionSink sink) throws IOException {
        requireReadable(at);
        return map.scan(keys, at, new ChainRead(sink));
    }

    /** Whether a read at this LSN gets the right answer. */
    public boolean isReadable(Lsn at) {
        // compacted_lsn stays readable when the cutoff has passed it: compaction makes images there.
        return retention().covers(at) || at.equals(map.files().compactedLsn());
    }

    private void requireReadable(Lsn at) {
        if (!isReadable(at)) {
            throw new LsnGarbageCollectedException(at, retention().cutoff());
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        store.unpin(map, stripe);
    }
}
