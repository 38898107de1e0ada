/**
 * The key space: every versioned thing of a timeline has a 128-bit key, every change to it is a value at an LSN.
 *
 * <p>Relation blocks, their sizes and directories, SLRU pages, relation maps, two-phase files, the checkpoint and the control
 * file are all keys alike, so that a base backup can be built at any readable LSN. A value is either complete (an image) or
 * needs the version before it (a WAL record, a change of visibility bits, of transaction status).
 *
 * <p>Pure: no files, sockets, threads, clock. Start reading at {@link io.tidemark.pageserver.key.Key}.
 */
@NullMarked
package io.tidemark.pageserver.key;

import org.jspecify.annotations.NullMarked;
