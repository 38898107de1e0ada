package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.Retention;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * What is done to timelines from time to time, or because somebody asks: flushing, and moving the gc cutoff.
 *
 * <p>The cutoff never passes a branch point of a child: these are retained by themselves.
 */
public final class TimelineMaintenance {
    private final TimelineRegistry timelines;
    private final long horizonBytes;

    /** {@code horizonBytes}: how much WAL behind the head stays readable. */
    public TimelineMaintenance(TimelineRegistry timelines, long horizonBytes) {
        this.timelines = timelines;
        this.horizonBytes = horizonBytes;
    }

    public long horizonBytes() {
        return horizonBytes;
    }

    /** Makes durable what has been ingested by now. */
    public void flush(Timeline timeline) throws IOException {
        timeline.flush();
    }

    /**
     * Moves the gc cutoff to the horizon; never back, never above disk_consistent_lsn.
     *
     * @return where it is now
     */
    public Lsn moveCutoff(Timeline timeline, long horizon) {
        Lsn head = timeline.lastRecordLsn();
        Lsn wanted = Long.compareUnsigned(head.value(), horizon) > 0 ? head.plus(-horizon) : Lsn.INVALID;
        Lsn cutoff = wanted.min(timeline.diskConsistentLsn())
                .max(timeline.metadata().readableLsn())
                .max(timeline.gcCutoff());
        TreeSet<Lsn> retained = new TreeSet<>();
        for (Timeline child : timelines.all()) {
            Optional<TimelineMetadata.BranchPoint> branch = child.metadata().ancestor();
            if (branch.isPresent()
                    && child.metadata()
                            .id()
                            .tenantId()
                            .equals(timeline.metadata().id().tenantId())
                    && branch.get().timelineId().equals(timeline.metadata().id().timelineId())) {
                retained.add(branch.get().lsn());
            }
        }
        timeline.store().retain(new Retention(cutoff, List.copyOf(retained)));
        return cutoff;
    }

    /** Moves the cutoffs of all timelines. */
    public void moveCutoffs() {
        timelines.all().forEach(timeline -> moveCutoff(timeline, horizonBytes));
    }

    /** Which keys exist at an LSN. */
    public List<KeyRange> keyspace(Timeline timeline, Lsn at) throws ReadException {
        timeline.effectiveLsn(at, Lsn.INVALID, java.time.Duration.ZERO);
        try {
            return new TimelineCompaction(timeline).at(at);
        } catch (IOException e) {
            throw new ReadException(ReadException.Kind.DAMAGED, String.valueOf(e.getMessage()), e);
        }
    }
}
