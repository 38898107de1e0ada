/**
 * A stock PostgreSQL that runs on storage: the life of one compute from nothing to the end of its process.
 *
 * <p>{@link io.tidemark.shim.stock.StockCompute} is what is started; {@link io.tidemark.shim.stock.StoragePosition} finds out where the
 * timeline ends. {@link io.tidemark.shim.stock.StockReader} only reads, at one LSN, beside whoever writes. The order of a start:
 *
 * <pre>
 *   ELECT     win a term, which fences the compute before; learn Y, the end of committed WAL
 *   INGEST    wait until the pageserver has everything up to Y
 *   LEASE     (one that reads at an LSN) the pageserver promises to keep Y
 *   BUILD     data directory at Y, complete; what was there before is deleted
 *   BOOT      PostgreSQL finds a clean shutdown at Y and starts without recovery
 *   STREAM    the shim proposes what PostgreSQL writes from Y on; commits return
 * </pre>
 *
 * <p>Always: a data directory is used for one run of PostgreSQL only. It never recovers from its own WAL; whatever ends the run, the next
 * one is built anew. Hence fsync and full_page_writes are off there. One that only reads has no shim: it never elects, and nothing it could
 * write, were it promoted, is in storage.
 *
 * <p>Owner: the thread that starts and stops; a watcher thread tells when PostgreSQL or the shim has ended.
 */
@NullMarked
package io.tidemark.shim.stock;

import org.jspecify.annotations.NullMarked;
