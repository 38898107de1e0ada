package io.tidemark.pageserver.basebackup;

import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.ReadException.Kind;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineMetadata.BranchPoint;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.WalPageHeader;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where a backup is taken.
 *
 * <pre>
 *   asked for                  lsn               prev
 *   nothing, latest            last_record_lsn   where that record starts
 *   an LSN                     that one          where the record starts that ends there, when it is remembered; else invalid
 *   the end of a page header   the page's start  the same: no record ends there
 *   an LSN with its prev       that one          the one given, which must not contradict the one remembered
 * </pre>
 *
 * @param lsn the end of a record
 * @param prev where that record starts; invalid when not known
 * @param isBranchPoint whether the timeline begins there
 */
public record BackupPoint(Lsn lsn, Lsn prev, boolean isBranchPoint) {
    /**
     * Settles it, and waits until the LSN has been ingested.
     *
     * @param limit how long to wait at most
     */
    public static BackupPoint settle(Timeline timeline, @Nullable Lsn wanted, @Nullable Lsn givenPrev, Duration limit)
            throws ReadException {
        Timeline.Position last = timeline.lastRecord();
        Lsn asked = wanted == null
                ? last.end()
                : beforeHeader(wanted, timeline.metadata().walSegmentSizeBytes());
        Lsn lsn = timeline.effectiveLsn(asked, asked, limit);
        Lsn prev = wanted == null ? last.start() : timeline.startOfRecordBefore(lsn);
        if (givenPrev != null && givenPrev.isValid()) {
            if (prev.isValid() && !prev.equals(givenPrev)) {
                throw new ReadException(
                        Kind.BAD_REQUEST,
                        "the record that ends at " + lsn + " starts at " + prev + ", not at " + givenPrev);
            }
            prev = givenPrev;
        }
        Optional<BranchPoint> branch = timeline.metadata().ancestor();
        if (branch.isPresent() && lsn.isBefore(branch.get().lsn())) {
            throw new ReadException(
                    Kind.BAD_REQUEST,
                    "the timeline begins at " + branch.get().lsn() + "; ask its ancestor "
                            + branch.get().timelineId() + " for " + lsn);
        }
        Optional<BranchPoint> origin = timeline.metadata().origin();
        return new BackupPoint(
                lsn, prev, origin.isPresent() && lsn.equals(origin.get().lsn()));
    }

    // Some mean by the end of a record where the next one starts. Waiting for that would wait for the next record.
    private static Lsn beforeHeader(Lsn lsn, int segmentSizeBytes) {
        Lsn page = lsn.plus(-lsn.pageOffset());
        return lsn.pageOffset() == WalPageHeader.sizeAt(page, segmentSizeBytes) ? page : lsn;
    }

    /** What neon.signal says of it. */
    String signal() {
        if (prev.isValid()) {
            return "PREV LSN: " + prev;
        }
        return isBranchPoint ? "PREV LSN: none" : "PREV LSN: invalid";
    }
}
