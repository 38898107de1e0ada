/**
 * Who acts in a simulation: safekeepers, computes, the controller, readers and misfortune. Each is driven by events of the queue
 * only, and everything it does to another goes over the network of {@link io.tidemark.simulation.world}.
 *
 * <p>{@link io.tidemark.simulation.actor.SafekeeperActor} holds a real {@code TimelineCore} on a {@code FakeDisk}; {@link
 * io.tidemark.simulation.actor.ComputeProcess} drives a real {@code Proposer}. Start reading there.
 */
@NullMarked
package io.tidemark.simulation.actor;

import org.jspecify.annotations.NullMarked;
