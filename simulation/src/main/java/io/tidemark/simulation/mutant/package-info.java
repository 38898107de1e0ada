/**
 * Deliberate bugs, put around the real classes: a disk that forgets to sync, effects in another order, another judgement. Never a flag
 * in production logic.
 *
 * <p>{@link io.tidemark.simulation.mutant.Sabotage} names the places where one can sit; {@link
 * io.tidemark.simulation.mutant.Sabotages} has them. The list with what catches each is {@link io.tidemark.simulation.Mutant}.
 */
@NullMarked
package io.tidemark.simulation.mutant;

import org.jspecify.annotations.NullMarked;
