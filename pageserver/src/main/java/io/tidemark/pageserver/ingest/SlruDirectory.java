package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.wire.rel.SlruKind;
import io.tidemark.wire.wal.LittleEndian;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/** Which segments of SLRUs exist at the head, and how many pages they have: a cache, written through. */
final class SlruDirectory {
    private static final int PAGES_PER_SEGMENT = SlruKind.PAGES_PER_SEGMENT;

    // A cluster at its limits has some 90,000 segments; the few that are written are enough.
    private static final int MAX_CACHED = 1_000;

    private final TimelineHead head;
    private final Changes changes;
    private final Map<Key, Integer> sizes = new HashMap<>();

    SlruDirectory(TimelineHead head, Changes changes) {
        this.head = head;
        this.changes = changes;
    }

    private int size(Key key) throws IOException {
        Integer cached = sizes.get(key);
        if (cached != null) {
            return cached;
        }
        byte[] stored = head.read(key);
        int size = stored == null ? 0 : LittleEndian.i32(stored, 0);
        remember(key, size);
        return size;
    }

    private void remember(Key key, int size) {
        if (sizes.size() >= MAX_CACHED) {
            sizes.clear();
        }
        sizes.put(key, size);
    }

    /** Makes a page exist, with zeros between the segment's end and it. */
    void ensurePage(SlruKind kind, int page) throws IOException {
        int segment = Integer.divideUnsigned(page, PAGES_PER_SEGMENT);
        int block = Integer.remainderUnsigned(page, PAGES_PER_SEGMENT);
        Key key = Keys.slruSegmentSize(kind, segment);
        int size = size(key);
        if (block < size) {
            return;
        }
        for (int zeros = size; zeros <= block; zeros++) {
            changes.put(Keys.slruBlock(kind, segment, zeros), Value.ZERO_PAGE);
        }
        byte[] bytes = new byte[4];
        LittleEndian.putI32(bytes, 0, block + 1);
        changes.put(key, new Value.Image(bytes));
        remember(key, block + 1);
    }

    /** Changes a page; one that does not exist is made of zeros, as PostgreSQL's recovery does. */
    void change(SlruKind kind, int page, Value value) throws IOException {
        ensurePage(kind, page);
        changes.put(Keys.slruPage(kind, page), value);
    }

    /** Removes a segment, whether it exists or not. */
    void drop(SlruKind kind, int segment) throws IOException {
        Key key = Keys.slruSegmentSize(kind, segment);
        if (size(key) > 0) {
            remember(key, 0);
            changes.put(key, Value.REMOVED);
        }
    }

    /** Removes all segments of whose first and last page a condition is true. */
    void dropWhere(SlruKind kind, IntPredicate page) throws IOException {
        List<Integer> found = new ArrayList<>();
        head.scan(Keys.slruSegmentSizes(kind), (key, size) -> {
            int first = key.f4() * PAGES_PER_SEGMENT;
            if (page.test(first) && page.test(first + PAGES_PER_SEGMENT - 1)) {
                found.add(key.f4());
            }
        });
        for (int segment : found) {
            drop(kind, segment);
        }
    }
}
