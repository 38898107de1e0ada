package io.tidemark.pageserver.timeline;

import static io.tidemark.pageserver.timeline.DetachBehavior.MULTI_LEVEL_AND_NO_REPARENT;
import static io.tidemark.pageserver.timeline.DetachBehavior.NO_ANCESTOR_AND_REPARENT;
import static io.tidemark.pageserver.timeline.TimelineFixture.START;
import static io.tidemark.pageserver.timeline.TimelineFixture.commit;
import static io.tidemark.pageserver.timeline.TimelineFixture.id;
import static io.tidemark.pageserver.timeline.TimelineFixture.read;
import static io.tidemark.pageserver.timeline.TimelineFixture.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.durable.PowerLossException;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.rel.SlruKind;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A root (1) with a write at each 0x40 up to 0x400, and its branches: 2 at 0x200, which is detached; 3 at 0x100 and 4 at 0x200, which go
 * with it; 5 at 0x240, which stays. 6 is a branch of 3, 7 one of 2.
 */
class TimelineReparentTest {
    private static final RetentionConfig NOTHING = new RetentionConfig(0, Duration.ZERO, Duration.ZERO, Duration.ZERO);
    private static final Lsn POINT = START.plus(0x200);
    private static final String AUX = "pg_logical/x";
    /** A page with one version, which is not complete by itself. */
    private static final Key NO_BASE = Keys.slruBlock(SlruKind.CLOG, 0, 1);

    private static final List<TimelineId> GOING = List.of(id(3).timelineId(), id(4).timelineId());

    private FakeDisk fake;
    private HookedDisk disk;
    private TimelineFixture fixture;
    private Map<String, Integer> before;

