package io.tidemark.pageserver.timeline;

import static io.tidemark.pageserver.timeline.TimelineFixture.START;
import static io.tidemark.pageserver.timeline.TimelineFixture.commit;
import static io.tidemark.pageserver.timeline.TimelineFixture.id;
import static io.tidemark.pageserver.timeline.TimelineFixture.read;
import static io.tidemark.pageserver.timeline.TimelineFixture.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.runtime.durable.RealDisk;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TimelineMaintenanceTest {
    private static final Duration LEASE = Duration.ofMinutes(10);
    private static final Duration WEEK = Duration.ofDays(7);

    @TempDir
    private Path directory = Path.of("unset");

    private TimelineFixture fixture;

    @BeforeEach
    void open() throws IOException {
        fixture = new TimelineFixture(new RealDisk(directory));
        fixture.createRoot(1, 0);
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private Timeline root() {
        return fixture.timeline(1);
    }

    private static Lsn at(int offset) {
        return START.plus(offset);
    }

    private static RetentionConfig keeping(long horizonBytes, Duration interval) {
        return new RetentionConfig(horizonBytes, interval, LEASE, Duration.ofMinutes(1));
    }

    /** One write at each 0x100, one day after the other; the fill is the number of the day. */
    private void days(int count) throws IOException {
        for (int day = 1; day <= count; day++) {
            write(root(), START.value() + 0x100L * day - 8, 0, day);
            commit(root(), START.value() + 0x100L * day, fixture.time.now());
            fixture.time.advance(Duration.ofDays(1));
        }
        root().flush();
    }

    private void collect() throws IOException {
        root().compactor().compactL0();
        root().compactor().collectAll();
    }

    @Test
    void theCutoffIsTheLowerOfTimeAndSpace() throws Exception {
        TimelineMaintenance maintenance = fixture.maintenance(keeping(0, Duration.ZERO));
        fixture.time.advance(LEASE);
        days(20);
        // By time: the last LSN that is older than the commit of seven days ago, day 14 of which one instant has
        // passed.
        assertThat(maintenance.moveCutoff(root(), keeping(0x1000, WEEK))).isEqualTo(at(0x400));
        assertThat(maintenance.moveCutoff(root(), keeping(0x100, WEEK))).isEqualTo(at(0xF00 - 8));
        assertThat(maintenance.moveCutoff(root(), keeping(0x100, Duration.ZERO)))
                .isEqualTo(at(0x1300));
        assertThat(maintenance.moveCutoff(root(), keeping(0, Duration.ZERO))).isEqualTo(at(0x1400));
        // Never back.
        assertThat(maintenance.moveCutoff(root(), keeping(0x100, WEEK))).isEqualTo(at(0x1400));
    }

    @Test
    void withoutACommitNobodyKnowsHowOldAnythingIs() throws Exception {
        TimelineMaintenance maintenance = fixture.maintenance(keeping(0, WEEK));
        write(root(), START.value() + 0x100, 0, 1);
        root().flush();
        fixture.time.advance(Duration.ofDays(100));
        assertThat(maintenance.moveCutoff(root(), keeping(0, WEEK))).isEqualTo(START);
    }

    @Test
    void whatIsNotDurableIsNotBelowTheCutoff() throws Exception {
        TimelineMaintenance maintenance = fixture.maintenance(RetentionConfig.NOTHING);
        days(3);
        write(root(), START.value() + 0x1000, 0, 9);
        assertThat(maintenance.moveCutoff(root(), RetentionConfig.NOTHING)).isEqualTo(at(0x300));
    }

    @Test
    void aLeaseHoldsItsLsnUntilItExpires() throws Exception {
        days(10);
        TimelineMaintenance maintenance = fixture.maintenance(RetentionConfig.NOTHING);
        Instant end = maintenance.lease(root(), at(0x300), LEASE).orElseThrow();
        assertThat(end).isEqualTo(fixture.time.now().plus(LEASE));
        maintenance.moveCutoff(root(), RetentionConfig.NOTHING);
        collect();
        assertThat(read(root(), 0, at(0x300))).isEqualTo(3);
        assertThat(root().effectiveLsn(at(0x300), at(0x300), Duration.ZERO)).isEqualTo(at(0x300));
        assertThatThrownBy(() -> root().effectiveLsn(at(0x400), at(0x400), Duration.ZERO))
                .hasMessageContaining("garbage collected");
        assertThat(maintenance.lease(root(), at(0x400), LEASE)).isEmpty();

        // Renewed: longer, never shorter.
        fixture.time.advance(LEASE.dividedBy(2));
        Instant renewed = maintenance.lease(root(), at(0x300), LEASE).orElseThrow();
        assertThat(renewed).isEqualTo(end.plus(LEASE.dividedBy(2)));
        assertThat(maintenance.lease(root(), at(0x300), Duration.ofMinutes(1))).contains(renewed);

        // Where a lease is, a branch can begin, and holds it from then on.
        Timeline branch =
                fixture.branches.create(id(2), id(1).timelineId(), Optional.of(at(0x300)), Duration.ofSeconds(1));
        fixture.time.advance(LEASE.plusSeconds(1));
        maintenance.moveCutoff(root(), RetentionConfig.NOTHING);
        collect();
        assertThat(root().retention().leases()).isEmpty();
        assertThat(read(branch, 0, at(0x300))).isEqualTo(3);
        fixture.registry.delete(id(2));
        maintenance.moveCutoff(root(), RetentionConfig.NOTHING);
        assertThat(maintenance.lease(root(), at(0x300), LEASE)).isEmpty();
    }

    @Test
    void afterAStartNothingIsCollectedUntilHoldersOfLeasesHadTheirTime() throws Exception {
        days(10);
        TimelineMaintenance before = fixture.maintenance(RetentionConfig.NOTHING);
        assertThat(before.lease(root(), at(0x300), LEASE)).isPresent();
        assertThat(before.lease(root(), at(0x500), LEASE)).isPresent();
        before.moveCutoff(root(), RetentionConfig.NOTHING);
        collect(); // the manifest that says so

        fixture.restart();
        TimelineMaintenance after = fixture.maintenance(keeping(0, Duration.ZERO));
        assertThat(after.moveCutoff(root(), RetentionConfig.NOTHING)).isEqualTo(at(0xA00));
        assertThat(read(root(), 0, at(0x300))).isEqualTo(3);
        assertThat(after.lease(root(), at(0x300), LEASE.multipliedBy(2))).isPresent();
        fixture.time.advance(LEASE);
        write(root(), START.value() + 0x2000, 0, 99);
        root().flush();
        assertThat(after.moveCutoff(root(), RetentionConfig.NOTHING)).isEqualTo(at(0x2000));
        assertThat(read(root(), 0, at(0x300))).isEqualTo(3);
        // Nobody has taken this one again.
        assertThat(after.lease(root(), at(0x500), LEASE)).isEmpty();
        // A timeline that was made later has no leases to wait for.
        Timeline young = fixture.createRoot(7, 7);
        assertThat(fixture.maintenance(RetentionConfig.NOTHING).moveCutoff(young, RetentionConfig.NOTHING))
                .isEqualTo(START);
    }

    @Test
    void aLeaseOnAPageStartIsOneOnTheRecordBehindItsHeader() throws Exception {
        days(1);
        long page = START.value() + 0x4000;
        write(root(), page, 0, 50);
        write(root(), page + 0x100, 0, 51);
        root().flush();
        TimelineMaintenance maintenance = fixture.maintenance(RetentionConfig.NOTHING);
        assertThat(maintenance.lease(root(), Lsn.of(page), LEASE)).isPresent();
        assertThat(root().retention().leases()).containsOnlyKeys(Lsn.of(page + 24));
        maintenance.moveCutoff(root(), RetentionConfig.NOTHING);
        collect();
        for (int offset : new int[] {0, 24}) {
            Lsn effective = root().effectiveLsn(Lsn.of(page + offset), Lsn.of(page), Duration.ZERO);
            assertThat(read(root(), 0, effective)).isEqualTo(50);
        }
        assertThat(root().effectiveLsn(Lsn.of(-1), Lsn.of(page), Duration.ZERO)).isEqualTo(Lsn.of(page + 0x100));
    }

    @Test
    void noBranchIsGrantedThatGarbageCollectionThenTakes() throws Exception {
        TimelineMaintenance maintenance = fixture.maintenance(RetentionConfig.NOTHING);
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        Thread writer = Thread.ofPlatform().start(() -> {
            try {
                for (int i = 1; i <= 300; i++) {
                    write(root(), START.value() + 8L * i, 0, i % 256);
                    if (i % 4 == 0) {
                        root().flush();
                        maintenance.moveCutoff(root(), RetentionConfig.NOTHING);
                        collect();
                    }
                }
            } catch (IOException | RuntimeException | Error e) {
                failure.set(e);
            }
        });
        SplittableRandom random = new SplittableRandom(42);
        int made = 0;
        while (writer.isAlive() || made == 0) {
            Lsn at = Lsn.of(Math.max(START.value(), root().lastRecordLsn().value() - 8L * random.nextInt(6)));
            try {
                Timeline branch = fixture.branches.create(
                        id(100 + made), id(1).timelineId(), Optional.of(at), Duration.ofSeconds(1));
                made++;
                assertThat(read(branch, 0, at)).isEqualTo((int) ((at.minus(START) / 8) % 256));
                if (made % 8 == 0) {
                    fixture.registry.delete(branch.metadata().id());
                }
            } catch (BranchException e) {
                assertThat(e.kind()).isEqualTo(BranchException.Kind.UNACCEPTABLE_LSN);
            }
        }
        writer.join();
        assertThat(failure.get()).isNull();
        collect();
        for (Timeline timeline : fixture.registry.all()) {
            timeline.metadata().ancestor().ifPresent(point -> assertRight(timeline, point.lsn()));
        }
    }

    private static void assertRight(Timeline branch, Lsn at) {
        try {
            assertThat(read(branch, 0, at)).isEqualTo((int) ((at.minus(START) / 8) % 256));
        } catch (ReadException e) {
            throw new AssertionError(e.text(), e);
        }
    }
}
