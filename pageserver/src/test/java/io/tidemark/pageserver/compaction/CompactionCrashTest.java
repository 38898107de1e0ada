package io.tidemark.pageserver.compaction;

import static io.tidemark.pageserver.layer.StoreFixture.block;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.layer.LayerSnapshot;
import io.tidemark.pageserver.layer.Retention;
import io.tidemark.pageserver.layer.StoreFixture;
import io.tidemark.pageserver.layer.VersionModel;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.durable.PowerLossException;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Power fails during each single operation of a life with flushes, compactions and garbage collection. */
class CompactionCrashTest {
    private static final long END = 80;

    /** What had been promised before the crash. */
    private Lsn promised = Lsn.INVALID;

    private Retention applied = Retention.ALL;

    @Test
    void nothingBelowDiskConsistentLsnIsLostOrWrong() throws IOException {
        FakeDisk undisturbed = new FakeDisk();
        CompactionFixture whole = new CompactionFixture(undisturbed);
        long before = undisturbed.operations();
        live(whole, 1);
        long operations = undisturbed.operations() - before;
        assertThat(operations).isGreaterThan(150);
        check(whole);
        for (int n = 1; n <= operations; n++) {
            crashDuring(n, 0);
        }
    }

    @Test
    @Tag("slow")
    void norInAnyOfManyWaysToLoseWhatWasNotSynced() throws IOException {
        for (int n = 1; n <= 400; n++) {
            for (int fate = 1; fate < 20; fate++) {
                crashDuring(n, fate);
            }
        }
    }

    private void crashDuring(int n, int fate) throws IOException {
        String where = "power failed during operation " + n + ", fate " + fate;
        FakeDisk disk = new FakeDisk();
        CompactionFixture fixture = new CompactionFixture(disk);
        promised = Lsn.INVALID;
        applied = Retention.ALL;
        disk.losePowerDuring(n);
        try {
            live(fixture, 1);
        } catch (PowerLossException e) {
            // goes on below
        }
        try {
            disk.crash(new SplittableRandom(1000L * fate + n));
            fixture.openAgain();
            assertThat(fixture.stored.store.diskConsistentLsn()).as(where).isGreaterThanOrEqualTo(promised);
            check(fixture);
            requireOnlyNamedFiles(disk, fixture);
            // Ingest starts again from disk_consistent_lsn, and the rest of the life is as if nothing had been.
            live(fixture, fixture.stored.last.value() + 1);
            check(fixture);
            fixture.reopen();
            check(fixture);
        } catch (AssertionError | IOException | RuntimeException e) {
            throw new AssertionError(where + ": " + e.getMessage(), e);
        }
    }

    private static void requireOnlyNamedFiles(FakeDisk disk, CompactionFixture fixture) throws IOException {
        List<String> named = fixture.stored.store.layers().layers().stream()
                .map(layer -> layer.descriptor().fileName())
                .toList();
        List<String> found = disk.exists(StoreFixture.DIRECTORY) ? disk.list(StoreFixture.DIRECTORY) : List.of();
        assertThat(found.stream().filter(name -> !name.equals("MANIFEST")).toList())
                .containsExactlyInAnyOrderElementsOf(named);
    }

    /** The same at each LSN whenever it is lived. */
    private void live(CompactionFixture fixture, long from) throws IOException {
        for (long lsn = from; lsn <= END; lsn++) {
            SplittableRandom random = new SplittableRandom(lsn);
            for (int i = 0; i < 3; i++) {
                byte[] bytes = VersionModel.randomBytes(random, 60);
                fixture.stored.put(block(i, random.nextInt(8)), lsn, random.nextInt(5) == 0, bytes);
            }
            if (lsn % 10 == 0) {
                fixture.freeze();
                promised = fixture.stored.store.diskConsistentLsn();
            }
            if (lsn % 20 == 0) {
                fixture.settle();
            }
            if (lsn % 40 == 0) {
                applied = new Retention(Lsn.of(lsn - 15), List.of(Lsn.of(13), Lsn.of(lsn - 19)));
                fixture.stored.store.retain(applied);
                fixture.compactor.collectAll();
            }
        }
    }

    private static void check(CompactionFixture fixture) throws IOException {
        try (LayerSnapshot snapshot = fixture.stored.store.snapshot()) {
            for (long lsn = 0; lsn <= END + 1; lsn++) {
                Lsn at = Lsn.of(lsn);
                if (snapshot.isReadable(at)) {
                    fixture.model.checkMany(snapshot, fixture.model.keys(), at);
                }
            }
        }
    }
}
