package io.tidemark.cli;

import io.tidemark.cli.follow.Imports;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.ComputeStatus;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.storage.StorageProcesses;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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
        description =
                "Start a local cluster: three safekeepers, a pageserver, and a PostgreSQL on branch main, as processes.",
        footer = {"", "What runs already stays. Exit codes: 0 commits go through, 1 it failed, 2 wrong command line."})
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

    @Option(names = "--no-compute", description = "Start the storage, and no PostgreSQL.")
    boolean noCompute;

    @Option(
            names = "--no-main",
            description = "Start the storage only, and make no branch main: for tidemark import --branch main.")
    boolean noMain;

    @Override
    public Integer call() throws InterruptedException {
        Terminal terminal = Terminal.of(spec);
        try {
            StorageDirectory directory = StorageDirectory.openOrCreate(dir, flags.options());
            new StorageProcesses(directory).start();
            Branches branches = new Branches(directory);
            branches.sweep();
            if (!noMain) {
                branches.createMain();
            }
            PrintWriter out = terminal.out();
            out.println("Storage runs in " + directory.layout().root() + ": " + flags.safekeepers()
                    + " safekeepers, a pageserver (psql -h 127.0.0.1 -p "
                    + directory.config().pageserverPgPort() + " -c 'SHOW lsns').");
            out.flush();
            List<String> following = new Imports(directory).launchAll();
            for (String branch : following) {
                out.println("Branch " + branch + " follows the server that it is imported from.");
            }
            boolean hasMain = directory.branches().find(StorageDirectory.MAIN).isPresent();
            if (!noCompute && hasMain && !following.contains(StorageDirectory.MAIN)) {
                startMain(directory, terminal);
            } else if (!hasMain) {
                out.println(
                        "There is no branch main: tidemark import --branch main makes one of a server, tidemark compute"
                                + " start --branch NAME runs another branch.");
            }
            out.println("Logs: " + directory.layout().root().resolve("log"));
            out.flush();
            return 0;
        } catch (IOException e) {
            return terminal.fail("start", e);
        }
    }

    private void startMain(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        Computes computes = new Computes(directory);
        int port;
        if (computes.isRunning(StorageDirectory.MAIN)) {
            port = computes.status(StorageDirectory.MAIN)
                    .map(ComputeStatus::port)
                    .orElse(0);
        } else {
            port = computes.start(StorageDirectory.MAIN, flags.options().postgresPort(), Map.of(), phase -> {})
                    .port();
        }
        terminal.out().println("A PostgreSQL on branch main takes commits.");
        terminal.printConnection(port);
    }
}
