/**
 * PostgreSQL's pages as data: one class per layout, offsets as constants with the C field name, and the few operations on pages
 * whose exact physical outcome redo depends on.
 *
 * <p>Placement counts: wal_consistency_checking compares byte for byte, so {@link io.tidemark.pageserver.pgpage.Page#addItem},
 * the deletions and the repairs put every tuple exactly where bufpage.c puts it, and leave untouched exactly what it leaves.
 * What a page or record cannot mean is a {@link io.tidemark.pageserver.pgpage.PageException}.
 *
 * <p>Pure: no files, threads, clock. Start reading at {@link io.tidemark.pageserver.pgpage.Page}.
 */
@NullMarked
package io.tidemark.pageserver.pgpage;

import org.jspecify.annotations.NullMarked;
