package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.wal.WalFlavour;
import java.util.Optional;

/**
 * What a timeline is, fixed when it is made.
 *
 * @param id its tenant and its own id
 * @param pgMajor 14 to 18
 * @param systemId of the PostgreSQL cluster
 * @param flavour of its WAL
 * @param dataChecksums pages are served with checksums
 * @param hintBitsLogged see {@link RedoRules#hintBitsLogged}
 * @param walSegmentSizeBytes of the cluster
 * @param startLsn where its base data is: the first LSN at which anything can be read, but for what an ancestor has
 * @param readableLsn from here on everything can be read: the start, or the end of the backup that it was made from
 * @param ancestor the timeline that it branched from, and where
 * @param formerAncestor the one that it once had, and has been detached from
 */
public record TimelineMetadata(
        TenantTimelineId id,
        int pgMajor,
        SystemId systemId,
        WalFlavour flavour,
        boolean dataChecksums,
        boolean hintBitsLogged,
        int walSegmentSizeBytes,
        Lsn startLsn,
        Lsn readableLsn,
        Optional<BranchPoint> ancestor,
        Optional<BranchPoint> formerAncestor) {

    /** One that was never detached from another. */
    public TimelineMetadata(
            TenantTimelineId id,
            int pgMajor,
            SystemId systemId,
            WalFlavour flavour,
            boolean dataChecksums,
            boolean hintBitsLogged,
            int walSegmentSizeBytes,
            Lsn startLsn,
            Lsn readableLsn,
            Optional<BranchPoint> ancestor) {
        this(
                id,
                pgMajor,
                systemId,
                flavour,
                dataChecksums,
                hintBitsLogged,
                walSegmentSizeBytes,
                startLsn,
                readableLsn,
                ancestor,
                Optional.empty());
    }

    /**
     * Where a branch leaves its ancestor.
     *
     * @param lsn the last LSN of the ancestor's history that is also the branch's
     * @param prevRecordLsn where the record starts that ends there; invalid when it was not the ancestor's last one
     */
    public record BranchPoint(TimelineId timelineId, Lsn lsn, Lsn prevRecordLsn) {}

    /** A timeline that branches from this one: the same cluster, a history of its own from {@code lsn} on. */
    TimelineMetadata branch(TenantTimelineId branchId, Lsn lsn, Lsn prevRecordLsn) {
        return new TimelineMetadata(
                branchId,
                pgMajor,
                systemId,
                flavour,
                dataChecksums,
                hintBitsLogged,
                walSegmentSizeBytes,
                lsn,
                lsn,
                Optional.of(new BranchPoint(id.timelineId(), lsn, prevRecordLsn)));
    }

    /** The same without an ancestor. */
    TimelineMetadata detached() {
        return new TimelineMetadata(
                id,
                pgMajor,
                systemId,
                flavour,
                dataChecksums,
                hintBitsLogged,
                walSegmentSizeBytes,
                startLsn,
                readableLsn,
                Optional.empty(),
                ancestor);
    }

    /** Where it branched from another one, whether or not it still needs it. */
    public Optional<BranchPoint> origin() {
        return ancestor.isPresent() ? ancestor : formerAncestor;
    }

    RedoRules rules() {
        return new RedoRules(pgMajor, flavour, hintBitsLogged);
    }
}
