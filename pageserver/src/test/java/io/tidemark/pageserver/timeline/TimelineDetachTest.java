package io.tidemark.pageserver.timeline;

import static io.tidemark.pageserver.timeline.TimelineFixture.START;
import static io.tidemark.pageserver.timeline.TimelineFixture.id;
import static io.tidemark.pageserver.timeline.TimelineFixture.read;
import static io.tidemark.pageserver.timeline.TimelineFixture.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.durable.PowerLossException;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TimelineDetachTest {
    private static final Lsn POINT = START.plus(0x200);

    private FakeDisk disk;
    private TimelineFixture fixture;

    @BeforeEach
    void open() throws Exception {
        disk = new FakeDisk();
        fixture = fixture(disk);
    }

    /** A root with history, a branch with its own at {@link #POINT}, and a branch of that. */
    private static TimelineFixture fixture(FakeDisk disk) throws Exception {
        TimelineFixture made = new TimelineFixture(disk);
        Timeline root = made.createRoot(1, 1);
        write(root, START.value() + 0x100, 0, 2);
        write(root, START.value() + 0x200, 1, 3);
        write(root, START.value() + 0x300, 0, 4);
        root.writer().put(Keys.auxFile("pg_logical/x"), START.plus(0x308), new Value.Image(new byte[] {1}));
        root.writer().publish(START.plus(0x308), START.plus(0x300), 0);
        root.flush();
        Timeline branch = made.branches.create(id(2), id(1).timelineId(), Optional.of(POINT), Duration.ofSeconds(1));
        write(branch, START.value() + 0x280, 2, 5);
        branch.flush();
        Timeline below = made.branches.create(id(3), id(2).timelineId(), Optional.of(POINT), Duration.ofSeconds(1));
        write(below, START.value() + 0x2C0, 3, 6);
        below.flush();
        return made;
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private static void assertBranches(TimelineFixture fixture) throws ReadException {
        Timeline branch = fixture.timeline(2);
        assertThat(new int[] {read(branch, 0, POINT), read(branch, 1, POINT), read(branch, 2, POINT)})
                .containsExactly(2, 3, 1);
        assertThat(read(branch, 2, branch.lastRecordLsn())).isEqualTo(5);
        assertThat(branch.reader().exists(TimelineFixture.RELATION, POINT)).isTrue();
        assertThat(branch.reader().find(Keys.auxFile("pg_logical/x"), branch.lastRecordLsn()))
                .isNull();
        Timeline below = fixture.timeline(3);
        assertThat(read(below, 0, below.lastRecordLsn())).isEqualTo(2);
        assertThat(read(below, 3, below.lastRecordLsn())).isEqualTo(6);
    }

    @Test
    void aDetachedTimelineAnswersTheSameWithoutItsAncestor() throws Exception {
        TimelineReader before = fixture.timeline(2).reader();
        fixture.registry.detach(fixture.timeline(2), DetachBehavior.MULTI_LEVEL_AND_NO_REPARENT);
        assertBranches(fixture);
        assertThat(fixture.timeline(2).metadata().ancestor()).isEmpty();
        assertThat(fixture.timeline(2).metadata().origin().orElseThrow().lsn()).isEqualTo(POINT);
        fixture.registry.delete(id(1));
        assertBranches(fixture);
        byte[] page = new byte[8192];
        before.page(TimelineFixture.RELATION, 1, POINT, page);
        assertThat(page[0]).isEqualTo((byte) 3);
        fixture.restart();
        assertBranches(fixture);
        fixture.timeline(2).compactor().collectAll();
        assertBranches(fixture);
        // It has children of its own, and can be written.
        assertThatThrownBy(() -> fixture.registry.delete(id(2))).hasMessageContaining("has branches");
        write(fixture.timeline(2), START.value() + 0x400, 0, 77);
        assertThat(read(fixture.timeline(2), 0, START.plus(0x400))).isEqualTo(77);
    }

    @Test
    void againIsTheSameAndARootHasNothingToBeDetachedFrom() throws Exception {
        fixture.registry.detach(fixture.timeline(2), DetachBehavior.MULTI_LEVEL_AND_NO_REPARENT);
        int layers = fixture.timeline(2).store().layers().layers().size();
        fixture.registry.detach(fixture.timeline(2), DetachBehavior.MULTI_LEVEL_AND_NO_REPARENT);
        fixture.restart();
        fixture.registry.detach(fixture.timeline(2), DetachBehavior.MULTI_LEVEL_AND_NO_REPARENT);
        assertThat(fixture.timeline(2).store().layers().layers()).hasSize(layers);
        assertThatThrownBy(
                        () -> fixture.registry.detach(fixture.timeline(1), DetachBehavior.MULTI_LEVEL_AND_NO_REPARENT))
                .hasMessageContaining("has no ancestor");
        // A branch of a branch is detached from both.
        fixture.registry.detach(fixture.timeline(3), DetachBehavior.MULTI_LEVEL_AND_NO_REPARENT);
        fixture.registry.delete(id(1));
        fixture.restart();
        assertBranches(fixture);
        fixture.registry.delete(id(2));
        assertThat(read(fixture.timeline(3), 0, POINT)).isEqualTo(2);
    }

    @Test
    void aCrashAtAnyPointLeavesItAttachedOrDetachedAndAlwaysRight() throws Exception {
        int attached = 0;
        int detached = 0;
        for (int operation = 1; detached < 2; operation++) {
            FakeDisk crashed = new FakeDisk();
            TimelineFixture made = fixture(crashed);
            crashed.losePowerDuring(operation);
            boolean done = false;
            try {
                made.registry.detach(made.timeline(2), DetachBehavior.MULTI_LEVEL_AND_NO_REPARENT);
                done = true;
            } catch (IOException | PowerLossException e) {
                // that was the point
            }
            crashed.losePower();
            closeQuietly(made);
            crashed.crash(new Random(operation));
            made.restartAfterCrash();
            assertBranches(made);
            boolean isDetached = made.timeline(2).metadata().ancestor().isEmpty();
            if (done) {
                assertThat(isDetached).isTrue();
            }
            attached += isDetached ? 0 : 1;
            detached += done ? 1 : 0;
            made.registry.detach(made.timeline(2), DetachBehavior.MULTI_LEVEL_AND_NO_REPARENT);
            made.registry.delete(id(1));
            assertBranches(made);
            made.close();
        }
        assertThat(attached).isPositive();
    }

    @Test
    void aCrashAtAnyPointLeavesABranchOrNone() throws Exception {
        int without = 0;
        int with = 0;
        for (int operation = 1; with < 2; operation++) {
            FakeDisk crashed = new FakeDisk();
            TimelineFixture made = fixture(crashed);
            crashed.losePowerDuring(operation);
            boolean done = false;
            try {
                made.branches.create(id(4), id(2).timelineId(), Optional.of(POINT), Duration.ofSeconds(1));
                done = true;
            } catch (IOException | PowerLossException e) {
                // that was the point
            }
            crashed.losePower();
            closeQuietly(made);
            crashed.crash(new Random(operation));
            made.restartAfterCrash();
            assertBranches(made);
            boolean isThere = made.registry.find(id(4)).isPresent();
            if (done) {
                assertThat(isThere).as("operation " + operation).isTrue();
                with++;
            }
            without += isThere ? 0 : 1;
            Timeline branch =
                    made.branches.create(id(4), id(2).timelineId(), Optional.of(POINT), Duration.ofSeconds(1));
            assertThat(read(branch, 1, POINT)).isEqualTo(3);
            assertThat(made.registry.broken()).isEmpty();
            made.close();
        }
        assertThat(without).isPositive();
    }

    private static void closeQuietly(TimelineFixture made) {
        try {
            made.close();
        } catch (RuntimeException e) {
            assertThat(e).isInstanceOf(PowerLossException.class);
        }
    }
}
