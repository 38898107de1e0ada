/**
 * The control file: what an acceptor must remember, replaced as one.
 *
 * <p>{@link io.tidemark.safekeeper.control.ControlFileFormat} is the document of the bytes, which are Neon's, so that the file may
 * travel between safekeepers. {@link io.tidemark.safekeeper.control.ControlFileStore} is its place on a disk: after a crash it holds
 * the state before or after a replacement, never a mix. Owner: the timeline's owner. Knows nothing of WAL.
 */
@NullMarked
package io.tidemark.safekeeper.control;

import org.jspecify.annotations.NullMarked;
