/**
 * The world a simulation happens in: virtual time, dice, a network of ordered streams and the log of what happened.
 *
 * <p>One thread, no wall clock, no identity hash: everything that happens follows from the seed, so one seed twice gives the same
 * log. Time is in microseconds since the start. Knows nothing of consensus: it moves bytes between hosts. Start reading at
 * {@link io.tidemark.simulation.world.EventQueue}.
 */
@NullMarked
package io.tidemark.simulation.world;

import org.jspecify.annotations.NullMarked;
