package io.tidemark.bench.junit;

import io.tidemark.bench.harness.BenchOptions;
import io.tidemark.bench.harness.Contender;
import io.tidemark.bench.harness.Metric;
import io.tidemark.bench.harness.Sample;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.bench.harness.Spread;
import io.tidemark.bench.junit.TestDatabases.OneTest;
import io.tidemark.junit.Seed;
import io.tidemark.junit.TestStorage;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidemark bench junit}: the cost of a test with a database of its own. */
@Command(
        name = "junit",
        mixinStandardHelpOptions = true,
        description =
                "What one test costs: a branch of the JUnit extension, CREATE DATABASE ... TEMPLATE, a fresh initdb.",
        footer = {
            "",
            "From nothing to the first answer of a database that holds the seed (10 MB, then 200 MB), and to where nothing of it is left.",
            "The extension's storage runs in this process, as it does in a JVM of tests, with fsync. The server that copies a template",
            "runs all the time; it and the fresh one have fsync, full_page_writes and synchronous_commit off. A fresh one fills its",
            "database each time. The seeding of the branch's parent and of the template is not counted."
        })
public final class JunitCommand implements Callable<Integer> {
    private static final Metric SERVER = new Metric("until there is an empty server", "ms", 0);
    private static final Metric ANSWER = new Metric("until the first answer", "ms", 0);
    private static final Metric WHOLE = new Metric("with cleaning up", "ms", 0);
    private static final String TEMPLATE = "CREATE DATABASE ... TEMPLATE";
    private static final String FILE_COPY = "the same, STRATEGY file_copy";
    private static final String BRANCH = "@TidemarkBranch";
    private static final String INITDB = "initdb, start, fill";

    @Mixin
    BenchOptions options = new BenchOptions();

    @Option(
            names = "--tests",
            paramLabel = "N",
            description = "Tests of one turn, of which the median counts (default ${DEFAULT-VALUE}).")
    int tests = 5;

    @Option(
            names = "--pg",
            paramLabel = "MAJOR",
            description = "PostgreSQL's major version, 15 to 18 (default ${DEFAULT-VALUE}).")
    int major = 17;

    @Override
    public Integer call() throws Exception {
        PostgresBinaries binaries = PostgresArchives.configured().require(major);
        try (ScratchDirectory scratch = options.scratch();
                TestStorage storage = TestStorage.start(major);
                PostgresServer server = PostgresServer.create(
                        binaries, ServerUser.current(), scratch.resolve("server"), InitDbOptions.defaults())) {
            server.configure(TestDatabases.SETTINGS);
            server.start();
            List<Seeded> seeds = List.of(
                    new Seeded("small", SeedRows.Small.MEGABYTES, new SeedRows.Small()),
                    new Seeded("large", SeedRows.Large.MEGABYTES, new SeedRows.Large()));
            for (Seeded seeded : seeds) {
                options.say("filling " + seeded.megabytes + " MB");
                TestDatabases.fill(server, seeded.name, seeded.seed);
                storage.branch(seeded.seed.getClass()).close();
                options.compare(
                        "junit, a seed of %d MB, PostgreSQL %d".formatted(seeded.megabytes, major),
                        List.of(
                                contender(TEMPLATE, TestDatabases.template(server, seeded.name, "")),
                                contender(
                                        FILE_COPY, TestDatabases.template(server, seeded.name, " STRATEGY file_copy")),
                                contender(BRANCH, TestDatabases.branch(storage, seeded.seed.getClass())),
                                contender(
                                        INITDB, TestDatabases.initdb(binaries, scratch.resolve("fresh"), seeded.seed))),
                        List.of());
            }
        }
        return 0;
    }

    private record Seeded(String name, int megabytes, Seed seed) {}

    private Contender contender(String name, OneTest test) {
        return Contender.of(name, () -> {
            List<Double> empty = new ArrayList<>();
            List<Double> answered = new ArrayList<>();
            List<Double> whole = new ArrayList<>();
            for (int i = 0; i < tests; i++) {
                long begun = System.nanoTime();
                test.run(new TestDatabases.Timing() {
                    @Override
                    public void empty() {
                        empty.add(millis(begun));
                    }

                    @Override
                    public void answered() {
                        answered.add(millis(begun));
                    }
                });
                whole.add(millis(begun));
            }
            Sample sample = Sample.of(ANSWER, Spread.of(answered).median())
                    .and(WHOLE, Spread.of(whole).median());
            return empty.isEmpty()
                    ? sample
                    : sample.and(SERVER, Spread.of(empty).median());
        });
    }

    private static double millis(long begun) {
        return (System.nanoTime() - begun) / 1e6;
    }
}
