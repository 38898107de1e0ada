/**
 * Answers "this page at this LSN".
 *
 * <p>Committed WAL comes in from safekeepers ({@code ingest}), becomes changes on keys ({@code key}), is kept in layers ({@code layer},
 * {@code compaction}) and is turned back into pages on demand ({@code redo}, {@code pgpage}). One {@code timeline} owns each branch's
 * state; {@code server} and {@code http} are its edges. There is no PostgreSQL process in it.
 *
 * <p>Always: remote_consistent_lsn <= disk_consistent_lsn <= last_record_lsn <= commit_lsn of the safekeepers. Whatever is not yet in
 * a layer file can be streamed again.
 */
@NullMarked
package io.tidemark.pageserver;

import org.jspecify.annotations.NullMarked;
