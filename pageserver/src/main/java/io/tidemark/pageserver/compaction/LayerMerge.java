package io.tidemark.pageserver.compaction;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.FileLayer;
import io.tidemark.pageserver.layer.file.LayerCursor;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Merges layers by key, newest version first, and says which keys want an image. Holds one block of each input in memory, never a key's
 * history. Where two layers have a version of one key at one LSN (an image and the record it stands for) the newer layer's counts.
 */
final class LayerMerge {
    /** Where versions and images go. */
    interface Output {
        /** The next key begins. */
        void key(long high, long low) throws IOException;

        /** A version that stays; of one key from the newest on. */
        void version(long high, long low, long lsn, boolean base, byte[] bytes, int offset, int length)
                throws IOException;

        /** The chain of the key that ends here is long. */
        void longChain(Key key) throws IOException;
    }

    private final CompactionConfig config;
    private final KeptVersions kept;
    private final Lsn imageLsn;
    private final CompactionPace pace;
    private final Output output;
    private final PriorityQueue<Source> sources = new PriorityQueue<>(Comparator.naturalOrder());

    private boolean started;
    private long high;
    private long low;
    private long lastLsn;
    private boolean chainEnded;
    private int chainVersions;
    private long chainBytes;
    private long dropped;

    /** One input; {@code rank} 0 is the newest. */
    private record Source(LayerCursor cursor, int rank) implements Comparable<Source> {
        @Override
        public int compareTo(Source other) {
            int order = Key.compare(cursor.high(), cursor.low(), other.cursor.high(), other.cursor.low());
            if (order == 0) {
                order = Long.compareUnsigned(other.cursor.lsn(), cursor.lsn());
            }
            return order != 0 ? order : Integer.compare(rank, other.rank);
        }
    }

    /**
     * A merge that has not begun.
     *
     * @param inputs newest first
     * @param keys versions of other keys are left out
     * @param imageLsn chains are counted as a read at this LSN finds them; nothing in the inputs is above it
     */
    LayerMerge(
            List<FileLayer> inputs,
            KeyRange keys,
            CompactionConfig config,
            KeptVersions kept,
            Lsn imageLsn,
            CompactionPace pace,
            Output output)
            throws IOException {
        this.config = config;
        this.kept = kept;
        this.imageLsn = imageLsn;
        this.pace = pace;
        this.output = output;
        for (int rank = 0; rank < inputs.size(); rank++) {
            LayerCursor cursor = inputs.get(rank).cursor(keys);
            if (cursor.next()) {
                sources.add(new Source(cursor, rank));
            }
        }
    }

    /** Merges all of it. */
    void run() throws IOException {
        for (Source source = sources.poll(); source != null; source = sources.poll()) {
            LayerCursor cursor = source.cursor();
            boolean sameKey = started && cursor.high() == high && cursor.low() == low;
            if (!sameKey) {
                endKey();
                startKey(cursor.high(), cursor.low());
            }
            if (!sameKey || cursor.lsn() != lastLsn) {
                version(cursor);
            } else {
                dropped++;
            }
            if (cursor.next()) {
                sources.add(source);
            }
        }
        endKey();
    }

    private void startKey(long newHigh, long newLow) throws IOException {
        started = true;
        high = newHigh;
        low = newLow;
        chainEnded = false;
        chainVersions = 0;
        chainBytes = 0;
        kept.startKey(high, low);
        output.key(high, low);
    }

    private void version(LayerCursor cursor) throws IOException {
        lastLsn = cursor.lsn();
        if (!chainEnded && cursor.isBase()) {
            chainEnded = true;
        } else if (!chainEnded) {
            chainVersions++;
            chainBytes += cursor.length();
        }
        if (kept.keeps(lastLsn, cursor.isBase())) {
            output.version(high, low, lastLsn, cursor.isBase(), cursor.bytes(), cursor.offset(), cursor.length());
        } else {
            dropped++;
        }
        pace.worked(cursor.length());
    }

    private void endKey() throws IOException {
        boolean isLong = chainVersions >= config.imageChainVersions() || chainBytes >= config.imageChainBytes();
        if (started && isLong && imageLsn.isValid()) {
            output.longChain(new Key(high, low));
        }
    }

    /** Versions that nobody needs. */
    long dropped() {
        return dropped;
    }
}
