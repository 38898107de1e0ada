package io.tidemark.simulation;

import io.tidemark.simulation.invariant.Invariant;
import io.tidemark.simulation.invariant.InvariantViolation;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How one seed ended.
 *
 * @param logHash of every line of the event log: equal for equal runs
 * @param violation null when every invariant held
 * @param lastEvents the end of the event log; empty when every invariant held
 */
public record SimulationResult(
        Scenario scenario,
        Mutant mutant,
        Statistics statistics,
        long logHash,
        @Nullable InvariantViolation violation,
        List<String> lastEvents) {

    /** How much happened. */
    public record Statistics(
            long events,
            long virtualSeconds,
            long faults,
            long elections,
            long truncations,
            long membershipChanges,
            long acknowledgedRecords,
            long committedBytes) {}

    static SimulationResult passed(Scenario scenario, Mutant mutant, Statistics statistics, long logHash) {
        return new SimulationResult(scenario, mutant, statistics, logHash, null, List.of());
    }

    static SimulationResult failed(
            Scenario scenario,
            Mutant mutant,
            Statistics statistics,
            long logHash,
            InvariantViolation violation,
            List<String> lastEvents) {
        return new SimulationResult(scenario, mutant, statistics, logHash, violation, lastEvents);
    }

    public long seed() {
        return scenario.seed();
    }

    public boolean isPassed() {
        return violation == null;
    }

    /** The invariant that did not hold; null when all did. */
    public @Nullable Invariant broken() {
        return violation == null ? null : violation.invariant();
    }

    /** The command that shows this run again, event by event. */
    public String replayCommand() {
        return "./tidemark sim --seed " + seed() + (mutant == Mutant.NONE ? "" : " --mutant " + mutant.label())
                + " --log";
    }

    /** What a person needs to look into a failure: the invariant, the seed, the replay command, the last events. */
    public String report() {
        StringBuilder text = new StringBuilder();
        text.append("seed ").append(seed()).append(": ");
        InvariantViolation broken = violation;
        if (broken == null) {
            return text.append("every invariant held, ").append(statistics).toString();
        }
        lastEvents.forEach(
                line -> text.append(System.lineSeparator()).append("  ").append(line));
        text.append(System.lineSeparator())
                .append(broken.invariant())
                .append(
                        broken.invariant().number() == 0
                                ? ""
                                : " (#" + broken.invariant().number() + ")")
                .append(": ")
                .append(broken.invariant().statement());
        text.append(System.lineSeparator()).append("  but ").append(broken.getMessage());
        if (broken.getCause() != null) {
            StringWriter trace = new StringWriter();
            broken.getCause().printStackTrace(new PrintWriter(trace));
            text.append(System.lineSeparator()).append(trace);
        }
        text.append(System.lineSeparator()).append("  replay: ").append(replayCommand());
        return text.toString();
    }
}
