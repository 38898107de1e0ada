/**
 * {@code tidemark bench push}: making WAL durable in one safekeeper, beside dd that writes the same bytes with as many fsyncs.
 */
@NullMarked
package io.tidemark.bench.push;

import org.jspecify.annotations.NullMarked;
