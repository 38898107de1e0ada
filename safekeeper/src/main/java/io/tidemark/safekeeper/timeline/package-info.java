/**
 * A timeline as it lives in this process: the acceptor, its control file and its WAL, and the one owner that may change them.
 *
 * <p>{@link io.tidemark.safekeeper.timeline.TimelineCore} carries out what the acceptor decides, in order, on a disk; it knows
 * nothing of threads, sockets or clocks, so that the simulation runs the same class. Everybody but the owner reads {@link
 * io.tidemark.safekeeper.timeline.TimelineSnapshot}s.
 *
 * <p>Always: an effect that fails ends the core. What may happen then is in {@link
 * io.tidemark.safekeeper.timeline.TimelineStoppedException}.
 */
@NullMarked
package io.tidemark.safekeeper.timeline;

import org.jspecify.annotations.NullMarked;
