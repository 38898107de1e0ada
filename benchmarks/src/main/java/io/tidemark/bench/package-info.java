/**
 * {@code tidemark bench}: measures Tidemark beside a peer that does the same work, in the same run on the same machine.
 *
 * <p>{@link io.tidemark.bench.BenchCommand} knows the subcommands and nothing else. Each subcommand is a package: a picocli
 * command that builds {@link io.tidemark.bench.harness.Contender contenders} and hands them to a
 * {@link io.tidemark.bench.harness.Comparison}, which lets them take turns and prints medians, spreads and ratios. A new benchmark
 * is such a package and one line in {@code BenchCommand}.
 *
 * <p>Numbers that were seen, and what they mean, are in docs/performance.md.
 */
@NullMarked
package io.tidemark.bench;

import org.jspecify.annotations.NullMarked;
