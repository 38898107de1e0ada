package io.tidemark.bench.harness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;

class ComparisonTest {
    private static final Metric SPEED = new Metric("speed", "MB/s", 1);

    private final List<String> turns = new ArrayList<>();

    private Contender contender(String name, Double... values) {
        Iterator<Double> each = Arrays.asList(values).iterator();
        return Contender.of(name, () -> {
            turns.add(name);
            return Sample.of(SPEED, each.next());
        });
    }

    @Test
    void contendersTakeTurnsAndWarmUpsDoNotCount() throws Exception {
        Comparison comparison = new Comparison(
                "t", List.of(contender("peer", 1000.0, 10.0, 40.0), contender("ours", 1.0, 20.0, 20.0)), 1, 2);
        ComparisonResult result = comparison.run(line -> {});
        assertThat(turns).containsExactly("peer", "ours", "peer", "ours", "peer", "ours");
        assertThat(result.spread("peer", SPEED)).contains(new Spread(25, 10, 40));
        assertThat(result.spread("ours", SPEED)).contains(new Spread(20, 20, 20));
    }

    @Test
    void aRatioIsTakenRoundByRound() throws Exception {
        // The machine is ten times slower in the second round; of the medians the ratio would be 0.5 / 1.
        Comparison comparison = new Comparison(
                "t", List.of(contender("peer", 100.0, 10.0, 100.0), contender("ours", 200.0, 20.0, 50.0)), 0, 3);
        ComparisonResult result = comparison.run(line -> {});
        assertThat(result.ratio("ours", "peer", SPEED)).contains(new Spread(2, 0.5, 2));
    }

    @Test
    void nothingIsComparedWithZero() throws Exception {
        Comparison comparison = new Comparison("t", List.of(contender("peer", 0.0), contender("ours", 2.0)), 0, 1);
        ComparisonResult result = comparison.run(line -> {});
        assertThat(result.ratio("ours", "peer", SPEED)).isEmpty();
        assertThat(Report.text(result, List.of(new Target("ours", "peer", SPEED, 1))))
                .contains("unknown, MISSED");
    }

    @Test
    void aFailedTurnFailsTheComparison() {
        Comparison comparison = new Comparison(
                "t",
                List.of(Contender.of("broken", () -> {
                    throw new IllegalStateException("no disk");
                })),
                0,
                1);
        assertThatThrownBy(() -> comparison.run(line -> {})).hasMessage("no disk");
    }

    @Test
    void theReportShowsMediansRatiosAndTargets() throws Exception {
        ComparisonResult result =
                new Comparison("t", List.of(contender("peer", 10.0), contender("ours", 19.0)), 0, 1).run(line -> {});
        String text = Report.text(
                result, List.of(new Target("ours", "peer", SPEED, 2), new Target("ours", "peer", SPEED, 1.9)));
        assertThat(text).contains("1.90 (1.90 to 1.90)", "MISSED", "reached");
        assertThat(text.indexOf("MISSED")).isLessThan(text.indexOf("reached"));
        assertThat(Report.json(result))
                .contains("\"ratio\":1.9", "\"values\":[19.0]")
                .doesNotContain("\n");
    }

    @Test
    void theMedianOfAnEvenNumberLiesBetweenTheMiddleTwo() {
        assertThat(Spread.of(List.of(4.0, 1.0, 2.0, 100.0))).isEqualTo(new Spread(3, 1, 100));
    }
}
