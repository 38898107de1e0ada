package io.tidemark.cli;

import io.tidemark.simulation.Mutant;
import io.tidemark.simulation.Simulation;
import io.tidemark.simulation.SimulationResult;
import io.tidemark.simulation.Sweep;
import java.io.Console;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.ObjectMapper;

/** {@code tidemark sim}: the deterministic simulation of WAL on a quorum, seed by seed. */
@Command(
        name = "sim",
        mixinStandardHelpOptions = true,
        description =
                "Simulates safekeepers, computes and misfortune from seeds, and checks every invariant after each event.",
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {"0:every invariant held", "1:an invariant was violated", "2:wrong usage"})
public final class SimCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Option(names = "--seeds", paramLabel = "N", description = "How many seeds to run (default ${DEFAULT-VALUE}).")
    private long seeds = 200;

    @Option(names = "--start", paramLabel = "S", description = "The first seed (default ${DEFAULT-VALUE}).")
    private long start = 1;

    @Option(names = "--seed", paramLabel = "X", description = "Run this seed only.")
    private @Nullable Long seed;

    @Option(names = "--log", description = "Print every event; with --seed.")
    private boolean log;

    @Option(names = "--threads", paramLabel = "N", description = "Seeds at the same time (default: the processors).")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--json", description = "Print one JSON object per seed.")
    private boolean json;

    @Option(
            names = "--mutant",
            paramLabel = "NAME",
            description = "Run with a deliberate bug, to see it caught; 'list' shows them.")
    private String mutantName = Mutant.NONE.label();

    private long done;
    private long failed;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (mutantName.equals("list")) {
            for (Mutant mutant : Mutant.values()) {
                out.printf("%-32s %s%n", mutant.label(), mutant.bug());
            }
            return 0;
        }
        Mutant mutant = Mutant.find(mutantName)
                .orElseThrow(() -> new ParameterException(
                        spec.commandLine(), "no such mutant: " + mutantName + " (--mutant list shows them)"));
        if (log && seed == null) {
            throw new ParameterException(spec.commandLine(), "--log needs --seed");
        }
        if (seeds < 1 || threads < 1) {
            throw new ParameterException(spec.commandLine(), "--seeds and --threads must be at least 1");
        }
        List<SimulationResult> failures = seed != null ? one(seed, mutant, out) : many(mutant, out);
        out.flush();
        return failures.isEmpty() ? 0 : 1;
    }

    private List<SimulationResult> one(long only, Mutant mutant, PrintWriter out) {
        SimulationResult result = Simulation.run(only, mutant, log ? out::println : line -> {});
        print(result, out);
        return result.isPassed() ? List.of() : List.of(result);
    }

    private List<SimulationResult> many(Mutant mutant, PrintWriter out) {
        boolean terminal = !json && isTerminal();
        long begun = System.nanoTime();
        List<SimulationResult> failures = Sweep.run(start, seeds, threads, mutant, false, result -> {
            done++;
            failed += result.isPassed() ? 0 : 1;
            if (json || !result.isPassed()) {
                print(result, out);
            }
            if (terminal) {
                spec.commandLine().getErr().printf("\r%d of %d seeds, %d failed", done, seeds, failed);
                spec.commandLine().getErr().flush();
            }
        });
        if (!json) {
            out.printf(
                    "%s%d seeds from %d on, %d failed, %.1f s%n",
                    terminal ? System.lineSeparator() : "",
                    seeds,
                    start,
                    failures.size(),
                    (System.nanoTime() - begun) / 1e9);
        }
        return failures;
    }

    // The JDK still documents null, where an embedder has removed the console.
    @SuppressWarnings("SystemConsoleNull")
    private static boolean isTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    private void print(SimulationResult result, PrintWriter out) {
        out.println(json ? asJson(result) : result.report());
        out.flush();
    }

    private static String asJson(SimulationResult result) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("seed", result.seed());
        object.put("mutant", result.mutant().label());
        object.put("passed", result.isPassed());
        if (result.violation() != null) {
            object.put("invariant", result.violation().invariant().name());
            object.put("invariantNumber", result.violation().invariant().number());
            object.put("message", result.violation().getMessage());
            object.put("replay", result.replayCommand());
            object.put("lastEvents", new ArrayList<>(result.lastEvents()));
        }
        object.put("logHash", Long.toHexString(result.logHash()));
        object.put("statistics", result.statistics());
        return new ObjectMapper().writeValueAsString(object);
    }
}
