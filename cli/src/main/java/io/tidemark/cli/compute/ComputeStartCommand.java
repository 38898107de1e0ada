package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code tidemark compute start}. */
@Command(
        name = "start",
        mixinStandardHelpOptions = true,
        description =
                "Build a data directory from a branch and start a PostgreSQL on it; a compute that ran before is fenced.",
        footer = {"", "Exit codes: 0 commits go through, 1 it failed or runs already, 2 wrong command line."})
final class ComputeStartCommand extends StorageCommand {
    @Mixin
    ComputeFlags flags = new ComputeFlags();

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        return flags.start(directory, terminal);
    }
}
