package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.redo.ChangeRedo;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What one record puts, collected so that a key is put once: a later change of a key is merged into an earlier one. Reused for each
 * record.
 */
final class Changes {
    // Nearly all records change one to four keys; those that drop thousands of relations need better than a search.
    private static final int SEARCHED = 16;

    private final List<Key> keys = new ArrayList<>();
    private final List<Value> values = new ArrayList<>();
    private final Map<Key, Integer> places = new HashMap<>();
    private Lsn lsn = Lsn.INVALID;

    /** The changes of the record that ends here come now. */
    void begin(Lsn recordEnd) {
        clear();
        lsn = recordEnd;
    }

    void put(Key key, Value value) {
        int place = find(key);
        if (place < 0) {
            if (keys.size() >= SEARCHED) {
                indexNew();
                places.put(key, keys.size());
            }
            keys.add(key);
            values.add(value);
        } else {
            values.set(place, merge(values.get(place), value));
        }
    }

    private void indexNew() {
        if (places.isEmpty()) {
            for (int i = 0; i < keys.size(); i++) {
                places.put(keys.get(i), i);
            }
        }
    }

    private int find(Key key) {
        if (!places.isEmpty()) {
            return places.getOrDefault(key, -1);
        }
        for (int i = keys.size() - 1; i >= 0; i--) {
            if (keys.get(i).equals(key)) {
                return i;
            }
        }
        return -1;
    }

    /** The value that does what both do, one after the other. */
    static Value merge(Value first, Value second) {
        if (second.isBase()) {
            return second;
        }
        if (second instanceof Value.Redo record && first instanceof Value.ZeroPage) {
            return new Value.Redo(
                    record.blockId(), record.beforeEnd(), true, record.array(), record.offset(), record.length());
        }
        if (first instanceof Value.ZeroPage
                || first instanceof Value.Image image && image.bytes().length == Page.SIZE_BYTES) {
            byte[] page = first instanceof Value.Image image ? image.bytes() : new byte[Page.SIZE_BYTES];
            if (ChangeRedo.apply(second, page)) {
                return new Value.Image(page);
            }
        }
        return switch (second) {
            case Value.VisibilityCleared more
            when first instanceof Value.VisibilityCleared some ->
                new Value.VisibilityCleared(
                        concat(some.heapBlocks(), more.heapBlocks()), concat(some.bits(), more.bits()));
            case Value.TransactionStatus more
            when first instanceof Value.TransactionStatus some && some.status() == more.status() ->
                new Value.TransactionStatus(some.status(), concat(some.xids(), more.xids()));
            case Value.MultixactOffsets more
            when first instanceof Value.MultixactOffsets some ->
                new Value.MultixactOffsets(
                        concat(some.multis(), more.multis()), concat(some.offsets(), more.offsets()));
            default ->
                throw new UnmergeableException(
                        "one record both makes a " + first.getClass().getSimpleName() + " and a "
                                + second.getClass().getSimpleName() + " of one key");
        };
    }

    /** A record changes one key in two ways that no record of PostgreSQL combines. */
    static final class UnmergeableException extends RuntimeException {
        private static final long serialVersionUID = 1;

        UnmergeableException(String message) {
            super(message);
        }
    }

    private static int[] concat(int[] a, int[] b) {
        int[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    private static byte[] concat(byte[] a, byte[] b) {
        byte[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    /** Hands one change over at once, so that a record which copies a database need not fit into memory. Its key comes but once. */
    void putThrough(TimelineHead head, Key key, Value value) throws IOException {
        head.put(key, lsn, value);
    }

    /** Hands everything over and starts anew. */
    void putAll(TimelineHead head) throws IOException {
        for (int i = 0; i < keys.size(); i++) {
            head.put(keys.get(i), lsn, values.get(i));
        }
        clear();
    }

    void clear() {
        keys.clear();
        values.clear();
        places.clear();
    }
}
