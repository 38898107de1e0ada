/**
 * The acceptor of one timeline as a pure state machine: events in, effects out. No files, sockets, threads, locks, clocks,
 * randomness or logging; the same classes run in the server and in the deterministic simulation.
 *
 * <p>Owner: the timeline's owner, which carries the effects out in the order of the list, one after the other, and drops the
 * rest of the list when one fails. So "the vote is durable before it is sent" is an order in a list. A failed effect ends
 * this acceptor: the owner throws it away and builds a new one from what is on disk, or stops the timeline for good when an
 * fsync failed.
 *
 * <p>Always: commit_lsn <= flush_lsn <= write_record_lsn; term never decreases; nothing is written before the first
 * truncation by an elected message. Start reading at {@link io.tidemark.safekeeper.acceptor.AcceptorEvent}.
 */
@NullMarked
package io.tidemark.safekeeper.acceptor;

import org.jspecify.annotations.NullMarked;
