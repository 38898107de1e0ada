package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.layer.LsnGarbageCollectedException;
import io.tidemark.pageserver.timeline.BranchException.Kind;
import io.tidemark.pageserver.timeline.TimelineMetadata.BranchPoint;
import io.tidemark.pageserver.timeline.TimelineMetadata.Reparenting;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Detaches branches from their ancestors, one of a tenant at a time.
 *
 * <p>The order, with siblings: the branch has the history and keeps what the siblings need; its file says that it has no ancestor and who
 * goes with it; each sibling's file names the branch; the branch's file says that all have gone. From the first to the last step the branch's
 * gc cutoff stands still, after a restart too, and a second call goes on wherever the first one has stopped. At each moment
 * a sibling reads from one of two timelines that answer the same, and both retain its branch point.
 */
final class AncestorDetach {
    private static final Logger LOG = LoggerFactory.getLogger(AncestorDetach.class);
    private static final Duration ANCESTOR_PATIENCE = Duration.ofSeconds(10);

    private final TimelineRegistry timelines;
    private final TimelineFiles files;
    private final long targetFileBytes;
    /** Which timeline of a tenant is being detached. */
    private final Map<TenantId, TimelineId> ongoing = new ConcurrentHashMap<>();

    AncestorDetach(TimelineRegistry timelines, TimelineFiles files, long targetFileBytes) {
        this.timelines = timelines;
        this.files = files;
        this.targetFileBytes = targetFileBytes;
    }

    /** See {@link TimelineRegistry#detach}. */
    List<TimelineId> detach(Timeline timeline, DetachBehavior behavior) throws BranchException, IOException {
        TenantTimelineId id = timeline.metadata().id();
        TimelineId other = ongoing.putIfAbsent(id.tenantId(), id.timelineId());
        if (other != null) {
            throw new BranchException(
                    Kind.BUSY, "timeline " + other + " of the tenant is being detached from its ancestor: ask again");
        }
        try {
            if (!timelines.claim(id)) {
                throw new BranchException(Kind.BUSY, "timeline " + id + " is being made or deleted: ask again");
            }
            try {
                detachClaimed(timeline, behavior);
                return reparented(timeline);
            } finally {
                timelines.unclaim(id);
            }
        } catch (ReadException e) {
            throw new IOException(e.text(), e);
        } catch (IllegalStateException e) {
            throw new BranchException(Kind.BUSY, "timeline " + id + " is going down: " + e.getMessage(), e);
        } finally {
            ongoing.remove(id.tenantId());
        }
    }

    private void detachClaimed(Timeline timeline, DetachBehavior behavior)
            throws BranchException, IOException, ReadException {
        TenantTimelineId id = timeline.metadata().id();
        if (timelines.find(id).isEmpty()) {
            throw new IllegalStateException("it is deleted");
        }
        Timeline.Ancestry ancestry = timeline.ancestry();
        if (ancestry == null) {
            if (timeline.metadata().formerAncestor().isEmpty()) {
                throw new BranchException(Kind.NO_ANCESTOR, "timeline " + id + " has no ancestor");
            }
        } else {
            switch (behavior) {
                case MULTI_LEVEL_AND_NO_REPARENT -> {
                    timeline.requireAncestor(ANCESTOR_PATIENCE);
                    InheritedImages.write(timeline, ancestry, targetFileBytes);
                    leave(timeline, ancestry, timeline.metadata().detached());
                }
                case NO_ANCESTOR_AND_REPARENT -> leaveWithSiblings(timeline, ancestry);
            }
        }
        if (timeline.metadata().isReparenting()) {
            moveSiblings(timeline);
        }
        timeline.retention().resume();
    }

    private void leave(Timeline timeline, Timeline.Ancestry ancestry, TimelineMetadata detached) throws IOException {
        files.write(detached);
        timeline.detached(detached);
        ancestry.timeline().retention().removeBranch(detached.id().timelineId());
        LOG.info(
                "timeline {} is detached from {}",
                detached.id(),
                ancestry.timeline().metadata().id());
    }

