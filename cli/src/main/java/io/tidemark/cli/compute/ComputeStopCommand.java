package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tidemark compute stop}. */
@Command(
        name = "stop",
        mixinStandardHelpOptions = true,
        description =
                "Stop the compute of a branch. What it committed is in storage; its data directory is of no use any more.",
        footer = {"", "Exit codes: 0 it does not run any more, 1 it failed, 2 wrong command line."})
final class ComputeStopCommand extends StorageCommand {
    @Option(
            names = "--branch",
            paramLabel = "NAME",
            defaultValue = StorageDirectory.MAIN,
            description = "Which branch (default: ${DEFAULT-VALUE}).")
    String branch = StorageDirectory.MAIN;

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        directory.branches().require(branch);
        boolean orderly = new Computes(directory).stop(branch);
        terminal.out().println(orderly ? "Stopped." : "Stopped; it did not go down in time and was killed.");
        return 0;
    }
}
