/**
 * The shim of one compute put together: PostgreSQL's WAL in, safekeepers out, commits back.
 *
 * <p>One event loop owns everything of one compute: the source's socket, the sockets of the safekeepers, the WAL buffer and the
 * {@link io.tidemark.shim.proposer.Proposer}. WAL that arrives is proposed, acknowledged and confirmed without a hand-over between
 * threads and without a timer on the way; the latency of a commit is the product. Everybody else reads the published {@link
 * io.tidemark.shim.compute.ShimStatus} or sends the loop a task.
 *
 * <p>Always: what PostgreSQL is told is flushed is at most the proposer's commit_lsn; after a {@code Fenced} effect nothing is
 * told any more.
 *
 * <p>Start reading at {@link io.tidemark.shim.compute.Shim}.
 */
@NullMarked
package io.tidemark.shim.compute;

import org.jspecify.annotations.NullMarked;
