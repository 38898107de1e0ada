package io.tidemark.pageserver.timeline;

import static io.tidemark.pageserver.timeline.TimelineFixture.START;
import static io.tidemark.pageserver.timeline.TimelineFixture.id;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.layer.Retention;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.LittleEndian;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RestorePointsTest {
    private TimelineFixture fixture;
    private Timeline root;

    @BeforeEach
    void open() throws IOException {
        fixture = new TimelineFixture(new FakeDisk());
        root = fixture.createRoot(1, 1);
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private static void name(Timeline timeline, int offset, String name) throws IOException {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        byte[] value = new byte[16 + bytes.length];
        Lsn lsn = START.plus(offset);
        LittleEndian.putI64(value, 8, lsn.value());
        System.arraycopy(bytes, 0, value, 16, bytes.length);
        timeline.writer().put(Keys.restorePoint(bytes), lsn, new Value.Image(value));
        timeline.writer().publish(lsn, lsn.plus(-8), 0);
    }

    private static List<String> points(Timeline timeline) throws ReadException {
        return RestorePoints.of(timeline).stream()
                .map(offer -> offer.point().name() + " +"
                        + Long.toHexString(offer.point().lsn().value() - START.value()) + " of "
                        + offer.timeline().toString().substring(31))
                .toList();
    }

    private Timeline branch(long number, long ancestor, int offset) throws Exception {
        return fixture.branches.create(
                id(number), id(ancestor).timelineId(), Optional.of(START.plus(offset)), Duration.ofSeconds(1));
    }

    @Test
    void aBranchSeesThoseOfItsAncestorsUpToItsBranchPoint() throws Exception {
        name(root, 0x100, "a");
        name(root, 0x200, "b");
        name(root, 0x300, "c");
        Timeline branch = branch(2, 1, 0x200);
        Timeline below = branch(3, 2, 0x200);
        name(below, 0x280, "c");
        name(root, 0x400, "a");
        assertThat(points(root)).containsExactly("b +200 of 1", "c +300 of 1", "a +400 of 1");
        assertThat(points(branch)).containsExactly("a +100 of 1", "b +200 of 2");
        assertThat(points(below)).containsExactly("a +100 of 1", "b +200 of 3", "c +280 of 3");
        // What is offered can be branched from where it is offered.
        for (RestorePoints.Offer offer : RestorePoints.of(below)) {
            assertThat(fixture.branches
                            .create(
                                    id(100 + offer.point().lsn().value()),
                                    offer.timeline(),
                                    Optional.of(offer.point().lsn()),
                                    Duration.ofSeconds(1))
                            .metadata()
                            .readableLsn())
                    .isEqualTo(offer.point().lsn());
        }
    }

    @Test
    void theyAreDurableWithTheRest() throws Exception {
        name(root, 0x100, "kept");
        root.flush();
        name(root, 0x200, "streamed again after a crash");
        fixture.restart();
        assertThat(points(fixture.timeline(1))).containsExactly("kept +100 of 1");
    }

    @Test
    void thoseBelowTheCutoffAreNotOffered() throws Exception {
        name(root, 0x100, "a");
        name(root, 0x200, "b");
        name(root, 0x300, "c");
        root.flush();
        Timeline branch = branch(2, 1, 0x300);
        root.store().retain(new Retention(START.plus(0x200), List.of(START.plus(0x300))));
        assertThat(points(root)).containsExactly("b +200 of 1", "c +300 of 1");
        assertThat(points(branch)).containsExactly("b +200 of 1", "c +300 of 2");
        root.compactor().collectAll();
        assertThat(points(root)).containsExactly("b +200 of 1", "c +300 of 1");
    }

    @Test
    void aDetachedTimelineOffersItsOwn() throws Exception {
        Timeline branch = detached(DetachBehavior.MULTI_LEVEL_AND_NO_REPARENT);
        assertThat(points(branch)).containsExactly("b +200 of 2", "c +300 of 2");
    }

    @Test
    void withItsHistoryADetachedTimelineHasThePointsOfThatToo() throws Exception {
        Timeline branch = detached(DetachBehavior.NO_ANCESTOR_AND_REPARENT);
        assertThat(points(branch)).containsExactly("a +100 of 2", "b +200 of 2", "c +300 of 2");
        assertThat(points(branch(3, 2, 0x100))).containsExactly("a +100 of 3");
        assertThat(points(branch(4, 2, 0x300))).containsExactly("a +100 of 2", "b +200 of 2", "c +300 of 4");
    }

    /** Branch 2, made at b, with c of its own; its ancestor, with a and b, is gone. */
    private Timeline detached(DetachBehavior behavior) throws Exception {
        name(root, 0x100, "a");
        name(root, 0x200, "b");
        root.flush();
        Timeline branch = branch(2, 1, 0x200);
        name(branch, 0x300, "c");
        branch.flush();
        fixture.registry.detach(branch, behavior);
        fixture.registry.delete(id(1));
        return fixture.timeline(2);
    }
}
