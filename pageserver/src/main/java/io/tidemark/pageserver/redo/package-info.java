/**
 * Redo: what a WAL record does to one page, for every resource manager that changes pages, PostgreSQL 14 to 18.
 *
 * <p>{@link io.tidemark.pageserver.redo.PageRedo} decides what all records have in common (an image, a page made from nothing, a page
 * that already has the change, the stamp of the end LSN) and asks the resource manager's class for the rest. Each of these
 * rebuilds one block from its own previous content and the record alone; it never sees another page.
 *
 * <p>Always: an unknown record is refused by name, never ignored; whatever does not fit is a {@link
 * io.tidemark.pageserver.redo.RedoException}, and the page is then worth nothing. The judge is PostgreSQL: with
 * wal_consistency_checking each record carries the page it should give, compared under {@code PageMask}.
 *
 * <p>Pure: no files, threads, clock. Start reading at {@link io.tidemark.pageserver.redo.PageRedo}.
 */
@NullMarked
package io.tidemark.pageserver.redo;

import org.jspecify.annotations.NullMarked;
