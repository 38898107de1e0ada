package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.layer.LsnGarbageCollectedException;
import io.tidemark.pageserver.timeline.BranchException.Kind;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/**
 * Makes timelines that begin where another one was at some LSN.
 *
 * <p>Nothing is copied, whatever the ancestor holds: a branch is a file that says where it begins, and an empty store. What it has not
 * written itself it reads from its ancestor, which keeps the branch point readable for as long as the branch exists.
 *
 * <p>The order: the ancestor retains the branch point, the branch's file is durable, the branch can be read. The ancestor's data need not be
 * durable before; see {@code docs/decisions/0160}.
 */
public final class TimelineBranches {
    private static final int LSN_ALIGNMENT = 8;

    private final TimelineRegistry timelines;

    public TimelineBranches(TimelineRegistry timelines) {
        this.timelines = timelines;
    }

    /**
     * Makes a branch; it is durable and readable when this returns. One that is there already with the same ancestor and LSN is the
     * answer too.
     *
     * @param at where; none: at the ancestor's last_record_lsn, or, when the branch is there already, wherever it is
     * @param limit how long to wait until the ancestor has ingested it
     * @throws IOException when it cannot be written; nothing is left of it
     */
    public Timeline create(TenantTimelineId id, TimelineId ancestorId, Optional<Lsn> at, Duration limit)
            throws BranchException, IOException {
        Optional<Timeline> made = existing(id, ancestorId, at);
        if (made.isPresent()) {
            return made.get();
        }
        Timeline ancestor = ancestor(id, ancestorId);
        if (at.isPresent()) {
            requireHistory(ancestor, at.get(), limit);
        }
        try {
            return timelines.branch(id, ancestor, at);
        } catch (TimelineExistsException e) {
            return existing(id, ancestorId, at).orElseThrow(() -> new BranchException(Kind.BUSY, e.text(), e));
        } catch (LsnGarbageCollectedException e) {
            throw new BranchException(
                    Kind.UNACCEPTABLE_LSN,
                    "cannot branch from " + ancestorId + ": " + e.getMessage() + "; branch at a later LSN",
                    e);
        } catch (IllegalStateException e) {
            throw new BranchException(Kind.BUSY, String.valueOf(e.getMessage()), e);
        }
    }

    private Optional<Timeline> existing(TenantTimelineId id, TimelineId ancestorId, Optional<Lsn> at)
            throws BranchException {
        Optional<Timeline> made = timelines.find(id);
        if (made.isPresent()) {
            var branch = made.get().metadata().ancestor();
            boolean same = branch.isPresent()
                    && branch.get().timelineId().equals(ancestorId)
                    && (at.isEmpty() || at.get().equals(branch.get().lsn()));
            if (!same) {
                throw new BranchException(
                        Kind.CONFLICT,
                        "timeline " + id + " exists already: "
                                + branch.map(point -> "a branch of " + point.timelineId() + " at " + point.lsn())
                                        .orElse("it is not a branch"));
            }
        } else if (timelines.broken().containsKey(id)) {
            throw new BranchException(
                    Kind.CONFLICT,
                    "timeline " + id + " exists already, and is not served: "
                            + timelines.broken().get(id));
        }
        return made;
    }

    private Timeline ancestor(TenantTimelineId id, TimelineId ancestorId) throws BranchException {
        TenantTimelineId ancestor = new TenantTimelineId(id.tenantId(), ancestorId);
        Optional<Timeline> found = timelines.find(ancestor);
        if (found.isEmpty()) {
            String broken = timelines.broken().get(ancestor);
            throw new BranchException(
                    Kind.NO_ANCESTOR,
                    "the ancestor, timeline " + ancestor
                            + (broken == null ? ", is not on this pageserver" : ", is not served: " + broken));
        }
        return found.get();
    }

    private static void requireHistory(Timeline ancestor, Lsn at, Duration limit) throws BranchException {
        TimelineMetadata metadata = ancestor.metadata();
        if (!at.isValid() || at.value() % LSN_ALIGNMENT != 0) {
            throw new BranchException(
                    Kind.UNACCEPTABLE_LSN,
                    "cannot branch at " + at + ": not a multiple of 8, as the ends of records are");
        }
        if (at.isBefore(metadata.readableLsn())) {
            String instead = metadata.ancestor()
                    .filter(branch -> at.isAtMost(branch.lsn()))
                    .map(branch -> "; branch from its ancestor " + branch.timelineId())
                    .orElse("");
            throw new BranchException(
                    Kind.UNACCEPTABLE_LSN,
                    "cannot branch at " + at + ": the history of timeline " + metadata.id() + " begins at "
                            + metadata.readableLsn() + instead);
        }
        try {
            ancestor.await(at, limit);
        } catch (ReadException e) {
            throw new BranchException(Kind.UNACCEPTABLE_LSN, "cannot branch at " + at + ": " + e.text(), e);
        }
    }
}
