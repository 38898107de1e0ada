/** {@code tidemark bench redo}: records applied to pages in memory, beside PostgreSQL's crash recovery of the same WAL. */
@NullMarked
package io.tidemark.bench.redo;

import org.jspecify.annotations.NullMarked;
