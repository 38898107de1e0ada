/**
 * The versions of one timeline: what was put, at which LSN, in memory and in immutable files.
 *
 * <p>A version is a key, an LSN, a flag and bytes that mean nothing here. A <em>base</em> is complete by itself, any other version needs
 * the one before it; what a reader gets is a <em>chain</em>, from the newest version at or below its LSN down to a base. When no base
 * is found the chain goes on in the ancestor timeline, which is the caller's business.
 *
 * <pre>
 *   put ->  open layer  -freeze->  frozen layers  -flush->  L0 files  -compaction->  stacks of L1 and image files
 *           one writer             in memory                all keys                 per range of keys
 * </pre>
 *
 * <p>Always: for each key, whatever stands further right is older. Hence a read goes from left to right and may stop at the first base.
 * All places are in one immutable {@code LayerMap}, published by one volatile write; a reader pins the map it found, and neither files
 * nor memory of a pinned map go away. The same of it that is durable is the {@code Manifest}: a file that it does not name does not
 * exist. disk_consistent_lsn moves only with a manifest that is durable and names files that are.
 *
 * <p>Owner: {@link io.tidemark.pageserver.layer.LayerStore}. One thread puts and freezes, one at a time flushes, one compacts (package
 * {@code compaction}, which this one does not know). Start reading at {@code LayerStore}, then {@code LayerMap}.
 */
@NullMarked
package io.tidemark.pageserver.layer;

import org.jspecify.annotations.NullMarked;
