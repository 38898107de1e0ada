/**
 * A timeline as it lives in this process: the acceptor, its control file and its WAL, and the one owner that may change them.
 *
 * <p>{@link io.tidemark.safekeeper.timeline.TimelineCore} carries out what the acceptor decides, in order, on a disk; it knows
 * nothing of threads, sockets or clocks, so that the simulation runs the same class. {@link
 * io.tidemark.safekeeper.timeline.Timeline} is the way to it for everybody else: a mailbox, emptied by {@code
 * TimelineBehavior} in the owner, and a {@link io.tidemark.safekeeper.timeline.TimelineView} that is published after each batch.
 * {@link io.tidemark.safekeeper.timeline.TimelineRegistry} has all of them: loaded at start, created, deleted.
 *
 * <p>Always: an effect that fails ends the core. What may happen then is in {@link
 * io.tidemark.safekeeper.timeline.TimelineStoppedException}: after a full disk the timeline is opened anew at the next greeting of a proposer; after
 * a failed fsync it stands still until the process is restarted. The other timelines go on.
 */
@NullMarked
package io.tidemark.safekeeper.timeline;

import org.jspecify.annotations.NullMarked;
