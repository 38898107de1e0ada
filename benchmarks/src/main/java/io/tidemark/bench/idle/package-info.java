/** {@code tidemark bench idle}: the memory of a safekeeper that has nothing to do. */
@NullMarked
package io.tidemark.bench.idle;

import org.jspecify.annotations.NullMarked;
