package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.List;

/**
 * What is done to timelines from time to time, or because somebody asks: flushing, and moving the gc cutoff.
 *
 * <p>Branch points of children stay readable whatever the cutoff: see {@link TimelineRetention}.
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
        return timeline.retention().moveCutoff(() -> {
            Lsn head = timeline.lastRecordLsn();
            Lsn wanted = Long.compareUnsigned(head.value(), horizon) > 0 ? head.plus(-horizon) : Lsn.INVALID;
            return wanted.min(timeline.diskConsistentLsn())
                    .max(timeline.metadata().readableLsn());
        });
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
