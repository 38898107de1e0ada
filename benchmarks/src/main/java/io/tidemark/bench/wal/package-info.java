/** Real WAL to measure with: {@link io.tidemark.bench.wal.WalSample} lets a PostgreSQL under pgbench write some. */
@NullMarked
package io.tidemark.bench.wal;

import org.jspecify.annotations.NullMarked;
