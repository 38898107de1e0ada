package io.tidemark.bench.harness;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The samples of a comparison: by contender, one per round. Every contender has as many; a metric may be missing from some.
 *
 * @param samples in the order of the contenders
 */
public record ComparisonResult(String title, Map<String, List<Sample>> samples) {
    public ComparisonResult {
        samples = new LinkedHashMap<>(samples);
    }

    /** All metrics that some contender has, in order of appearance. */
    public List<Metric> metrics() {
        Set<Metric> metrics = new LinkedHashSet<>();
        samples.values()
                .forEach(list ->
                        list.forEach(sample -> metrics.addAll(sample.values().keySet())));
        return List.copyOf(metrics);
    }

    public List<String> contenders() {
        return List.copyOf(samples.keySet());
    }

    /** A contender's values; empty when it does not have the metric. */
    public Optional<Spread> spread(String contender, Metric metric) {
        List<Double> values = values(contender, metric);
        return values.isEmpty() ? Optional.empty() : Optional.of(Spread.of(values));
    }

    /**
     * Round by round, {@code contender}'s value divided by {@code peer}'s; empty when one of them lacks the metric, or the peer
     * was at zero.
     */
    public Optional<Spread> ratio(String contender, String peer, Metric metric) {
        List<Double> mine = values(contender, metric);
        List<Double> theirs = values(peer, metric);
        if (mine.isEmpty() || mine.size() != theirs.size() || theirs.contains(0.0)) {
            return Optional.empty();
        }
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < mine.size(); i++) {
            ratios.add(mine.get(i) / theirs.get(i));
        }
        return Optional.of(Spread.of(ratios));
    }

    /** A contender's values, round by round; fewer than rounds when some lack the metric. */
    List<Double> values(String contender, Metric metric) {
        List<Sample> all = samples.get(contender);
        if (all == null) {
            throw new IllegalArgumentException("no contender '" + contender + "' in " + samples.keySet());
        }
        return all.stream()
                .map(sample -> Optional.ofNullable(sample.values().get(metric)))
                .flatMap(Optional::stream)
                .toList();
    }
}
