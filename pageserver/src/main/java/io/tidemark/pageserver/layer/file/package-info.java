/**
 * One immutable layer file: its bytes, how it is written, read, merged and shown.
 *
 * <p>A layer file holds versions sorted by key and, within a key, from the newest to the oldest, so that a reader finds its place
 * once and then goes forward until a base. Versions are kept in blocks of some 16 KiB, each compressed and checked by itself;
 * an index of the blocks and the exact set of keys stand at the end. {@link io.tidemark.pageserver.layer.file.LayerFileFormat} is
 * the grammar.
 *
 * <p>Nothing here knows other layers, the manifest, or what a version means. A reader answers what was written or throws {@link
 * io.tidemark.pageserver.layer.file.CorruptLayerException}; it never guesses. Start reading at {@code LayerFileFormat}, then
 * {@link io.tidemark.pageserver.layer.file.LayerFileWriter} and {@link io.tidemark.pageserver.layer.file.LayerFileReader}.
 */
@NullMarked
package io.tidemark.pageserver.layer.file;

import org.jspecify.annotations.NullMarked;
