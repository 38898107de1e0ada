package io.tidemark.cli.compute;

import picocli.CommandLine.Command;

/** {@code tidemark compute}: PostgreSQL servers that run on storage. */
@Command(
        name = "compute",
        mixinStandardHelpOptions = true,
        description =
                "Start and stop PostgreSQL servers that run on storage; each is built from its branch, and keeps nothing.",
        subcommands = {
            ComputeStartCommand.class,
            ComputeStopCommand.class,
            ComputeRestartCommand.class,
            ComputePromoteCommand.class,
            ComputeListCommand.class,
            ComputeRunCommand.class
        })
public final class ComputeCommand {
    private ComputeCommand() {}
}
