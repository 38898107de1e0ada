/** {@code tidemark bench read}: how fast a safekeeper gives WAL out, beside the PostgreSQL that wrote it. */
@NullMarked
package io.tidemark.bench.read;

import org.jspecify.annotations.NullMarked;
