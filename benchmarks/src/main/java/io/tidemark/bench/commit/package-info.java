/**
 * {@code tidemark bench commit}: what a commit costs when a quorum of safekeepers must have it, beside pg_receivewal as a
 * synchronous standby, and no standby at all.
 */
@NullMarked
package io.tidemark.bench.commit;

import org.jspecify.annotations.NullMarked;
