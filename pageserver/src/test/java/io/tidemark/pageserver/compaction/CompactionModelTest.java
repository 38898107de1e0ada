package io.tidemark.pageserver.compaction;

import static io.tidemark.pageserver.layer.StoreFixture.block;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.LayerSnapshot;
import io.tidemark.pageserver.layer.LayerStore;
import io.tidemark.pageserver.layer.Retention;
import io.tidemark.pageserver.layer.VersionModel;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.durable.PowerLossException;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Random histories against the model: whatever is flushed, compacted, collected, reopened or crashed, reads stay right. */
class CompactionModelTest {
    private final FakeDisk disk = new FakeDisk();
    private CompactionFixture fixture = open(disk);

    private static CompactionFixture open(FakeDisk disk) {
        try {
            return new CompactionFixture(disk);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void readsStayRightWhateverHappens() throws IOException {
        for (long seed = 1; seed <= 40; seed++) {
            run(seed, 120);
        }
    }

    @Test
    @Tag("slow")
    void readsStayRightWhateverHappensForLong() throws IOException {
        for (long seed = 1000; seed < 1200; seed++) {
            run(seed, 300);
        }
    }

    private void run(long seed, int rounds) throws IOException {
        FakeDisk fresh = new FakeDisk();
        fixture = open(fresh);
        SplittableRandom random = new SplittableRandom(seed);
        try {
            for (int round = 0; round < rounds; round++) {
                act(fresh, random);
                check(random, 6);
            }
            check(random, 60);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
        }
    }

    private void act(FakeDisk fresh, SplittableRandom random) throws IOException {
        switch (random.nextInt(16)) {
            case 0, 1 -> fixture.freeze();
            case 2, 3 -> fixture.compactor.step();
            case 4 -> fixture.compactor.compactL0();
            case 5 -> fixture.compactor.collectAll();
            case 6 -> fixture.settle();
            case 7, 8 -> retain(random);
            case 9 -> fixture.reopen();
            case 10 -> crash(fresh, random);
            default -> putSome(random);
        }
    }

    private void putSome(SplittableRandom random) throws IOException {
        for (int i = random.nextInt(60); i > 0; i--) {
            long lsn = fixture.stored.last.value() + random.nextInt(3);
            lsn = Math.max(lsn, fixture.stored.store.diskConsistentLsn().value() + 1);
            Key key = random.nextInt(4) == 0 ? block(1, 1) : block(random.nextInt(3), random.nextInt(12));
            byte[] bytes = VersionModel.randomBytes(random, random.nextInt(10) == 0 ? 500 : 40);
            if (lsn > frozen()) {
                fixture.put(key, lsn, random.nextInt(6) == 0, bytes);
            }
        }
    }

    /** Nothing may be put at or below it: the fixture flushes what it freezes. */
    private long frozen() {
        return fixture.stored.store.diskConsistentLsn().value();
    }

    private void retain(SplittableRandom random) {
        LayerStore store = fixture.stored.store;
        Retention now = store.layers().retention();
        Lsn cutoff = Lsn.of(now.cutoff().value()
                + random.nextLong(
                        1 + (fixture.stored.last.value() - now.cutoff().value()) / 2 + 1));
        cutoff = cutoff.min(store.diskConsistentLsn()).max(now.cutoff());
        List<Lsn> retained = new ArrayList<>(now.retained());
        retained.removeIf(lsn -> random.nextInt(3) == 0);
        for (int i = random.nextInt(3); i > 0; i--) {
            long span = fixture.stored.last.minus(now.cutoff());
            retained.add(now.cutoff().plus(random.nextLong(span + 1)));
        }
        store.retain(new Retention(cutoff, retained));
    }

    private void crash(FakeDisk fresh, SplittableRandom random) throws IOException {
        Lsn promised = fixture.stored.store.diskConsistentLsn();
        fresh.losePowerDuring(1 + random.nextInt(30));
        try {
            for (int i = 0; i < 5; i++) {
                putSome(random);
                fixture.freeze();
                promised = promised.max(fixture.stored.store.diskConsistentLsn());
                fixture.compactor.step();
                fixture.compactor.collectAll();
            }
        } catch (PowerLossException e) {
            // that was the point
        }
        fresh.crash(random);
        fixture.openAgain();
        assertThat(fixture.stored.store.diskConsistentLsn()).isGreaterThanOrEqualTo(promised);
    }

    private void check(SplittableRandom random, int reads) throws IOException {
        List<Key> keys = fixture.model.keys();
        if (keys.isEmpty()) {
            return;
        }
        try (LayerSnapshot snapshot = fixture.stored.store.snapshot()) {
            for (int i = 0; i < reads; i++) {
                Lsn at = readable(snapshot, random);
                fixture.model.check(snapshot, keys.get(random.nextInt(keys.size())), at);
                if (i % 3 == 0) {
                    Key start = keys.get(random.nextInt(keys.size()));
                    fixture.model.checkScan(snapshot, new KeyRange(start, Key.MAX), at);
                    fixture.model.checkMany(snapshot, keys, at);
                }
            }
        }
    }

    private Lsn readable(LayerSnapshot snapshot, SplittableRandom random) {
        Retention retention = snapshot.retention();
        List<Lsn> retained = retention.retained();
        if (!retained.isEmpty() && random.nextBoolean()) {
            return retained.get(random.nextInt(retained.size()));
        }
        long span = fixture.stored.last.max(retention.cutoff()).minus(retention.cutoff());
        return retention.cutoff().plus(random.nextLong(span + 3));
    }
}
