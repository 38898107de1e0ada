package io.tidemark.cli;

import io.tidemark.cli.follow.Imports;
import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.Reader;
import io.tidemark.cli.storage.Readers;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.storage.StorageProcesses;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tidemark stop}: takes a local cluster down in order. */
@Command(
        name = "stop",
        mixinStandardHelpOptions = true,
        description =
                "Stop a local cluster: computes, what follows servers that are imported, the pageserver, the safekeepers.",
        footer = {"", "Exit codes: 0 nothing runs any more, 1 it failed or there is no cluster, 2 wrong command line."})
final class StopCommand implements Callable<Integer> {
    @Spec
    @Nullable
    CommandSpec spec;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            defaultValue = StartCommand.DEFAULT_DIRECTORY,
            description = "Where the cluster lives (default: ${DEFAULT-VALUE}).")
    Path dir = Path.of(StartCommand.DEFAULT_DIRECTORY);

    @Override
    public Integer call() throws InterruptedException {
        Terminal terminal = Terminal.of(spec);
        try {
            StorageDirectory directory = StorageDirectory.open(dir);
            List<String> killed = new ArrayList<>();
            Computes computes = new Computes(directory);
            for (Branch branch : directory.branches().all()) {
                if (!computes.stop(branch.name())) {
                    killed.add("compute-" + branch.name());
                }
            }
            for (Reader reader : new Readers(directory).all()) {
                if (!computes.stop(reader)) {
                    killed.add("compute-" + reader.id());
                }
            }
            killed.addAll(new Imports(directory).stopAll());
            killed.addAll(new StorageProcesses(directory).stop());
            terminal.out()
                    .println(
                            killed.isEmpty()
                                    ? "Stopped."
                                    : "Stopped; these did not stop in time and were killed: " + killed);
            return 0;
        } catch (IOException e) {
            return terminal.fail("stop", e);
        }
    }
}
