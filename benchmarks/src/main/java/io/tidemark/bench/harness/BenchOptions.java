package io.tidemark.bench.harness;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options that all benchmarks have, and what follows from them: how long it takes, where it works, how it prints. */
public final class BenchOptions {
    @Spec(Spec.Target.MIXEE)
    @Nullable
    CommandSpec spec;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            description = "Turns that count, for each contender (default ${DEFAULT-VALUE}).")
    int rounds = 5;

    @Option(
            names = "--warmups",
            paramLabel = "N",
            description = "Turns before them that do not count (default ${DEFAULT-VALUE}).")
    int warmups = 1;

    @Option(names = "--json", description = "One JSON object per comparison, with every sample.")
    boolean json;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Work in a new directory inside this one: it says which disk is measured"
                    + " (default: the temporary directory).")
    @Nullable
    Path dir;

    @Option(names = "--keep", description = "Do not delete that directory at the end.")
    boolean keep;

    @Option(
            names = "--pg-tools",
            paramLabel = "DIR",
            description = "Where pgbench, pg_receivewal and pg_waldump are (default ${DEFAULT-VALUE}).")
    Path pgTools = Path.of(Program.DEBIAN_POSTGRES_BIN);

    public int rounds() {
        return rounds;
    }

    public ScratchDirectory scratch() throws IOException {
        return ScratchDirectory.create(Optional.ofNullable(dir), keep);
    }

    /**
     * The path of a PostgreSQL client program.
     *
     * @throws IOException when it is not there
     */
    public String pgTool(String name) throws IOException {
        Path program = pgTools.resolve(name);
        if (!Files.isExecutable(program)) {
            throw new IOException("no " + name + " in " + pgTools
                    + "; --pg-tools names its directory (Debian: postgresql-15 and postgresql-client-15)");
        }
        return program.toString();
    }

    /** Runs a comparison in as many rounds as asked for, and prints it. */
    public ComparisonResult compare(String title, List<Contender> contenders, List<Target> targets) throws Exception {
        say(title + " (load average " + loadAverage() + ", "
                + Runtime.getRuntime().availableProcessors() + " CPUs)");
        ComparisonResult result = new Comparison(title, contenders, warmups, rounds).run(this::say);
        PrintWriter out = requireSpec().commandLine().getOut();
        out.print(json ? Report.json(result) + System.lineSeparator() : Report.text(result, targets));
        out.flush();
        return result;
    }

    /** A line that is no result: to standard error. */
    public void say(String line) {
        PrintWriter err = requireSpec().commandLine().getErr();
        err.println(line);
        err.flush();
    }

    private static String loadAverage() throws IOException {
        return Files.readString(Path.of("/proc/loadavg")).split(" ", 2)[0];
    }

    private CommandSpec requireSpec() {
        if (spec == null) {
            throw new IllegalStateException("not made by picocli");
        }
        return spec;
    }
}
