package io.tidemark.cli;

import io.tidemark.cli.compute.BranchCommand;
import io.tidemark.cli.compute.ComputeCommand;
import io.tidemark.cli.compute.ExportCommand;
import io.tidemark.cli.compute.ImportCommand;
import io.tidemark.cli.compute.PsqlCommand;
import io.tidemark.cli.page.KeysCommand;
import io.tidemark.cli.page.LayerCommand;
import io.tidemark.cli.page.PageCommand;
import io.tidemark.cli.page.TimelineCommand;
import io.tidemark.cli.wal.WalCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The root of the command line; knows its subcommands and nothing else. */
@Command(
        name = "tidemark",
        mixinStandardHelpOptions = true,
        version = "tidemark 0.1.0",
        description = "A storage tier for PostgreSQL.",
        footer = {"", "tidemark bench --help: measurements beside peers, from a source tree."},
        subcommands = {
            DemoCommand.class,
            StartCommand.class,
            StopCommand.class,
            StatusCommand.class,
            BranchCommand.class,
            ComputeCommand.class,
            PsqlCommand.class,
            ImportCommand.class,
            ExportCommand.class,
            SafekeeperCommand.class,
            PageserverCommand.class,
            ShimCommand.class,
            WalCommand.class,
            TimelineCommand.class,
            PageCommand.class,
            KeysCommand.class,
            LayerCommand.class,
            TokenCommand.class,
            SimCommand.class,
            CommandLine.HelpCommand.class
        })
public final class TidemarkCommand {
    private TidemarkCommand() {}

    public static void main(String[] args) {
        System.exit(run(args));
    }

    /** Runs one command line and returns its exit code. */
    public static int run(String... args) {
        return commandLine().execute(args);
    }

    /** The whole command line, for those who want to hear what it says. */
    public static CommandLine commandLine() {
        return new CommandLine(new TidemarkCommand());
    }
}
