/**
 * How WAL comes in: one replication stream per timeline, from the safekeeper that is best at the time.
 *
 * <p>{@link io.tidemark.pageserver.receiver.WalReceiver} owns a virtual thread that connects, takes the stream apart into records, hands
 * them to its timeline, tells the safekeeper how far that is, and goes to another safekeeper when its own dies or lags. What arrives
 * faster than it is ingested waits in a queue of bounded size, then in the socket.
 *
 * <p>It holds no state that matters: where to go on is asked of the timeline at each connection. Start reading at {@link
 * io.tidemark.pageserver.receiver.WalReceiver}.
 */
@NullMarked
package io.tidemark.pageserver.receiver;

import org.jspecify.annotations.NullMarked;
