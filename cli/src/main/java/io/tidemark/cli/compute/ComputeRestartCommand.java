package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.Readers;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code tidemark compute restart}. */
@Command(
        name = "restart",
        mixinStandardHelpOptions = true,
        description =
                "Stop a compute of a branch and start it again, on a data directory built anew; one that only reads"
                        + " shows the same again.",
        footer = {"", "Exit codes: 0 commits go through, or it can be read, 1 it failed, 2 wrong command line."})
final class ComputeRestartCommand extends StorageCommand {
    @Mixin
    ComputeFlags flags = new ComputeFlags();

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        directory.branches().require(flags.branch);
        Computes computes = new Computes(directory);
        if (flags.name == null) {
            computes.stop(flags.branch);
        } else {
            computes.stop(new Readers(directory).require(flags.branch, flags.name));
        }
        return flags.start(directory, terminal);
    }
}
