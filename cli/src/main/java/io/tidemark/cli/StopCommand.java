package io.tidemark.cli;

import io.tidemark.cli.cluster.ClusterDirectory;
import io.tidemark.cli.cluster.ProcessCluster;
import java.io.IOException;
import java.nio.file.Path;
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
        description = "Stop a local cluster: PostgreSQL, its shim, the safekeepers.",
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
            List<String> killed = new ProcessCluster(ClusterDirectory.open(dir)).stop();
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
