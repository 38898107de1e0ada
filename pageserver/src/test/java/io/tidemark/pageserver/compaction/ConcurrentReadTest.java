package io.tidemark.pageserver.compaction;

import static io.tidemark.pageserver.layer.StoreFixture.block;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.layer.LayerConfig;
import io.tidemark.pageserver.layer.LayerSnapshot;
import io.tidemark.pageserver.layer.LayerStore;
import io.tidemark.pageserver.layer.LayerStoreListener;
import io.tidemark.pageserver.layer.Retention;
import io.tidemark.pageserver.layer.StoreFixture;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.time.TimeSource;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Readers beside a writer, flushes, compaction and garbage collection. A key has a version at each multiple of its period, so a reader
 * knows by itself what is right at any LSN.
 */
class ConcurrentReadTest {
    private static final int KEYS = 40;
    private static final int BASE_EVERY = 13;
    private static final long LSNS = 3000;
    private static final LayerConfig CONFIG =
            new LayerConfig(30_000, 1 << 20, Duration.ofMinutes(1), 1 << 20, 2, 12, 1024, 1);

    private final AtomicLong readable = new AtomicLong();
    private final AtomicLong reads = new AtomicLong();
    private final ExecutorService flushes = Executors.newSingleThreadExecutor();
    private final LayerStore store;
    private volatile @Nullable CompactionLoop loop;

    ConcurrentReadTest() throws IOException {
        this.store = LayerStore.open(
                new FakeDisk(),
                StoreFixture.DIRECTORY,
                CONFIG,
                Lsn.INVALID,
                flushes,
                LayerStoreListener.ofDiskConsistentLsn(_ -> wake()));
    }

    private static long period(int key) {
        return 1L + key % 20;
    }

    private static Key keyOf(int key) {
        return block(key % 3, key);
    }

    private static byte[] bytes(int key, long lsn) {
        return ByteBuffer.allocate(24 + key).putInt(key).putLong(lsn).array();
    }

    @Test
    void everyReadIsRightWhateverGoesOn() throws Exception {
        try (flushes;
                ExecutorService threads = Executors.newCachedThreadPool()) {
            Compactor compactor = new Compactor(
                    store, CompactionFixture.SMALL, this::image, LiveKeyspace.UNKNOWN, TimeSource.system());
            CompactionLoop running = CompactionLoop.start(compactor, Duration.ofMillis(100), "compaction");
            loop = running;
            List<Future<?>> all = new ArrayList<>();
            all.add(threads.submit(job(this::write)));
            for (int reader = 0; reader < 3; reader++) {
                long seed = reader;
                all.add(threads.submit(job(() -> read(new SplittableRandom(seed)))));
            }
            for (Future<?> one : all) {
                one.get(2, TimeUnit.MINUTES);
            }
            running.close();
            flushes.submit(() -> {}).get(1, TimeUnit.MINUTES);
            assertThat(compactor.stats().l0Merges()).isPositive();
            assertThat(compactor.stats().failures()).isZero();
            assertThat(compactor.stats().images()).isPositive();
            assertThat(compactor.stats().versionsDropped()).isPositive();
            assertThat(reads.get()).isGreaterThan(1000);
            store.close();
        }
    }

    private void wake() {
        CompactionLoop running = loop;
        if (running != null) {
            running.wake();
        }
    }

    /** Whoever fails lets the others end. */
    private Callable<Void> job(Work work) {
        return () -> {
            try {
                work.run();
            } finally {
                readable.updateAndGet(lsn -> lsn < LSNS ? LSNS : lsn);
            }
            return null;
        };
    }

    @FunctionalInterface
    private interface Work {
        void run() throws IOException;
    }

    private void write() throws IOException {
        SplittableRandom random = new SplittableRandom(99);
        for (long lsn = 1; lsn <= LSNS; lsn++) {
            for (int key = 0; key < KEYS; key++) {
                if (lsn % period(key) == 0) {
                    byte[] bytes = bytes(key, lsn);
                    boolean base = lsn / period(key) % BASE_EVERY == 1;
                    store.put(keyOf(key), Lsn.of(lsn), base, bytes, 0, bytes.length);
                }
            }
            long done = lsn;
            readable.updateAndGet(before -> before < LSNS ? done : before);
            if (store.freezeIfDue(Lsn.of(lsn), 0)) {
                assertThat(store.awaitRoom(Duration.ofMinutes(1))).isTrue();
            }
            if (lsn % 300 == 0) {
                Lsn cutoff = Lsn.of(lsn - 200).min(store.diskConsistentLsn());
                store.retain(new Retention(cutoff, List.of(Lsn.of(50), cutoff.plus(random.nextInt(100)))));
            }
        }
    }

    private void read(SplittableRandom random) throws IOException {
        int wait = 0;
        while (readable.get() < LSNS) {
            long newest = readable.get();
            if (newest == 0) {
                Thread.onSpinWait();
                continue;
            }
            try (LayerSnapshot snapshot = store.snapshot()) {
                Retention retention = snapshot.retention();
                long from = retention.cutoff().value();
                long at = random.nextInt(4) == 0 && from > 50
                        ? 50
                        : from + random.nextLong(Math.max(1, newest - from + 1));
                if (at > newest) {
                    continue;
                }
                for (int i = 0; i < 20; i++) {
                    int key = random.nextInt(KEYS);
                    check(snapshot, key, at);
                    reads.incrementAndGet();
                }
            }
            wait++;
        }
        assertThat(wait).isPositive();
    }

    /** Follows a chain, step by step of its period, down to a base or an image. */
    private static void check(LayerSnapshot snapshot, int key, long at) throws IOException {
        long period = period(key);
        long[] expected = {at - at % period};
        boolean[] ended = new boolean[1];
        LayerSnapshot.Chain chain = snapshot.read(keyOf(key), Lsn.of(at), (k, lsn, base, bytes, offset, length) -> {
            String where = "key " + key + " at " + at + ", version " + lsn;
            assertThat(ended[0]).as(where).isFalse();
            ByteBuffer in = ByteBuffer.wrap(bytes, offset, length);
            if (length == 12) {
                assertThat(base).as(where).isTrue();
                assertThat(in.getInt()).isEqualTo(key);
                assertThat(lsn.value() - lsn.value() % period).as(where).isEqualTo(expected[0]);
            } else {
                assertThat(in.getInt()).as(where).isEqualTo(key);
                assertThat(in.getLong()).as(where).isEqualTo(expected[0]);
                assertThat(lsn.value()).as(where).isEqualTo(expected[0]);
                assertThat(base).as(where).isEqualTo(expected[0] / period % BASE_EVERY == 1);
                expected[0] -= period;
            }
            ended[0] = base;
        });
        assertThat(chain.base()).as("key " + key + " at " + at).isEqualTo(at >= period);
    }

    private byte[] image(Key key, Lsn at) throws IOException {
        try (LayerSnapshot snapshot = store.snapshot()) {
            check(snapshot, key.f6(), at.value());
        }
        return ByteBuffer.allocate(12).putInt(key.f6()).array();
    }
}
