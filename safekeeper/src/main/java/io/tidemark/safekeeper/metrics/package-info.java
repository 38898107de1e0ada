/**
 * What a safekeeper counts and measures, with Neon's names where the meaning is the same. One object, made by the assembly and
 * passed to whoever has something to count; nothing here is static.
 *
 * <p>Knows nothing of timelines or sockets: what must be read at scrape time is handed in as a function.
 */
@NullMarked
package io.tidemark.safekeeper.metrics;

import org.jspecify.annotations.NullMarked;
