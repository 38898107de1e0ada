package io.tidemark.bench;

import io.tidemark.bench.commit.CommitCommand;
import io.tidemark.bench.compute.ComputeCommand;
import io.tidemark.bench.decode.DecodeCommand;
import io.tidemark.bench.idle.IdleCommand;
import io.tidemark.bench.ingest.IngestCommand;
import io.tidemark.bench.junit.JunitCommand;
import io.tidemark.bench.pages.GetPageCommand;
import io.tidemark.bench.push.PushCommand;
import io.tidemark.bench.read.ReadCommand;
import io.tidemark.bench.redo.RedoCommand;
import io.tidemark.bench.start.StartCommand;
import io.tidemark.bench.storage.StorageCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code tidemark bench}: the root of the benchmarks; knows its subcommands and nothing else. */
@Command(
        name = "tidemark bench",
        mixinStandardHelpOptions = true,
        description = "Measure Tidemark beside a peer that does the same work, in the same run.",
        footer = {
            "",
            "Contenders take turns; a ratio is the median of the ratios of each round. docs/performance.md says what was seen.",
            "Exit codes: 0 measured (whatever the numbers), 1 it could not be measured, 2 wrong command line."
        },
        subcommands = {
            CommitCommand.class,
            PushCommand.class,
            ReadCommand.class,
            IdleCommand.class,
            DecodeCommand.class,
            RedoCommand.class,
            IngestCommand.class,
            GetPageCommand.class,
            StorageCommand.class,
            StartCommand.class,
            ComputeCommand.class,
            JunitCommand.class,
            CommandLine.HelpCommand.class
        })
public final class BenchCommand {
    private BenchCommand() {}

    public static void main(String[] args) {
        System.exit(run(args));
    }

    /** Runs one command line and returns its exit code. */
    public static int run(String... args) {
        return new CommandLine(new BenchCommand())
                .setExecutionExceptionHandler((failure, commandLine, parsed) -> {
                    commandLine.getErr().println(commandLine.getCommandName() + ": " + failure);
                    return 1;
                })
                .execute(args);
    }
}
