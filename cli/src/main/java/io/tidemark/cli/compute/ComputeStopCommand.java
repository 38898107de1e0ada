package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.Reader;
import io.tidemark.cli.storage.Readers;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
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

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "A compute of the branch that only reads, by its name.")
    @Nullable
    String name;

    @Option(names = "--remove", description = "With --name: forget it as well, with what it showed and its port.")
    boolean remove;

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        directory.branches().require(branch);
        Computes computes = new Computes(directory);
        boolean orderly;
        if (name != null) {
            Readers readers = new Readers(directory);
            Reader reader = readers.require(branch, name);
            orderly = computes.stop(reader);
            if (remove) {
                readers.remove(reader);
            }
        } else if (remove) {
            throw new IllegalArgumentException("--remove goes with --name; tidemark branch delete removes a branch");
        } else {
            orderly = computes.stop(branch);
        }
        terminal.out().println(orderly ? "Stopped." : "Stopped; it did not go down in time and was killed.");
        return 0;
    }
}
