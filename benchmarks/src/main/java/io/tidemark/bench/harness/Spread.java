package io.tidemark.bench.harness;

import java.util.Arrays;
import java.util.List;

/** Median, smallest and largest of some values. */
public record Spread(double median, double min, double max) {
    /** The spread of some values; throws {@link IllegalArgumentException} when there are none. */
    public static Spread of(List<Double> values) {
        if (values.isEmpty()) {
            throw new IllegalArgumentException("no values");
        }
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(median, sorted[0], sorted[sorted.length - 1]);
    }
}
