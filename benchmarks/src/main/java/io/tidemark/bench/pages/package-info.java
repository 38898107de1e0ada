/** {@code tidemark bench getpage}: pages from a pageserver, beside pages from the buffers of a stock PostgreSQL. */
@NullMarked
package io.tidemark.bench.pages;

import org.jspecify.annotations.NullMarked;
