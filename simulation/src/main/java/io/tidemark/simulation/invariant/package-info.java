/**
 * What must be true of any cluster at any time, checked after each event: the numbers are those of {@code docs/SAFETY.md}.
 *
 * <p>{@link io.tidemark.simulation.invariant.WrittenWal} knows every byte that any elected proposer wrote, by term, so a term
 * history and an LSN say exactly which bytes a log must hold. {@link io.tidemark.simulation.invariant.CommittedLog} holds what has
 * been committed. {@link io.tidemark.simulation.invariant.AcceptorWatch} follows one safekeeper through crashes, {@link
 * io.tidemark.simulation.invariant.ClusterWatch} the whole. A watch only looks: it never changes what it watches. Start reading at
 * {@link io.tidemark.simulation.invariant.Invariant}.
 */
@NullMarked
package io.tidemark.simulation.invariant;

import org.jspecify.annotations.NullMarked;
