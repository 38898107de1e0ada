package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code tidemark compute restart}. */
@Command(
        name = "restart",
        mixinStandardHelpOptions = true,
        description = "Stop the compute of a branch and start it again, on a data directory built anew.",
        footer = {"", "Exit codes: 0 commits go through, 1 it failed, 2 wrong command line."})
final class ComputeRestartCommand extends StorageCommand {
    @Mixin
    ComputeFlags flags = new ComputeFlags();

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        directory.branches().require(flags.branch);
        new Computes(directory).stop(flags.branch);
        return flags.start(directory, terminal);
    }
}
