package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code tidemark psql}: psql on the compute of a branch. */
@Command(
        name = "psql",
        mixinStandardHelpOptions = true,
        description =
                "Run psql on the compute of a branch; what follows the branch's name is psql's: tidemark psql main -- -c 'select 1'.")
public final class PsqlCommand extends StorageCommand {
    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "BRANCH",
            defaultValue = StorageDirectory.MAIN,
            description = "Which branch (default: ${DEFAULT-VALUE}).")
    String branch = StorageDirectory.MAIN;

    @Parameters(index = "1..*", paramLabel = "ARGUMENTS", description = "Given to psql.")
    List<String> arguments = new ArrayList<>();

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        Branch found = directory.branches().require(branch);
        if (!new Computes(directory).isRunning(branch)) {
            throw new ClusterException(
                    "the compute of branch " + branch + " does not run; tidemark compute start --branch " + branch);
        }
        List<String> command = new ArrayList<>(
                List.of("psql", "-h", "127.0.0.1", "-p", Integer.toString(found.computePort()), "-U", "postgres"));
        command.addAll(arguments);
        try {
            return new ProcessBuilder(command).inheritIO().start().waitFor();
        } catch (IOException e) {
            throw new ClusterException(
                    "psql is not on the PATH; any PostgreSQL client can connect to 127.0.0.1:" + found.computePort()
                            + " as user postgres",
                    e);
        }
    }
}
