/**
 * The data that a timeline starts with: a data directory that was shut down, or a base backup of a running server.
 *
 * <p>Either is a list of files, each read once from front to back, whose pages and sizes become values at one LSN. From a
 * running server they are fuzzy, some pages newer than that LSN and some torn; WAL from there on repairs them, as PostgreSQL's own recovery
 * does, and the timeline is readable from where the backup stopped.
 *
 * <p>What cannot be served is refused with one sentence that says what to do: another version, a server that was not shut down,
 * tablespaces that users made. Start reading at {@link io.tidemark.pageserver.basedata.DataDirectoryImport}.
 */
@NullMarked
package io.tidemark.pageserver.basedata;

import org.jspecify.annotations.NullMarked;