    private void leaveWithSiblings(Timeline timeline, Timeline.Ancestry ancestry)
            throws BranchException, IOException, ReadException {
        TimelineMetadata metadata = timeline.metadata();
        TimelineMetadata ancestor = ancestry.timeline().metadata();
        if (ancestor.ancestor().isPresent()) {
            throw new BranchException(
                    Kind.TOO_MANY_ANCESTORS,
                    "too many ancestors: timeline " + ancestor.id() + " is a branch itself, of "
                            + ancestor.ancestor().get().timelineId() + "; detach that one first, or ask for "
                            + DetachBehavior.MULTI_LEVEL_AND_NO_REPARENT);
        }
        Map<TimelineId, Lsn> siblings = claimSiblings(metadata);
        timeline.retention().pause();
        try {
            Set<TimelineId> readable = AncestorHistory.takeOver(timeline, ancestry, siblings);
            List<TimelineId> going =
                    readable.stream().sorted(TimelineRegistry.BY_TEXT).toList();
            leave(timeline, ancestry, metadata.detachedWithHistory(ancestor, going));
        } finally {
            siblings.keySet().forEach(sibling -> timelines.unclaim(of(metadata, sibling)));
            if (!timeline.isPartlyDetached()) {
                timeline.retention().resume();
            }
        }
    }

    /** The ancestor's other branches that begin at or before the branch point; none of them is deleted until it is let go. */
    private Map<TimelineId, Lsn> claimSiblings(TimelineMetadata metadata) {
        BranchPoint point = metadata.ancestor().orElseThrow();
        Map<TimelineId, Lsn> siblings = new HashMap<>();
        for (TimelineMetadata other : timelines.known(metadata.id().tenantId())) {
            boolean goes = other.isBranchOf(point.timelineId())
                    && other.ancestor().orElseThrow().lsn().isAtMost(point.lsn())
                    && !other.id().equals(metadata.id());
            // One that is being made or deleted right now stays, as if it had been made later.
            if (goes && timelines.claim(other.id())) {
                siblings.put(
                        other.id().timelineId(), other.ancestor().orElseThrow().lsn());
            }
        }
        return siblings;
    }

    private void moveSiblings(Timeline timeline) throws BranchException, IOException {
        List<TimelineId> left = timeline.metadata().reparenting().map(Reparenting::timelines).orElseThrow().stream()
                .filter(sibling -> !move(sibling, timeline))
                .toList();
        if (!left.isEmpty()) {
            throw new BranchException(
                    Kind.BUSY,
                    "timeline " + timeline.metadata().id() + " is detached, but these branches have not gone over to it"
                            + " yet: " + left + "; ask again");
        }
        TimelineMetadata done = timeline.metadata().reparented();
        files.write(done);
        timeline.detached(done);
    }

    /** Makes a branch of the former ancestor one of the timeline; answers whether there is nothing left to do for it. */
    private boolean move(TimelineId sibling, Timeline timeline) {
        TimelineMetadata metadata = timeline.metadata();
        TimelineId former = metadata.formerAncestor().orElseThrow().timelineId();
        TenantTimelineId id = of(metadata, sibling);
        if (!timelines.claim(id)) {
            return false;
        }
        try {
            Optional<TimelineMetadata> before = timelines.knownMetadata(id);
            if (before.isEmpty() || !before.get().isBranchOf(former)) {
                return true;
            }
            Lsn lsn = before.get().ancestor().orElseThrow().lsn();
            timeline.retention().addBranch(sibling, () -> lsn);
            TimelineMetadata moved = before.get().branchOf(metadata.id().timelineId());
            files.write(moved);
            timelines.reparented(moved, timeline);
            timelines
                    .find(of(metadata, former))
                    .ifPresent(old -> old.retention().removeBranch(sibling));
            LOG.info("timeline {}, a branch of {} at {}, is one of {} now", id, former, lsn, metadata.id());
            return true;
        } catch (IOException | LsnGarbageCollectedException e) {
            LOG.warn("timeline {} stays a branch of {} for now: {}", id, former, e.getMessage());
            return false;
        } finally {
            timelines.unclaim(id);
        }
    }

    private List<TimelineId> reparented(Timeline timeline) {
        TimelineMetadata metadata = timeline.metadata();
        return metadata.reparenting().map(Reparenting::timelines).orElse(List.of()).stream()
                .filter(sibling -> timelines
                        .knownMetadata(of(metadata, sibling))
                        .filter(one -> one.isBranchOf(metadata.id().timelineId()))
                        .isPresent())
                .toList();
    }

    private static TenantTimelineId of(TimelineMetadata metadata, TimelineId timelineId) {
        return new TenantTimelineId(metadata.id().tenantId(), timelineId);
    }
}
