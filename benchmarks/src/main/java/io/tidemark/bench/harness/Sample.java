package io.tidemark.bench.harness;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What one turn of a contender gave: a value per metric, in the order they are printed. */
public record Sample(Map<Metric, Double> values) {
    public static final Sample EMPTY = new Sample(Map.of());

    public Sample {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    public static Sample of(Metric metric, double value) {
        return EMPTY.and(metric, value);
    }

    /** This sample and one more value. */
    public Sample and(Metric metric, double value) {
        Map<Metric, Double> more = new LinkedHashMap<>(values);
        more.put(metric, value);
        return new Sample(more);
    }
}
