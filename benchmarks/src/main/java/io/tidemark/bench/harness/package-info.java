/**
 * What every benchmark shares: turns, statistics, CPU time and memory of processes, the printed report.
 *
 * <p>A machine is never quiet, so nothing is compared across runs. {@link io.tidemark.bench.harness.Comparison} runs its contenders
 * in turn (A B C, A B C, ...), and a ratio is the median of the ratios within each round: whatever slows a whole round slows
 * both sides of its ratio.
 *
 * <p>Knows nothing of what is measured. Start reading at {@link io.tidemark.bench.harness.Comparison}.
 */
@NullMarked
package io.tidemark.bench.harness;

import org.jspecify.annotations.NullMarked;
