package io.tidemark.cli;

import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.Ports;
import io.tidemark.cli.demo.DemoSession;
import io.tidemark.cli.demo.SmokeRun;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tidemark demo}: a PostgreSQL that runs on storage, and branches of it, to try out. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description =
                "Run three safekeepers, a pageserver, and a stock PostgreSQL that keeps everything there; branch it at any time.",
        footer = {
            "",
            "Safekeepers, pageserver and shim run in this process; Ctrl-C stops everything. With --smoke they are processes of",
            "their own, all are killed with kill -9, a branch is made at a past second, and what must hold is checked.",
            "Exit codes: 0 done, 1 it failed, 2 wrong command line."
        })
final class DemoCommand implements Callable<Integer> {
    private static final long STOP_SECONDS = 60;
    private static final int PREFERRED_POSTGRES_PORT = 54321;

    @Spec
    @Nullable
    CommandSpec spec;

    @Mixin
    ClusterFlags flags = new ClusterFlags();

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "Keep the data here and come back with it next time (default: a temporary directory).")
    @Nullable
    Path dataDir;

    @Option(names = "--smoke", description = "Run a short workload, kill some servers, check, exit with 0 or 1.")
    boolean smoke;

    @Override
    public Integer call() throws InterruptedException {
        Terminal terminal = Terminal.of(spec);
        ClusterOptions options = flags.options();
        CountDownLatch stopped = new CountDownLatch(1);
        Thread session = Thread.currentThread();
        // Ctrl-C: the hook wakes the session, and the JVM goes on ending only when everything is stopped and cleaned
        // up.
        Runtime.getRuntime()
                .addShutdownHook(Thread.ofPlatform().name("demo-stop").unstarted(() -> {
                    session.interrupt();
                    awaitQuietly(stopped);
                }));
        try {
            Path kept = dataDir;
            if (kept != null) {
                run(kept, options, terminal);
            } else {
                runInScratch(options, terminal);
            }
            return 0;
        } catch (IOException e) {
            return terminal.fail("demo", e);
        } finally {
            stopped.countDown();
        }
    }

    private void runInScratch(ClusterOptions options, Terminal terminal) throws IOException, InterruptedException {
        Path scratch = ServerUser.current().scratchDirectory("tidemark-demo-");
        boolean keep = true;
        try {
            run(scratch.resolve("cluster"), options, terminal);
            keep = false;
        } finally {
            if (keep) {
                terminal.err().println("The data and logs are kept in " + scratch);
            } else {
                deleteTree(scratch);
            }
        }
    }

    private void run(Path directory, ClusterOptions options, Terminal terminal)
            throws IOException, InterruptedException {
        PrintWriter out = terminal.out();
        boolean fresh = !StorageDirectory.exists(directory);
        out.println((fresh ? "Making a new cluster in " : "Coming back with the cluster in ") + directory);
        out.flush();
        StorageDirectory storage = StorageDirectory.openOrCreate(directory, options);
        if (smoke) {
            new SmokeRun(storage, out).run();
        } else {
            converse(storage, options.postgresPort(), terminal);
        }
    }

    private void converse(StorageDirectory directory, int port, Terminal terminal)
            throws IOException, InterruptedException {
        LogSetup.toFile(directory.layout().logFile("demo"));
        terminal.out().println("Log: " + directory.layout().logFile("demo"));
        terminal.out().flush();
        try (EmbeddedStorage storage = EmbeddedStorage.start(directory)) {
            StockCompute main = storage.startCompute(
                    StorageDirectory.MAIN, port != 0 ? port : usualPort(directory), StartListener.NONE);
            terminal.out()
                    .println("PostgreSQL " + main.postgres().binaries().version()
                            + " is up on branch main. Every COMMIT waits for two of three safekeepers; its data directory is"
                            + " disposable.");
            terminal.printConnection(main.postgres().port());
            new DemoSession(storage, terminal).run();
        } catch (InterruptedException ctrlC) {
            terminal.out().println();
        }
        terminal.out().println("Stopped.");
        terminal.out().flush();
    }

    private static int usualPort(StorageDirectory directory) throws IOException {
        int before = directory.branches().require(StorageDirectory.MAIN).computePort();
        return new Ports(true).choose(before != 0 ? before : PREFERRED_POSTGRES_PORT);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            if (!latch.await(STOP_SECONDS, TimeUnit.SECONDS)) {
                Runtime.getRuntime().halt(1);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void deleteTree(Path directory) throws IOException {
        List<Path> deepestFirst;
        try (Stream<Path> paths = Files.walk(directory)) {
            deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : deepestFirst) {
            Files.deleteIfExists(path);
        }
    }
}
