package io.tidemark.pageserver.timeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.key.Key;
import io.tidemark.wire.id.Lsn;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class PageCacheTest {
    private static final Key KEY = new Key(1, 2);

    private final byte[] page = new byte[8192];

    private static byte[] filled(int value) {
        byte[] bytes = new byte[8192];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    @Test
    void anEntryHoldsFromItsVersionUntilTheNextOne() {
        try (PageCache cache = new PageCache(1 << 20)) {
            PageCache.View view = cache.view(Lsn.INVALID);
            assertThat(view.get(KEY, Lsn.of(10), page)).isFalse();
            view.put(KEY, Lsn.of(10), Lsn.of(20), filled(1));
            assertThat(view.get(KEY, Lsn.of(9), page)).isFalse();
            assertThat(view.get(KEY, Lsn.of(10), page)).isTrue();
            assertThat(page).isEqualTo(filled(1));
            assertThat(view.get(KEY, Lsn.of(1_000), page)).isTrue();
            view.changed(KEY, Lsn.of(30));
            view.changed(KEY, Lsn.of(40));
            view.settle();
            assertThat(view.get(KEY, Lsn.of(29), page)).isTrue();
            assertThat(view.get(KEY, Lsn.of(30), page)).isFalse();
        }
    }

    @Test
    void aPageReadBelowAKnownChangeEndsThere() {
        try (PageCache cache = new PageCache(1 << 20)) {
            PageCache.View view = cache.view(Lsn.INVALID);
            view.changed(KEY, Lsn.of(30));
            view.settle();
            view.put(KEY, Lsn.of(10), Lsn.of(20), filled(1));
            assertThat(view.get(KEY, Lsn.of(20), page)).isTrue();
            assertThat(view.get(KEY, Lsn.of(21), page)).isFalse();
            view.put(KEY, Lsn.of(30), Lsn.of(30), filled(2));
            assertThat(view.get(KEY, Lsn.of(31), page)).isTrue();
            view.put(KEY, Lsn.of(10), Lsn.of(20), filled(1));
            assertThat(view.get(KEY, Lsn.of(31), page)).as("a newer page stays").isTrue();
        }
    }

    @Test
    void whatWasWrittenBeforeTheViewBeganIsNotKnown() {
        try (PageCache cache = new PageCache(1 << 20)) {
            PageCache.View view = cache.view(Lsn.of(100));
            view.put(KEY, Lsn.of(10), Lsn.of(20), filled(1));
            assertThat(view.get(KEY, Lsn.of(20), page)).isTrue();
            assertThat(view.get(KEY, Lsn.of(21), page)).isFalse();
            view.put(KEY, Lsn.of(30), Lsn.of(100), filled(2));
            assertThat(view.get(KEY, Lsn.of(101), page)).isTrue();
        }
    }

    @Test
    void ofManyChangesNoneIsForgotten() {
        try (PageCache cache = new PageCache(1 << 20)) {
            PageCache.View view = cache.view(Lsn.INVALID);
            view.put(KEY, Lsn.of(10), Lsn.of(20), filled(1));
            view.changed(KEY, Lsn.of(30));
            for (int i = 0; i < 50_000; i++) {
                view.changed(new Key(0, i), Lsn.of(31));
            }
            Key last = new Key(0, 49_999);
            view.put(last, Lsn.of(10), Lsn.of(20), filled(2));
            view.settle();
            assertThat(view.get(KEY, Lsn.of(29), page)).isTrue();
            assertThat(view.get(KEY, Lsn.of(30), page)).isFalse();
            assertThat(view.get(last, Lsn.of(20), page)).isTrue();
            assertThat(view.get(last, Lsn.of(31), page)).isFalse();
        }
    }

    @Test
    void timelinesDoNotSeeEachOther() {
        try (PageCache cache = new PageCache(1 << 20)) {
            PageCache.View one = cache.view(Lsn.INVALID);
            PageCache.View other = cache.view(Lsn.INVALID);
            one.put(KEY, Lsn.of(10), Lsn.of(20), filled(1));
            assertThat(other.get(KEY, Lsn.of(15), page)).isFalse();
            other.changed(KEY, Lsn.of(11));
            other.settle();
            assertThat(one.get(KEY, Lsn.of(15), page)).isTrue();
            one.close();
            assertThat(one.get(KEY, Lsn.of(15), page)).isFalse();
        }
    }

    @Test
    void theNumberOfPagesIsBounded() {
        try (PageCache cache = new PageCache(0)) {
            PageCache.View view = cache.view(Lsn.INVALID);
            int keys = 20_000;
            for (int i = 0; i < keys; i++) {
                view.put(new Key(0, i), Lsn.of(1), Lsn.of(1), filled(i));
            }
            int found = 0;
            for (int i = 0; i < keys; i++) {
                if (view.get(new Key(0, i), Lsn.of(1), page)) {
                    assertThat(page[17]).isEqualTo((byte) i);
                    found++;
                }
            }
            assertThat(found).isBetween(1, (int) (cache.capacityBytes() / 8192));
        }
    }

    /** A writer moves a few pages on, readers must see, at any published LSN, exactly the version of that LSN. */
    @Test
    @Timeout(60)
    void noReaderEverSeesAStalePage() throws Exception {
        int keys = 8;
        int versions = 30_000;
        long hitsWanted = 10_000;
        long lsnLimit = 1 << 24; // a page holds its LSN in three bytes
        AtomicBoolean done = new AtomicBoolean();
        AtomicLong published = new AtomicLong(1);
        AtomicLongArray newest = new AtomicLongArray(keys); // the store: the LSN of each key's newest version
        for (int key = 0; key < keys; key++) {
            newest.set(key, 1);
        }
        try (PageCache cache = new PageCache(1 << 20);
                var threads = Executors.newFixedThreadPool(3)) {
            PageCache.View view = cache.view(Lsn.INVALID);
            Future<?> writer = threads.submit(() -> {
                SplittableRandom random = new SplittableRandom(1);
                // It goes on until the readers were there as well: threads may start late.
                for (long lsn = 2; lsn < lsnLimit && (lsn <= versions || cache.hits() < hitsWanted); lsn++) {
                    int key = random.nextInt(keys);
                    newest.set(key, lsn);
                    view.changed(new Key(0, key), Lsn.of(lsn));
                    if (random.nextInt(3) == 0) { // batches of a few
                        view.settle();
                        published.set(lsn);
                    }
                }
                done.set(true);
            });
            Runnable reader = () -> {
                SplittableRandom random =
                        new SplittableRandom(Thread.currentThread().threadId());
                byte[] into = new byte[8192];
                while (!done.get()) {
                    int key = random.nextInt(keys);
                    long at = published.get();
                    long atMost = newest.get(key); // may be newer than "at"; then it is no longer known what was there
                    if (view.get(new Key(0, key), Lsn.of(at), into)) {
                        long seen = (into[0] & 0xFFL) | (into[1] & 0xFFL) << 8 | (into[2] & 0xFFL) << 16;
                        assertThat(seen).isLessThanOrEqualTo(at);
                        if (atMost <= at) {
                            assertThat(seen).as("key %s at %s", key, at).isEqualTo(atMost);
                        }
                    } else if (atMost <= at) {
                        byte[] bytes = new byte[8192];
                        bytes[0] = (byte) atMost;
                        bytes[1] = (byte) (atMost >> 8);
                        bytes[2] = (byte) (atMost >> 16);
                        view.put(new Key(0, key), Lsn.of(atMost), Lsn.of(at), bytes);
                    }
                }
            };
            Future<?> one = threads.submit(reader);
            Future<?> two = threads.submit(reader);
            writer.get();
            one.get();
            two.get();
            assertThat(cache.hits()).isGreaterThanOrEqualTo(hitsWanted);
        }
    }
}
