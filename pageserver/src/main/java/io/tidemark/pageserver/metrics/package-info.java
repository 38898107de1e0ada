/** What a pageserver counts, under Neon's names where the meaning is the same. Passed in, never static. */
@NullMarked
package io.tidemark.pageserver.metrics;

import org.jspecify.annotations.NullMarked;
