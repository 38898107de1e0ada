/**
 * WAL from a stock PostgreSQL 14 to 18, as its physical replication client.
 *
 * <p>The client is our own, on Netty, since the way through a general driver costs more than a commit does. PostgreSQL sends what
 * it has flushed; it is told "flushed" only what a quorum of safekeepers has, so a session that waits for its synchronous standby
 * waits for the quorum. The slot keeps PostgreSQL's WAL from the last confirmed position on, which is why a lost connection or
 * memory never loses WAL.
 *
 * <p>Must not know: safekeepers, terms, the proposer.
 */
@NullMarked
package io.tidemark.shim.source;

import org.jspecify.annotations.NullMarked;
