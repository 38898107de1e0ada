package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.Readers;
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
            description = "Which branch (default: ${DEFAULT-VALUE}); BRANCH@NAME for a compute that only reads.")
    String branch = StorageDirectory.MAIN;

    @Parameters(index = "1..*", paramLabel = "ARGUMENTS", description = "Given to psql.")
    List<String> arguments = new ArrayList<>();

    private int port(StorageDirectory directory) throws IOException {
        int at = branch.indexOf('@');
        return at < 0
                ? directory.branches().require(branch).computePort()
                : new Readers(directory)
                        .require(branch.substring(0, at), branch.substring(at + 1))
                        .port();
    }

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        int port = port(directory);
        if (!new Computes(directory).isRunning(branch)) {
            throw new ClusterException("compute " + branch + " does not run; tidemark compute start --branch "
                    + branch.replaceFirst("@", " --name "));
        }
        List<String> command =
                new ArrayList<>(List.of("psql", "-h", "127.0.0.1", "-p", Integer.toString(port), "-U", "postgres"));
        command.addAll(arguments);
        try {
            return new ProcessBuilder(command).inheritIO().start().waitFor();
        } catch (IOException e) {
            throw new ClusterException(
                    "psql is not on the PATH; any PostgreSQL client can connect to 127.0.0.1:" + port
                            + " as user postgres",
                    e);
        }
    }
}
