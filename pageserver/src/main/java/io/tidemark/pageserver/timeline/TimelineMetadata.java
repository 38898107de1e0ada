package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.wal.WalFlavour;
import java.util.List;
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
 * @param reparenting of one that has taken over its former ancestor's history: the branches that come with it
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
        Optional<BranchPoint> formerAncestor,
        Optional<Reparenting> reparenting) {

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
                Optional.empty(),
                Optional.empty());
    }

    /**
     * Branches that go over from an ancestor to one that was detached from it.
     *
     * @param timelines they
     * @param done whether all of them, but for those that were deleted, have gone over
     */
    public record Reparenting(List<TimelineId> timelines, boolean done) {
        public Reparenting {
            timelines = List.copyOf(timelines);
        }
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
        return with(startLsn, readableLsn, Optional.empty(), ancestor, reparenting);
    }

    /**
     * The same without an ancestor, and with the ancestor's history up to the branch point.
     *
     * @param siblings other branches of the ancestor, which go over to it
     */
    TimelineMetadata detachedWithHistory(TimelineMetadata of, List<TimelineId> siblings) {
        return with(
                of.startLsn,
                of.readableLsn,
                Optional.empty(),
                ancestor,
                Optional.of(new Reparenting(siblings, siblings.isEmpty())));
    }

    /** The same, when all siblings have gone over. */
    TimelineMetadata reparented() {
        return with(
                startLsn,
                readableLsn,
                ancestor,
                formerAncestor,
                reparenting.map(all -> new Reparenting(all.timelines(), true)));
    }

    /** The same branch of another timeline, which has the ancestor's history up to the branch point. */
    TimelineMetadata branchOf(TimelineId other) {
        return with(
                startLsn,
                readableLsn,
                ancestor.map(point -> new BranchPoint(other, point.lsn(), point.prevRecordLsn())),
                formerAncestor,
                reparenting);
    }

    private TimelineMetadata with(
            Lsn start,
            Lsn readable,
            Optional<BranchPoint> newAncestor,
            Optional<BranchPoint> newFormerAncestor,
            Optional<Reparenting> newReparenting) {
        return new TimelineMetadata(
                id,
                pgMajor,
                systemId,
                flavour,
                dataChecksums,
                hintBitsLogged,
                walSegmentSizeBytes,
                start,
                readable,
                newAncestor,
                newFormerAncestor,
                newReparenting);
    }

    /** Whether it has left its ancestor, and not all branches that go with it have. */
    boolean isReparenting() {
        return reparenting.isPresent() && !reparenting.get().done();
    }

    /** Whether it is a branch of this timeline. */
    boolean isBranchOf(TimelineId other) {
        return ancestor.isPresent() && ancestor.get().timelineId().equals(other);
    }

    /** Where it branched from another one, whether or not it still needs it. */
    public Optional<BranchPoint> origin() {
        return ancestor.isPresent() ? ancestor : formerAncestor;
    }

    RedoRules rules() {
        return new RedoRules(pgMajor, flavour, hintBitsLogged);
    }
}
