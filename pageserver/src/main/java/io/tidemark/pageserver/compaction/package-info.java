/**
 * Rewrites layers so that reads stay short and garbage goes: L0 files into the partitions, several layers of a partition into one, images
 * for keys with long chains, nothing of what no readable LSN needs.
 *
 * <p>All of it is one operation: merge some layers by key, newest version first, drop what is not needed, make an image where the chain
 * is long, put the outputs in the inputs' place. {@link io.tidemark.pageserver.compaction.CompactionPolicy} says which layers (pure),
 * {@link io.tidemark.pageserver.compaction.LayerMerge} says what becomes of each version (pure but for its sources), {@link
 * io.tidemark.pageserver.compaction.Compactor} does it.
 *
 * <p>Always: the chain of every key at every readable LSN has the same content before and after. Inputs are deleted after the manifest
 * without them is durable and the last reader who found them is gone. One compaction of a timeline at a time.
 *
 * <p>It does not know what a version means: images come from a {@link io.tidemark.pageserver.compaction.PageMaterializer}, and which
 * keys exist from a {@link io.tidemark.pageserver.compaction.LiveKeyspace}; the timeline supplies both.
 */
@NullMarked
package io.tidemark.pageserver.compaction;

import org.jspecify.annotations.NullMarked;
