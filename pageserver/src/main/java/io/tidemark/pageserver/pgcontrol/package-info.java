/**
 * The structs by which PostgreSQL knows where it stands: CheckPoint and pg_control, PostgreSQL 14 to 18.
 *
 * <p>Ingest keeps the checkpoint as a running server would have it in memory; import reads both; a base backup writes them. One
 * class per struct, offsets as constants with the C field name.
 *
 * <p>Pure: no files, threads, clock. Start reading at {@link io.tidemark.pageserver.pgcontrol.CheckPoint}.
 */
@NullMarked
package io.tidemark.pageserver.pgcontrol;

import org.jspecify.annotations.NullMarked;
