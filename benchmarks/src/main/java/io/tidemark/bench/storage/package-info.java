/** {@code tidemark bench storage}: what a pageserver writes, keeps and reads for a database under updates, and how that grows. */
@NullMarked
package io.tidemark.bench.storage;

import org.jspecify.annotations.NullMarked;
