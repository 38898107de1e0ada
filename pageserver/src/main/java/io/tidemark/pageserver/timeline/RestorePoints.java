package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.ingest.RestorePoint;
import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TimelineId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The named places of a timeline's history that can be gone back to: those of its own, and those of its ancestors up to the branch points.
 *
 * <p>A name that is below what its timeline keeps readable is not among them, though its key is still there.
 */
public final class RestorePoints {
    private RestorePoints() {}

    /**
     * A point and whose it is.
     *
     * @param timeline the one to branch from, or to read, at the point's LSN: the timeline that was asked about, or an ancestor of it
     */
    public record Offer(RestorePoint point, TimelineId timeline) {}

    /** All of them in the order of their LSNs, as of last_record_lsn. */
    public static List<Offer> of(Timeline timeline) throws ReadException {
        List<RestorePoint> points = new ArrayList<>();
        timeline.reader()
                .scan(
                        KeyKind.RESTORE_POINT.range(),
                        timeline.lastRecordLsn(),
                        (key, value) -> points.add(read(key, value)));
        points.sort(Comparator.comparing(RestorePoint::lsn));
        List<Offer> offers = new ArrayList<>();
        for (RestorePoint point : points) {
            Timeline owner = ownerOf(timeline, point.lsn());
            if (point.lsn().isAtLeast(owner.minReadableLsn())) {
                offers.add(new Offer(point, owner.metadata().id().timelineId()));
            }
        }
        return offers;
    }

    private static RestorePoint read(Key key, byte[] value) throws ReadException {
        try {
            return RestorePoint.read(value);
        } catch (IndexOutOfBoundsException e) {
            throw new ReadException(
                    ReadException.Kind.DAMAGED, Keys.describe(key) + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static Timeline ownerOf(Timeline asked, Lsn lsn) {
        Timeline owner = asked;
        while (lsn.isBefore(owner.metadata().readableLsn())) {
            Timeline.Ancestry below = owner.ancestry();
            if (below == null) {
                return owner;
            }
            owner = below.timeline();
        }
        return owner;
    }
}
