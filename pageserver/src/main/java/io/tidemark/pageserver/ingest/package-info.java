/**
 * Turns WAL into changes on keys, and data directories into the first of them.
 *
 * <p>{@link io.tidemark.pageserver.ingest.WalIngest} takes one decoded record and puts what it changes, all at the record's end LSN, onto
 * the {@link io.tidemark.pageserver.ingest.TimelineHead}. {@link io.tidemark.pageserver.ingest.RecordTable} says for each opcode of each
 * major version what that is; what the table does not have stops the timeline by name.
 *
 * <p>Always: at most one value per key and LSN; what a record creates or drops is in the directory (the sizes) at the record's end LSN; a
 * block below its relation's size has a version, so no reader finds what an earlier life of the block left.
 *
 * <p>It knows nothing of layers: the timeline keeps what is put. Start reading at {@link io.tidemark.pageserver.ingest.WalIngest}.
 */
@NullMarked
package io.tidemark.pageserver.ingest;

import org.jspecify.annotations.NullMarked;
