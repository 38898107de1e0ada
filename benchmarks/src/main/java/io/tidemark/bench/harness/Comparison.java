package io.tidemark.bench.harness;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Lets contenders take turns, round after round.
 *
 * @param title what is compared, for the report
 * @param contenders the first one is what the others' ratios refer to
 * @param warmups rounds that are run first and not counted
 * @param rounds rounds that count, at least 1
 */
public record Comparison(String title, List<Contender> contenders, int warmups, int rounds) {
    public Comparison {
        contenders = List.copyOf(contenders);
        if (contenders.isEmpty() || rounds < 1 || warmups < 0) {
            throw new IllegalArgumentException("needs a contender and a round");
        }
    }

    /**
     * Runs all rounds.
     *
     * @param progress hears a line before each turn
     * @throws Exception whatever a contender throws; a comparison with a failed turn has no result
     */
    public ComparisonResult run(Consumer<String> progress) throws Exception {
        Map<String, List<Sample>> samples = new LinkedHashMap<>();
        for (int round = 1 - warmups; round <= rounds; round++) {
            for (Contender contender : contenders) {
                progress.accept(title + ": " + (round < 1 ? "warm-up" : "round " + round + " of " + rounds) + ", "
                        + contender.name());
                Sample sample = contender.takeTurn();
                if (round >= 1) {
                    samples.computeIfAbsent(contender.name(), name -> new ArrayList<>())
                            .add(sample);
                }
            }
        }
        return new ComparisonResult(title, samples);
    }
}
