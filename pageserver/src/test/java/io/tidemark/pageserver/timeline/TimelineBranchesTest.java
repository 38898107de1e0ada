package io.tidemark.pageserver.timeline;

import static io.tidemark.pageserver.timeline.TimelineFixture.START;
import static io.tidemark.pageserver.timeline.TimelineFixture.id;
import static io.tidemark.pageserver.timeline.TimelineFixture.read;
import static io.tidemark.pageserver.timeline.TimelineFixture.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.timeline.BranchException.Kind;
import io.tidemark.runtime.durable.RealDisk;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TimelineBranchesTest {
    private static final Duration SHORT = Duration.ofMillis(50);
    private static final TimelineId ROOT = id(1).timelineId();

    @TempDir
    private Path directory = Path.of("unset");

    private TimelineFixture fixture;

    @BeforeEach
    void open() throws IOException {
        fixture = new TimelineFixture(new RealDisk(directory));
        Timeline root = fixture.createRoot(1, 1);
        write(root, START.value() + 0x100, 0, 2);
        write(root, START.value() + 0x200, 0, 3);
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private static Lsn at(int offset) {
        return START.plus(offset);
    }

    private Timeline branch(long number, TimelineId ancestor, Lsn at) throws Exception {
        return fixture.branches.create(id(number), ancestor, Optional.of(at), SHORT);
    }

    private BranchException refused(long number, TimelineId ancestor, Lsn at) {
        return (BranchException) org.assertj.core.api.Assertions.catchThrowable(() -> branch(number, ancestor, at));
    }

    @Test
    void aBranchReadsItsAncestorUpToItsPointAndThenGoesItsOwnWay() throws Exception {
        Timeline branch = branch(2, ROOT, at(0x100));
        assertThat(branch.lastRecordLsn()).isEqualTo(at(0x100));
        assertThat(read(branch, 0, at(0x100))).isEqualTo(2);
        assertThat(read(branch, 1, at(0x100))).isEqualTo(1);
        write(branch, START.value() + 0x180, 1, 9);
        write(fixture.timeline(1), START.value() + 0x300, 1, 5);
        assertThat(read(branch, 0, at(0x180))).isEqualTo(2);
        assertThat(read(branch, 1, at(0x180))).isEqualTo(9);
        assertThat(read(branch, 1, at(0x100))).isEqualTo(1);
        assertThat(read(fixture.timeline(1), 1, at(0x300))).isEqualTo(5);
    }

    @Test
    void withoutAnLsnABranchBeginsAtTheHeadAndKeepsThePreviousRecord() throws Exception {
        Timeline branch = fixture.branches.create(id(2), ROOT, Optional.empty(), SHORT);
        assertThat(branch.lastRecordLsn()).isEqualTo(at(0x200));
        assertThat(branch.prevRecordLsn()).isEqualTo(at(0x1F8));
        assertThat(branch(3, ROOT, at(0x100)).prevRecordLsn()).isEqualTo(Lsn.INVALID);
        fixture.restart();
        assertThat(fixture.timeline(2).prevRecordLsn()).isEqualTo(at(0x1F8));
    }

    @Test
    void aBranchOfABranchOfABranch() throws Exception {
        Timeline below = fixture.timeline(1);
        for (int depth = 2; depth < 12; depth++) {
            Lsn point = below.lastRecordLsn();
            below = branch(depth, below.metadata().id().timelineId(), point);
            write(below, point.value() + 0x80, 1, depth);
        }
        fixture.timeline(11).flush();
        assertThat(read(below, 0, below.lastRecordLsn())).isEqualTo(3);
        assertThat(read(below, 1, below.lastRecordLsn())).isEqualTo(11);
        assertThat(read(below, 1, below.metadata().startLsn())).isEqualTo(10);
    }

    @Test
    void theSameAgainIsTheSameBranchAndAnythingElseAConflict() throws Exception {
        Timeline branch = branch(2, ROOT, at(0x100));
        assertThat(branch(2, ROOT, at(0x100))).isSameAs(branch);
        assertThat(fixture.branches.create(id(2), ROOT, Optional.empty(), SHORT))
                .isSameAs(branch);
        assertThat(refused(2, ROOT, at(0x108)).kind()).isEqualTo(Kind.CONFLICT);
        assertThat(refused(2, id(3).timelineId(), at(0x100)).kind()).isEqualTo(Kind.CONFLICT);
        assertThat(refused(1, ROOT, at(0x100)).kind()).isEqualTo(Kind.CONFLICT);
    }

    @Test
    void whatCannotBeIsRefusedWithTheReason() throws Exception {
        assertThat(refused(2, id(7).timelineId(), at(0x100)))
                .hasMessageContaining("is not on this pageserver")
                .extracting(BranchException::kind)
                .isEqualTo(Kind.NO_ANCESTOR);
        assertThat(refused(2, ROOT, at(0x101))).hasMessageContaining("not a multiple of 8");
        assertThat(refused(2, ROOT, Lsn.INVALID)).hasMessageContaining("not a multiple of 8");
        assertThat(refused(2, ROOT, at(-8))).hasMessageContaining("begins at " + START);
        assertThat(refused(2, ROOT, at(0x208)))
                .hasMessageContaining("Timed out")
                .extracting(BranchException::kind)
                .isEqualTo(Kind.UNACCEPTABLE_LSN);
        branch(3, ROOT, at(0x100));
        assertThat(refused(2, id(3).timelineId(), at(0x80)))
                .hasMessageContaining("branch from its ancestor " + ROOT)
                .extracting(BranchException::kind)
                .isEqualTo(Kind.UNACCEPTABLE_LSN);
        assertThat(fixture.registry.find(id(2))).isEmpty();
        assertThat(Files.exists(
                        directory.resolve("tenants/" + TimelineFixture.TENANT + "/timelines/" + id(2).timelineId())))
                .isFalse();
    }

    @Test
    void aBranchWaitsUntilItsAncestorHasIngestedItsPoint() throws Exception {
        var branch = new CompletableFuture<Timeline>();
        Thread maker = Thread.ofVirtual().start(() -> {
            try {
                branch.complete(fixture.branches.create(id(2), ROOT, Optional.of(at(0x300)), Duration.ofMinutes(1)));
            } catch (BranchException | IOException e) {
                branch.completeExceptionally(e);
            }
        });
        write(fixture.timeline(1), START.value() + 0x300, 2, 7);
        maker.join();
        assertThat(read(branch.join(), 2, at(0x300))).isEqualTo(7);
    }

    @Test
    void belowTheCutoffNothingCanBranchAndABranchPointStaysReadable() throws Exception {
        Timeline root = fixture.timeline(1);
        Timeline branch = branch(2, ROOT, at(0x100));
        collect(root);
        assertThat(root.gcCutoff()).isEqualTo(at(0x200));
        assertThat(read(branch, 0, at(0x100))).isEqualTo(2);
        assertThat(refused(3, ROOT, at(0x80)))
                .hasMessageContaining("gc cutoff")
                .extracting(BranchException::kind)
                .isEqualTo(Kind.UNACCEPTABLE_LSN);
        // Where another branch begins, everything is there.
        assertThat(read(branch(3, ROOT, at(0x100)), 0, at(0x100))).isEqualTo(2);

        fixture.restart();
        assertThat(read(fixture.timeline(2), 0, at(0x100))).isEqualTo(2);
        collect(fixture.timeline(1));
        assertThat(read(fixture.timeline(3), 0, at(0x100))).isEqualTo(2);
        fixture.registry.delete(id(2));
        fixture.registry.delete(id(3));
        collect(fixture.timeline(1));
        assertThat(refused(4, ROOT, at(0x100)).kind()).isEqualTo(Kind.UNACCEPTABLE_LSN);
    }

    private void collect(Timeline timeline) throws IOException {
        timeline.flush();
        fixture.maintenance(RetentionConfig.NOTHING).moveCutoff(timeline, RetentionConfig.NOTHING);
        timeline.compactor().compactL0();
        timeline.compactor().collectAll();
    }

    @Test
    void aTimelineWithBranchesIsNotDeleted() throws Exception {
        branch(2, ROOT, at(0x100));
        branch(3, id(2).timelineId(), at(0x100));
        assertThatThrownBy(() -> fixture.registry.delete(id(1))).hasMessageContaining("delete [" + id(2).timelineId());
        fixture.restart();
        assertThatThrownBy(() -> fixture.registry.delete(id(2))).hasMessageContaining("delete [" + id(3).timelineId());
        fixture.registry.delete(id(3));
        fixture.registry.delete(id(2));
        fixture.registry.delete(id(1));
        assertThat(fixture.registry.all()).isEmpty();
    }

    @Test
    void afterACrashABranchWaitsForWhatItsAncestorHasLost() throws Exception {
        Timeline root = fixture.timeline(1);
        root.flush();
        root.writer()
                .put(
                        Keys.relationBlock(TimelineFixture.RELATION, 0),
                        at(0x400),
                        new Value.Image(TimelineFixture.page(8)));
        // The next record has begun: so nobody can flush what was published.
        root.publish(at(0x400), at(0x300));
        root.writer()
                .put(
                        Keys.relationBlock(TimelineFixture.RELATION, 1),
                        at(0x500),
                        new Value.Image(TimelineFixture.page(9)));
        assertThat(read(branch(2, ROOT, at(0x400)), 0, at(0x400))).isEqualTo(8);
        root.writer().abandon();

        fixture.restart();
        assertThat(fixture.timeline(1).lastRecordLsn()).isEqualTo(at(0x200));
        Timeline branch = fixture.timeline(2);
        assertThat(branch.lastRecordLsn()).isEqualTo(at(0x400));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> branch.requireAncestor(SHORT))
                .withMessageContaining("has not yet streamed again up to the branch point");
        var page = new CompletableFuture<Integer>();
        Thread reader = Thread.ofVirtual().start(() -> {
            try {
                page.complete(read(branch, 0, at(0x400)));
            } catch (ReadException | RuntimeException | Error e) {
                page.completeExceptionally(e);
            }
        });
        Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .until(() -> reader.getState() == Thread.State.TIMED_WAITING
                        || reader.getState() == Thread.State.TERMINATED);
        write(fixture.timeline(1), START.value() + 0x400, 0, 8);
        reader.join();
        assertThat(page.join()).isEqualTo(8);
    }

    @Test
    void compactionMakesNoImageOfWhatTheAncestorHasNotStreamedAgain() throws Exception {
        Timeline root = fixture.timeline(1);
        root.flush();
        root.writer().put(TimelineFixture.CLOG_PAGE, at(0x400), new Value.TransactionStatus(1, new int[] {100}));
        root.publish(at(0x400), at(0x300));
        root.writer().put(Keys.relationBlock(TimelineFixture.RELATION, 1), at(0x500), Value.ZERO_PAGE);
        Timeline branch = branch(2, ROOT, at(0x400));
        for (int xid = 0; xid < 40; xid++) {
            Lsn lsn = at(0x600 + 8 * xid);
            branch.writer().put(TimelineFixture.CLOG_PAGE, lsn, new Value.TransactionStatus(1, new int[] {xid}));
            branch.writer().publish(lsn, lsn.plus(-8), 0);
        }
        branch.flush();
        root.writer().abandon();

        fixture.restart();
        Timeline again = fixture.timeline(2);
        again.compactor().compactL0();
        again.compactor().collectAll();
        assertThat(again.compactor().stats().images()).isZero();
        Timeline rootAgain = fixture.timeline(1);
        rootAgain.writer().put(TimelineFixture.CLOG_PAGE, at(0x400), new Value.TransactionStatus(1, new int[] {100}));
        rootAgain.writer().publish(at(0x400), at(0x300), 0);
        again.compactor().collectAll();
        assertThat(again.compactor().stats().images()).isPositive();
        byte[] page = new byte[8192];
        again.reader().build(TimelineFixture.CLOG_PAGE, again.lastRecordLsn(), page);
        assertThat(page[25]).isEqualTo((byte) 1);
        assertThat(page[9]).isEqualTo((byte) 0x55);
    }

    @Test
    void whileAFileOfTheTenantCannotBeReadNothingIsCollected() throws Exception {
        branch(2, ROOT, at(0x100));
        Path file = directory.resolve(
                "tenants/" + TimelineFixture.TENANT + "/timelines/" + id(2).timelineId() + "/timeline");
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
        fixture.restart();
        assertThat(fixture.registry.broken()).containsKey(id(2));
        collect(fixture.timeline(1));
        assertThat(fixture.timeline(1).gcCutoff()).isEqualTo(Lsn.INVALID);
        assertThatThrownBy(() -> fixture.registry.delete(id(1))).hasMessageContaining("or may have");
        // Once it is mended, or deleted, all is well.
        fixture.registry.delete(id(2));
        collect(fixture.timeline(1));
        assertThat(fixture.timeline(1).gcCutoff()).isEqualTo(at(0x200));
    }
}
