package io.tidemark.pageserver.timeline;

import static io.tidemark.pageserver.timeline.TimelineFixture.START;
import static io.tidemark.pageserver.timeline.TimelineFixture.commit;
import static io.tidemark.pageserver.timeline.TimelineFixture.id;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.timeline.LsnByTimestamp.Answer;
import io.tidemark.pageserver.timeline.LsnByTimestamp.Kind;
import io.tidemark.runtime.durable.RealDisk;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LsnByTimestampTest {
    private static final Instant NOON = Instant.parse("2026-11-26T12:00:00Z");

    @TempDir
    private Path directory = Path.of("unset");

    private TimelineFixture fixture;
    private Timeline root;

    @BeforeEach
    void open() throws IOException {
        fixture = new TimelineFixture(new RealDisk(directory));
        root = fixture.createRoot(1, 1);
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private static Lsn at(int offset) {
        return START.plus(offset);
    }

    private static Instant minute(int minute) {
        return NOON.plus(Duration.ofMinutes(minute));
    }

    /** Commits at minutes 1, 2, 3 ... at offsets 0x100, 0x200, 0x300 ... */
    private void commits(Timeline timeline, int first, int last) throws IOException {
        for (int minute = first; minute <= last; minute++) {
            commit(timeline, START.value() + 0x100L * minute, minute(minute));
        }
    }

    private static Answer find(Timeline timeline, Instant moment) throws ReadException {
        return LsnByTimestamp.find(timeline, moment);
    }

    @Test
    void withoutAnyCommitThereIsNothingToFind() throws Exception {
        assertThat(find(root, NOON)).isEqualTo(new Answer(START, Kind.NODATA));
        assertThat(LsnByTimestamp.commitTimeAt(root, START)).isEmpty();
    }

    @Test
    void betweenTwoCommitsItIsTheLastLsnBeforeTheSecond() throws Exception {
        commits(root, 1, 5);
        assertThat(find(root, minute(2))).isEqualTo(new Answer(at(0x300 - 8), Kind.PRESENT));
        assertThat(find(root, minute(3).minusNanos(1000))).isEqualTo(new Answer(at(0x300 - 8), Kind.PRESENT));
        assertThat(find(root, minute(4).plusSeconds(1))).isEqualTo(new Answer(at(0x500 - 8), Kind.PRESENT));
        assertThat(LsnByTimestamp.commitTimeAt(root, at(0x2FF))).contains(minute(2));
    }

    @Test
    void afterTheNewestItIsTheHeadAndBeforeTheOldestTheLowest() throws Exception {
        commits(root, 1, 5);
        assertThat(find(root, minute(5))).isEqualTo(new Answer(at(0x500), Kind.FUTURE));
        assertThat(find(root, minute(99))).isEqualTo(new Answer(at(0x500), Kind.FUTURE));
        assertThat(find(root, NOON)).isEqualTo(new Answer(START, Kind.PAST));
    }

    @Test
    void whatIsBelowTheCutoffIsPastAlsoWhenTheCutoffIsNotAligned() throws Exception {
        commits(root, 1, 5);
        root.flush();
        root.store().retain(new io.tidemark.pageserver.layer.Retention(at(0x303), java.util.List.of()));
        assertThat(find(root, minute(2))).isEqualTo(new Answer(at(0x303), Kind.PAST));
        assertThat(find(root, minute(3))).isEqualTo(new Answer(at(0x400 - 8), Kind.PRESENT));
        // The cutoff is the head: what is between them is one LSN.
        root.store().retain(new io.tidemark.pageserver.layer.Retention(at(0x500), java.util.List.of()));
        assertThat(find(root, minute(4))).isEqualTo(new Answer(at(0x500), Kind.PAST));
        assertThat(find(root, minute(5))).isEqualTo(new Answer(at(0x500), Kind.FUTURE));
    }

    @Test
    void aBranchKnowsTheLastCommitOfItsAncestorAndNothingBeforeIt() throws Exception {
        commits(root, 1, 3);
        Timeline branch =
                fixture.branches.create(id(2), id(1).timelineId(), Optional.of(at(0x200)), Duration.ofSeconds(1));
        assertThat(find(branch, minute(1))).isEqualTo(new Answer(at(0x200), Kind.PAST));
        assertThat(find(branch, minute(2))).isEqualTo(new Answer(at(0x200), Kind.FUTURE));
        // The ancestor's third commit is not the branch's.
        assertThat(find(branch, minute(3))).isEqualTo(new Answer(at(0x200), Kind.FUTURE));
        commits(branch, 7, 8);
        assertThat(find(branch, minute(2))).isEqualTo(new Answer(at(0x700 - 8), Kind.PRESENT));
        assertThat(find(branch, minute(7))).isEqualTo(new Answer(at(0x800 - 8), Kind.PRESENT));
        assertThat(find(branch, minute(1))).isEqualTo(new Answer(at(0x200), Kind.PAST));
        assertThat(find(root, minute(1))).isEqualTo(new Answer(at(0x200 - 8), Kind.PRESENT));
    }
}
