package io.tidemark.cli.compute;

import io.tidemark.cli.ShimCommand;
import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.ComputeRun;
import io.tidemark.cli.storage.ComputeStatus;
import io.tidemark.cli.storage.Readers;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tidemark compute run}: the process that {@code compute start} starts. */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        description = "Run the compute of a branch in this process, until it is told to stop or fenced.",
        footer = {
            "",
            "SIGTERM and SIGINT stop it in order. Exit codes: 0 stopped, 1 failed, 2 wrong command line, 3 fenced: another",
            "compute owns the branch."
        })
final class ComputeRunCommand extends StorageCommand {
    private static final Logger log = LoggerFactory.getLogger(ComputeRunCommand.class);
    private static final long STOP_SECONDS = 60;

    @Option(
            names = "--branch",
            paramLabel = "NAME",
            defaultValue = StorageDirectory.MAIN,
            description = "Which branch (default: ${DEFAULT-VALUE}).")
    String branch = StorageDirectory.MAIN;

    @Option(names = "--name", paramLabel = "NAME", description = "A compute that only reads, by its name.")
    @Nullable
    String name;

    @Option(names = "--port", paramLabel = "PORT", description = "PostgreSQL's port (default: any free one).")
    int port;

    @Option(names = "--pg-bin", paramLabel = "DIR", description = "The programs of this PostgreSQL.")
    @Nullable
    Path pgBin;

    @Option(names = "--pg-config", paramLabel = "NAME=VALUE", description = "A parameter of PostgreSQL.")
    Map<String, String> settings = new LinkedHashMap<>();

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        ComputeRun run = name == null
                ? new ComputeRun(directory, directory.branches().require(branch), pgBin, port, settings)
                : new ComputeRun(directory, new Readers(directory).require(branch, name), pgBin, port, settings);
        CountDownLatch over = new CountDownLatch(1);
        Thread hook = Thread.ofPlatform().name("compute-stop").unstarted(() -> stop(run, over));
        Runtime.getRuntime().addShutdownHook(hook);
        ComputeStatus.State state;
        try {
            state = run.run();
        } finally {
            over.countDown();
        }
        return switch (state) {
            case FENCED -> ShimCommand.EXIT_FENCED;
            case FAILED, PROMOTED -> 1;
            case STARTING, RUNNING, STOPPED -> 0;
        };
    }

    private static void stop(ComputeRun run, CountDownLatch over) {
        try {
            run.stop();
            if (!over.await(STOP_SECONDS, TimeUnit.SECONDS)) {
                log.warn("the compute did not stop in time");
            }
        } catch (IOException e) {
            log.error("stopping the compute", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(0);
    }
}
