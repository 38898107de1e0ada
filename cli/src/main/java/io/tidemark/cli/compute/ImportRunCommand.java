package io.tidemark.cli.compute;

import io.tidemark.cli.ShimCommand;
import io.tidemark.cli.Terminal;
import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.follow.FollowRun;
import io.tidemark.cli.storage.FollowedSource;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.shim.compute.ShimState;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tidemark import run}: the process that follows a server. */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        description = "Follow the server that a branch is imported from in this process, until it is told to stop.",
        footer = {
            "",
            "SIGTERM and SIGINT stop it in order. Exit codes: 0 stopped, 1 refused, 2 wrong command line, 3 fenced."
        })
final class ImportRunCommand extends StorageCommand {
    private static final Logger log = LoggerFactory.getLogger(ImportRunCommand.class);
    private static final long STOP_SECONDS = 20;

    @Option(
            names = "--branch",
            paramLabel = "NAME",
            defaultValue = StorageDirectory.MAIN,
            description = "Which branch (default: ${DEFAULT-VALUE}).")
    String branch = StorageDirectory.MAIN;

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        FollowedSource source = FollowedSource.find(directory.layout(), branch)
                .orElseThrow(() -> new ClusterException("branch " + branch + " is not being imported"));
        FollowRun run = new FollowRun(directory, directory.branches().require(branch), source);
        CountDownLatch over = new CountDownLatch(1);
        Runtime.getRuntime()
                .addShutdownHook(Thread.ofPlatform().name("import-stop").unstarted(() -> stop(run, over)));
        ShimState state;
        try {
            state = run.run();
        } finally {
            over.countDown();
        }
        return switch (state) {
            case FENCED -> ShimCommand.EXIT_FENCED;
            case REFUSED -> 1;
            case WAITING_FOR_POSTGRES, CHECKING, ELECTING, STARTING, STREAMING, POSTGRES_LOST, STOPPED -> 0;
        };
    }

    private static void stop(FollowRun run, CountDownLatch over) {
        try {
            run.stop();
            if (!over.await(STOP_SECONDS, TimeUnit.SECONDS)) {
                log.warn("the shim did not stop in time");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
