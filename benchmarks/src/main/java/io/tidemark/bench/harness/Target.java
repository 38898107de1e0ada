package io.tidemark.bench.harness;

/**
 * What a comparison should show: {@code contender}'s {@code metric} is at least so many times that of {@code peer}.
 *
 * @param contender a contender's name
 * @param peer another contender's name
 * @param atLeast the ratio to reach
 */
public record Target(String contender, String peer, Metric metric, double atLeast) {}