    @BeforeEach
    void open() throws Exception {
        fake = new FakeDisk();
        disk = new HookedDisk(fake);
        fixture = new TimelineFixture(disk);
        grow(fixture);
        before = answers(2, 3, 4, 5, 6, 7);
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    /** Of the root's history, a part is compacted, a part in a layer that holds the branch point within, a part in memory. */
    private static void grow(TimelineFixture fixture) throws Exception {
        Timeline root = fixture.createRoot(1, 0);
        for (int i = 1; i <= 16; i++) {
            write(root, START.value() + 0x40L * i, i % 4, i);
            if (i == 2) {
                Lsn lsn = root.lastRecordLsn().plus(8);
                root.writer().put(Keys.auxFile(AUX), lsn, new Value.Image(new byte[] {1}));
                root.writer().publish(lsn, lsn.plus(-8), 0);
            }
            if (i == 4) {
                Lsn lsn = root.lastRecordLsn().plus(8);
                root.writer().put(NO_BASE, lsn, new Value.TransactionStatus(1, new int[] {7}));
                root.writer().publish(lsn, lsn.plus(-8), 0);
            }
            if (i == 3 || i == 5 || i == 11) {
                root.flush();
            }
            if (i == 5) {
                root.compactor().compactL0();
            }
        }
        branch(fixture, 2, 1, 0x200);
        branch(fixture, 3, 1, 0x100);
        branch(fixture, 4, 1, 0x200);
        branch(fixture, 5, 1, 0x240);
        branch(fixture, 6, 3, 0x140);
        branch(fixture, 7, 2, 0x240);
    }

    private static void branch(TimelineFixture fixture, long number, long ancestor, int offset) throws Exception {
        Timeline made = fixture.branches.create(
                id(number), id(ancestor).timelineId(), Optional.of(START.plus(offset)), Duration.ofSeconds(1));
        write(made, START.value() + offset + 0x40, (int) number % 4, 100 + (int) number);
        write(made, START.value() + offset + 0x80, (int) (number + 1) % 4, 110 + (int) number);
        made.flush();
    }

    private Map<String, Integer> answers(long... numbers) throws ReadException {
        Map<String, Integer> all = new TreeMap<>();
        for (long number : numbers) {
            Timeline timeline = fixture.timeline(number);
            Lsn at = timeline.metadata().startLsn().max(START.plus(number == 2 ? 0x200 : 0));
            for (; at.isAtMost(timeline.lastRecordLsn()); at = at.plus(0x20)) {
                answer(all, timeline, at);
            }
        }
        return all;
    }

    private static void answer(Map<String, Integer> all, Timeline timeline, Lsn at) throws ReadException {
        for (int block = 0; block < TimelineFixture.BLOCKS; block++) {
            all.put(name(timeline, at, block), read(timeline, block, at));
        }
    }

    private static String name(Timeline timeline, Lsn at, int block) {
        return timeline.metadata().id().timelineId().toString().substring(31) + " at " + at + ": " + block;
    }

    private List<TimelineId> detach() throws BranchException, IOException {
        return fixture.registry.detach(fixture.timeline(2), NO_ANCESTOR_AND_REPARENT);
    }

    private TimelineId ancestorOf(long number) {
        return fixture.timeline(number).metadata().ancestor().orElseThrow().timelineId();
    }

    private void collectAll() throws IOException {
        TimelineMaintenance maintenance = fixture.maintenance(NOTHING);
        for (Timeline timeline : List.copyOf(fixture.registry.all())) {
            timeline.flush();
            maintenance.moveCutoff(timeline, NOTHING);
            timeline.compactor().compactL0();
            timeline.compactor().collectAll();
        }
    }

    /** What is readable whatever is collected: the heads, and the branch points. */
    private void assertHeadsAndBranchPoints() throws ReadException {
        Map<String, Integer> now = new TreeMap<>();
        for (int number = 2; number <= 7; number++) {
            Optional<Timeline> found = fixture.registry.find(id(number));
            if (found.isPresent()) {
                answer(now, found.get(), found.get().lastRecordLsn());
            }
        }
        assertThat(now).isNotEmpty();
        assertThat(before).containsAllEntriesOf(now);
    }

    @Test
    void siblingsThatBeganAtThePointOrBeforeGoAlongAndAnswerTheSame() throws Exception {
        TimelineReader reader = fixture.timeline(3).reader();
        byte[] page = new byte[8192];
        Key block = Keys.relationBlock(TimelineFixture.RELATION, 1);
        reader.build(block, START.plus(0x100), page);
        assertThat(detach()).isEqualTo(GOING);
        assertThat(answers(2, 3, 4, 5, 6, 7)).isEqualTo(before);
        assertThat(List.of(ancestorOf(3), ancestorOf(4), ancestorOf(7))).containsOnly(id(2).timelineId());
        assertThat(ancestorOf(5)).isEqualTo(id(1).timelineId());
        assertThat(ancestorOf(6)).isEqualTo(id(3).timelineId());
        assertThatThrownBy(() -> fixture.registry.delete(id(1))).hasMessageContaining("has branches");
        assertThatThrownBy(() -> fixture.registry.delete(id(2))).hasMessageContaining("has branches");
        fixture.registry.delete(id(5));
        fixture.registry.delete(id(1));
        before.keySet().removeIf(what -> what.startsWith("5"));
        assertThat(answers(2, 3, 4, 6, 7)).isEqualTo(before);
        page[0] = 77;
        reader.build(block, START.plus(0x100), page); // not from the cache
        assertThat(page[0]).isEqualTo((byte) 1);
        fixture.restart();
        assertThat(answers(2, 3, 4, 6, 7)).isEqualTo(before);
        assertThat(detach()).isEqualTo(GOING);
        fixture.timeline(2).compactor().collectAll();
        assertThat(answers(2, 3, 4, 6, 7)).isEqualTo(before);
        collectAll();
        assertThat(fixture.timeline(2).gcCutoff()).isEqualTo(START.plus(0x280));
        assertHeadsAndBranchPoints();
        fixture.restart();
        collectAll();
        assertHeadsAndBranchPoints();
        // As before, what is not needed goes, and what is deleted is not told of.
        assertThatThrownBy(() -> fixture.timeline(2).effectiveLsn(START.plus(0x180), Lsn.INVALID, Duration.ZERO))
                .hasMessageContaining("garbage collected");
        fixture.registry.delete(id(4));
        assertThat(detach()).containsExactly(id(3).timelineId());
    }

    @Test
    void theDetachedTimelineHasTheHistoryUpToItsBranchPoint() throws Exception {
        Timeline root = fixture.timeline(1);
        Map<String, Integer> past = new TreeMap<>();
        for (int offset = 0; offset <= 0x200; offset += 8) {
            answer(past, root, START.plus(offset));
        }
        detach();
        fixture.registry.delete(id(5));
        fixture.registry.delete(id(1));
        fixture.restart();
        Timeline branch = fixture.timeline(2);
        Map<String, Integer> now = new TreeMap<>();
        for (int offset = 0; offset <= 0x200; offset += 8) {
            Lsn at = START.plus(offset);
            answer(now, branch, branch.effectiveLsn(at, at, Duration.ZERO));
        }
        assertThat(now.values()).containsExactlyElementsOf(past.values());
        assertThat(branch.reader().find(Keys.auxFile(AUX), START.plus(0x100))).isNotNull();
        for (int offset = 0x200; offset <= 0x280; offset += 8) {
            assertThat(branch.reader().find(Keys.auxFile(AUX), START.plus(offset)))
                    .isNull();
        }
        // It can be branched from there, as from any other history.
        branch(fixture, 8, 2, 0x180);
        assertThat(read(fixture.timeline(8), 2, START.plus(0x180))).isEqualTo(6);
        assertThat(branch.metadata().origin().orElseThrow().lsn()).isEqualTo(POINT);
    }

    @Test
    void onlyABranchOfARootTakesSiblingsAlong() throws Exception {
        Timeline grandchild = fixture.timeline(6);
        assertThatThrownBy(() -> fixture.registry.detach(grandchild, NO_ANCESTOR_AND_REPARENT))
                .isInstanceOfSatisfying(
                        BranchException.class,
                        e -> assertThat(e.kind()).isEqualTo(BranchException.Kind.TOO_MANY_ANCESTORS));
        assertThatThrownBy(() -> fixture.registry.detach(fixture.timeline(1), NO_ANCESTOR_AND_REPARENT))
                .isInstanceOfSatisfying(
                        BranchException.class, e -> assertThat(e.kind()).isEqualTo(BranchException.Kind.NO_ANCESTOR));
        // One that was detached without them is a root whose history begins at its branch point.
        assertThat(fixture.registry.detach(fixture.timeline(3), MULTI_LEVEL_AND_NO_REPARENT))
                .isEmpty();
        assertThat(fixture.registry.detach(grandchild, NO_ANCESTOR_AND_REPARENT))
                .isEmpty();
        assertThat(grandchild.metadata().startLsn()).isEqualTo(START.plus(0x100));
        // It has asked for nobody, and another behavior later changes nothing.
        assertThat(fixture.registry.detach(fixture.timeline(3), NO_ANCESTOR_AND_REPARENT))
                .isEmpty();
        assertThat(ancestorOf(4)).isEqualTo(id(1).timelineId());
        fixture.registry.delete(id(3));
        assertThat(before).containsAllEntriesOf(answers(2, 4, 5, 7));
        assertThat(read(grandchild, 3, START.plus(0x100))).isEqualTo(3);
        assertThat(detach()).containsExactly(id(4).timelineId());
    }

    @Test
    void whatWasKeptOfTheAncestorIsKept() throws Exception {
        Timeline root = fixture.timeline(1);
        Instant noon = Instant.parse("2026-11-26T12:00:00Z");
        commit(root, START.value() + 0x480, noon);
        TimelineMaintenance maintenance = fixture.maintenance(NOTHING);
        Lsn leased = START.plus(0x180);
        assertThat(maintenance.lease(root, leased, Duration.ofMinutes(5))).isPresent();
        root.flush();
        maintenance.moveCutoff(root, NOTHING);
        root.compactor().compactL0();
        root.compactor().collectAll();
        // Its own gc has passed the branch point as well.
        maintenance.moveCutoff(fixture.timeline(2), NOTHING);
        assertThat(detach()).isEqualTo(GOING);
        Timeline branch = fixture.timeline(2);
        assertThat(branch.gcCutoff()).isEqualTo(START.plus(0x280));
        fixture.registry.delete(id(5));
        fixture.registry.delete(id(1));
        maintenance.moveCutoff(branch, NOTHING);
        branch.compactor().collectAll();
        assertThat(read(branch, 2, branch.effectiveLsn(leased, leased, Duration.ZERO)))
                .isEqualTo(6);
        assertHeadsAndBranchPoints();
        assertThatThrownBy(() -> branch.effectiveLsn(START.plus(0x140), Lsn.INVALID, Duration.ZERO))
                .hasMessageContaining("garbage collected");
        fixture.time.advance(Duration.ofMinutes(6));
        maintenance.moveCutoff(branch, NOTHING);
        assertThatThrownBy(() -> branch.effectiveLsn(leased, leased, Duration.ZERO))
                .hasMessageContaining("garbage collected");
        assertHeadsAndBranchPoints();
    }

    @Test
    void momentsBeforeTheBranchPointAreFound() throws Exception {
        fixture.close();
        fixture = new TimelineFixture(new FakeDisk());
        Timeline root = fixture.createRoot(1, 0);
        Instant noon = Instant.parse("2026-11-26T12:00:00Z");
        for (int minute = 1; minute <= 5; minute++) {
            commit(root, START.value() + 0x100L * minute, noon.plus(Duration.ofMinutes(minute)));
        }
        Timeline branch = fixture.branches.create(
                id(2), id(1).timelineId(), Optional.of(START.plus(0x400)), Duration.ofSeconds(1));
        commit(branch, START.value() + 0x480, noon.plus(Duration.ofMinutes(9)));
        Instant moment = noon.plus(Duration.ofSeconds(150));
        assertThat(LsnByTimestamp.find(branch, moment).kind()).isEqualTo(LsnByTimestamp.Kind.PAST);
        fixture.registry.detach(branch, NO_ANCESTOR_AND_REPARENT);
        fixture.registry.delete(id(1));
        assertThat(LsnByTimestamp.find(branch, moment))
                .isEqualTo(new LsnByTimestamp.Answer(START.plus(0x2F8), LsnByTimestamp.Kind.PRESENT));
    }

    @Test
    void aSecondCallFinishesWhatTheFirstOneHasLeft() throws Exception {
        disk.refuse(4);
        assertThatThrownBy(this::detach)
                .isInstanceOfSatisfying(
                        BranchException.class, e -> assertThat(e.kind()).isEqualTo(BranchException.Kind.BUSY))
                .hasMessageContaining("ask again");
        assertThat(fixture.timeline(2).metadata().ancestor()).isEmpty();
        assertThat(ancestorOf(3)).isEqualTo(id(2).timelineId());
        assertThat(ancestorOf(4)).isEqualTo(id(1).timelineId());
        assertThat(answers(2, 3, 4, 5, 6, 7)).isEqualTo(before);
        // Who comes meanwhile is not one of them; and what they need is not collected, in either of the two.
        branch(fixture, 8, 1, 0x80);
        collectAll();
        assertThat(fixture.timeline(2).gcCutoff()).isEqualTo(Lsn.INVALID);
        assertHeadsAndBranchPoints();
        assertThatThrownBy(() -> fixture.registry.delete(id(1))).hasMessageContaining("has branches");
        assertThatThrownBy(() -> fixture.registry.delete(id(2))).hasMessageContaining("has branches");
        disk.hook = (file, mode) -> {};
        assertThat(fixture.registry.detach(fixture.timeline(2), MULTI_LEVEL_AND_NO_REPARENT))
                .isEqualTo(GOING);
        assertThat(ancestorOf(4)).isEqualTo(id(2).timelineId());
        assertThat(ancestorOf(8)).isEqualTo(id(1).timelineId());
        collectAll();
        assertThat(fixture.timeline(2).gcCutoff()).isEqualTo(START.plus(0x280));
        fixture.registry.delete(id(8));
        fixture.registry.delete(id(5));
        fixture.registry.delete(id(1));
        assertHeadsAndBranchPoints();
    }

    @Test
    void aRestartFinishesToo() throws Exception {
        disk.refuse(4);
        assertThatThrownBy(this::detach).isInstanceOf(BranchException.class);
        fixture.restart();
        assertThat(ancestorOf(4)).isEqualTo(id(1).timelineId());
        collectAll();
        assertThat(fixture.timeline(2).gcCutoff()).isEqualTo(Lsn.INVALID);
        assertHeadsAndBranchPoints();
        assertThatThrownBy(() -> fixture.registry.delete(id(2))).hasMessageContaining("has branches");
        disk.hook = (file, mode) -> {};
        fixture.restart();
        assertThat(ancestorOf(4)).isEqualTo(id(2).timelineId());
        collectAll();
        assertThat(fixture.timeline(2).gcCutoff()).isEqualTo(START.plus(0x280));
        assertHeadsAndBranchPoints();
        assertThat(detach()).isEqualTo(GOING);
    }

    @Test
    void oneThatIsMadeLaterStaysThoughItHasTheIdOfOneThatWent() throws Exception {
        assertThat(detach()).isEqualTo(GOING);
        fixture.registry.delete(id(4));
        branch(fixture, 4, 1, 0x180);
        fixture.restart();
        assertThat(ancestorOf(4)).isEqualTo(id(1).timelineId());
        assertThat(detach()).containsExactly(id(3).timelineId());
        assertThat(ancestorOf(4)).isEqualTo(id(1).timelineId());
    }

    @Test
    void whoReadsMeanwhileNoticesNothing() throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        List<Future<Integer>> readers = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int number = 2; number <= 7; number++) {
                Timeline timeline = fixture.timeline(number);
                readers.add(threads.submit(() -> readUntil(over, timeline)));
            }
            try {
                assertThat(detach()).isEqualTo(GOING);
                Timeline branch = fixture.timeline(2);
                for (int i = 0; i < 8; i++) {
                    write(branch, START.value() + 0x800 + 8L * i, i % 4, i);
                    branch.flush();
                    branch.compactor().compactL0();
                    branch.compactor().collectAll();
                }
            } finally {
                over.set(true);
            }
            for (Future<Integer> reader : readers) {
                assertThat(reader.get(1, TimeUnit.MINUTES)).isPositive();
            }
        }
    }

    /** Reads everything that a timeline had at first, past the caches, again and again. */
    private int readUntil(AtomicBoolean over, Timeline timeline) throws ReadException {
        Lsn first = timeline.metadata().origin().orElseThrow().lsn();
        Lsn last = timeline.lastRecordLsn();
        TimelineReader reader = timeline.reader();
        byte[] page = new byte[8192];
        int rounds = 0;
        boolean isLast;
        do {
            isLast = over.get();
            for (Lsn at = first; at.isAtMost(last); at = at.plus(0x20)) {
                for (int block = 0; block < TimelineFixture.BLOCKS; block++) {
                    reader.build(Keys.relationBlock(TimelineFixture.RELATION, block), at, page);
                    assertThat(page[0] & 0xFF).isEqualTo(before.get(name(timeline, at, block)));
                }
            }
            rounds++;
        } while (!isLast);
        return rounds;
    }

    @Test
    void aTimelineThatHasTheHistoryAndCouldNotBeDetachedIsStillRight() throws Exception {
        disk.refuse(2);
        assertThatThrownBy(this::detach).isInstanceOf(IOException.class).hasMessageContaining("refused");
        assertThat(ancestorOf(2)).isEqualTo(id(1).timelineId());
        assertThat(answers(2, 3, 4, 5, 6, 7)).isEqualTo(before);
        assertThat(fixture.timeline(2).reader().find(Keys.auxFile(AUX), POINT)).isNull();
        TimelineReader reader = fixture.timeline(2).reader();
        reader.build(NO_BASE, POINT, new byte[8192]);
        assertThat(reader.versionsRead()).isEqualTo(1);
        branch(fixture, 8, 1, 0x180);
        collectAll();
        assertThat(fixture.timeline(2).gcCutoff()).isEqualTo(Lsn.INVALID);
        disk.hook = (file, mode) -> {};
        long layers = fixture.timeline(2).store().layers().layers().size();
        assertThat(detach()).containsExactly(id(3).timelineId(), id(4).timelineId(), id(8).timelineId());
        assertThat(fixture.timeline(2).store().layers().layers()).hasSize((int) layers);
        fixture.registry.delete(id(5));
        fixture.registry.delete(id(1));
        collectAll();
        assertHeadsAndBranchPoints();
        assertThat(read(fixture.timeline(8), 2, START.plus(0x200))).isEqualTo(6);
    }

    @Test
    void oneOfATenantAtATime() throws Exception {
        List<BranchException.Kind> refused = new ArrayList<>();
        disk.hook = (file, mode) -> {
            if (HookedDisk.isFileOf(3, file)) {
                try {
                    fixture.registry.detach(fixture.timeline(5), NO_ANCESTOR_AND_REPARENT);
                } catch (BranchException e) {
                    refused.add(e.kind());
                }
            }
        };
        assertThat(detach()).isEqualTo(GOING);
        assertThat(refused).containsExactly(BranchException.Kind.BUSY);
        disk.hook = (file, mode) -> {};
        assertThat(fixture.registry.detach(fixture.timeline(5), NO_ANCESTOR_AND_REPARENT))
                .isEmpty();
    }

    @Test
    void aSiblingThatIsNotServedGoesAlong() throws Exception {
        fixture.close();
        fake.flipByte(
                Path.of(
                        "tenants",
                        TimelineFixture.TENANT.toString(),
                        "timelines",
                        id(3).timelineId().toString(),
                        "layers",
                        "MANIFEST"),
                40);
        fixture.restartAfterCrash();
        assertThat(fixture.registry.broken()).containsKeys(id(3), id(6));
        assertThat(detach()).isEqualTo(GOING);
        fixture.registry.delete(id(5));
        fixture.registry.delete(id(1));
        assertThatThrownBy(() -> fixture.registry.delete(id(2))).hasMessageContaining("has branches");
        assertThat(before).containsAllEntriesOf(answers(2, 4, 7));
        fixture.restart();
        assertThat(fixture.registry.broken().get(id(3))).contains("checksum");
        assertThat(detach()).isEqualTo(GOING);
    }

    @Test
    void aCrashAtAnyPointLosesNothing() throws Exception {
        int attached = 0;
        int detached = 0;
        for (int operation = 1; detached < 2; operation++) {
            fixture.close();
            FakeDisk crashed = new FakeDisk();
            fixture = new TimelineFixture(crashed);
            grow(fixture);
            crashed.losePowerDuring(operation);
            boolean done = false;
            try {
                assertThat(detach()).isEqualTo(GOING);
                done = true;
            } catch (IOException | PowerLossException e) {
                // that was the point
            }
            crashed.losePower();
            closeQuietly();
            crashed.crash(new SplittableRandom(operation));
            fixture.restartAfterCrash();
            String point = "operation " + operation;
            assertThat(fixture.registry.broken()).as(point).isEmpty();
            boolean isDetached = fixture.timeline(2).metadata().ancestor().isEmpty();
            assertThat(isDetached || !done).as(point).isTrue();
            attached += isDetached ? 0 : 1;
            detached += done ? 1 : 0;
            streamAgain();
            assertThat(answers(2, 3, 4, 5, 6, 7)).as(point).isEqualTo(before);
            collectAll();
            assertHeadsAndBranchPoints();
            assertThat(detach()).as(point).isEqualTo(GOING);
            fixture.registry.delete(id(5));
            fixture.registry.delete(id(1));
            assertHeadsAndBranchPoints();
            collectAll();
            fixture.restart();
            assertHeadsAndBranchPoints();
        }
        assertThat(attached).isPositive();
    }

    /** What the root had in memory. */
    private void streamAgain() throws IOException {
        Timeline root = fixture.timeline(1);
        for (int i = 1; i <= 16; i++) {
            if (root.lastRecordLsn().isBefore(START.plus(0x40L * i))) {
                write(root, START.value() + 0x40L * i, i % 4, i);
            }
        }
    }

    private void closeQuietly() {
        try {
            fixture.close();
        } catch (RuntimeException e) {
            assertThat(e).isInstanceOf(PowerLossException.class);
        }
    }
}
