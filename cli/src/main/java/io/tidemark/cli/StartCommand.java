package io.tidemark.cli;

import io.tidemark.cli.cluster.ClusterDirectory;
import io.tidemark.cli.cluster.ProcessCluster;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tidemark start}: brings a local cluster up in the background. */
@Command(
        name = "start",
        mixinStandardHelpOptions = true,
        description = "Start a local cluster: three safekeepers, a PostgreSQL and its shim, as processes of their own.",
        footer = {"", "Exit codes: 0 commits go through, 1 it failed or runs already, 2 wrong command line."})
final class StartCommand implements Callable<Integer> {
    static final String DEFAULT_DIRECTORY = ".tidemark";

    @Spec
    @Nullable
    CommandSpec spec;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            defaultValue = DEFAULT_DIRECTORY,
            description = "Where the cluster lives; made when it does not exist (default: ${DEFAULT-VALUE}).")
    Path dir = Path.of(DEFAULT_DIRECTORY);

    @Mixin
    ClusterFlags flags = new ClusterFlags();

    @Override
    public Integer call() throws InterruptedException {
        Terminal terminal = Terminal.of(spec);
        try {
            ProcessCluster cluster = new ProcessCluster(ClusterDirectory.openOrCreate(dir, flags.options()));
            cluster.start();
            PrintWriter out = terminal.out();
            out.println("A cluster runs in " + cluster.directory().layout().root() + ".");
            terminal.printConnection(cluster.postgres());
            out.println("Logs: " + cluster.directory().layout().root().resolve("log") + ", "
                    + cluster.postgres().logFile());
            out.flush();
            return 0;
        } catch (IOException e) {
            return terminal.fail("start", e);
        }
    }
}
