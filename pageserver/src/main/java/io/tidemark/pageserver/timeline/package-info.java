/**
 * Timelines: each owns its versions, its WAL receiver and what may be asked of it.
 *
 * <p>A {@code Timeline} is written by one thread, its ingest; everybody else reads: at an LSN that has been published, through an
 * immutable snapshot of the layers. Reading walks the layers newest to oldest and, below a branch point, the ancestor's.
 *
 * <p>Always: an LSN is published ({@code LsnWaitQueue}) only after everything up to it can be read. No read is answered below the gc cutoff.
 */
@NullMarked
package io.tidemark.pageserver.timeline;

import org.jspecify.annotations.NullMarked;
