package io.tidemark.bench.harness;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;

/**
 * Prints results: a table per metric with median, least and most, and the ratio to the first contender; then the targets. Or all
 * of it, with every single sample, as one line of JSON.
 */
public final class Report {
    private static final JsonMapper MAPPER = JsonMapper.shared();

    private Report() {}

    /** Several lines that end in a line break. */
    public static String text(ComparisonResult result, List<Target> targets) {
        StringBuilder out = new StringBuilder();
        out.append(result.title()).append(System.lineSeparator());
        String reference = result.contenders().getFirst();
        for (Metric metric : result.metrics()) {
            out.append(row(metric.name() + ", " + metric.unit(), "median", "min", "max", "ratio (min to max)"));
            for (String contender : result.contenders()) {
                result.spread(contender, metric)
                        .ifPresent(spread -> out.append(row(
                                contender,
                                number(spread.median(), metric.decimals()),
                                number(spread.min(), metric.decimals()),
                                number(spread.max(), metric.decimals()),
                                contender.equals(reference)
                                        ? "1"
                                        : ratio(result.ratio(contender, reference, metric)))));
            }
        }
        for (Target target : targets) {
            Optional<Spread> ratio = result.ratio(target.contender(), target.peer(), target.metric());
            out.append("  target: %s of %s at least %s of %s: %s%n"
                    .formatted(
                            target.metric().name(),
                            target.contender(),
                            number(target.atLeast(), 2),
                            target.peer(),
                            ratio(ratio)
                                    + (ratio.isPresent() && ratio.get().median() >= target.atLeast()
                                            ? ", reached"
                                            : ", MISSED")));
        }
        return out.toString();
    }

    private static String row(String name, String median, String min, String max, String ratio) {
        return "  %-36s %12s %12s %12s   %-24s%n"
                .formatted(name, median, min, max, ratio)
                .replaceFirst(" +(\\R)$", "$1");
    }

    private static String ratio(Optional<Spread> ratio) {
        return ratio.map(spread -> "%s (%s to %s)"
                        .formatted(number(spread.median(), 2), number(spread.min(), 2), number(spread.max(), 2)))
                .orElse("unknown");
    }

    private static String number(double value, int decimals) {
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    /** One line without a line break. */
    public static String json(ComparisonResult result) {
        List<Map<String, Object>> rows = new ArrayList<>();
        String reference = result.contenders().getFirst();
        for (Metric metric : result.metrics()) {
            for (String contender : result.contenders()) {
                result.spread(contender, metric).ifPresent(spread -> {
                    Map<String, Object> row = new LinkedHashMap<>();
                    row.put("contender", contender);
                    row.put("metric", metric.name());
                    row.put("unit", metric.unit());
                    row.put("median", spread.median());
                    row.put("min", spread.min());
                    row.put("max", spread.max());
                    result.ratio(contender, reference, metric).ifPresent(ratio -> row.put("ratio", ratio.median()));
                    row.put("values", result.values(contender, metric));
                    rows.add(row);
                });
            }
        }
        Map<String, Object> whole = new LinkedHashMap<>();
        whole.put("title", result.title());
        whole.put("reference", reference);
        whole.put("rows", rows);
        return MAPPER.writeValueAsString(whole);
    }
}
