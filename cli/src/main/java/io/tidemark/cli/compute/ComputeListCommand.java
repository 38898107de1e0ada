package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.ComputeStatus;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tidemark compute list}. */
@Command(name = "list", mixinStandardHelpOptions = true, description = "List the computes of all branches.")
final class ComputeListCommand extends StorageCommand {
    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    /** One row, in JSON as well. */
    record Row(String branch, String state, long pid, int port, String startLsn, String problem) {}

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException {
        List<Row> rows = new ArrayList<>();
        for (Branch branch : directory.branches().all()) {
            rows.add(row(new Computes(directory), branch));
        }
        if (json) {
            terminal.out().println(json(rows));
            return 0;
        }
        List<List<String>> cells = new ArrayList<>();
        cells.add(List.of("BRANCH", "STATE", "PID", "PORT", "BUILT AT", "PROBLEM"));
        for (Row row : rows) {
            cells.add(List.of(
                    row.branch,
                    row.state,
                    row.pid == 0 ? "" : Long.toString(row.pid),
                    row.port == 0 ? "" : Integer.toString(row.port),
                    row.startLsn,
                    row.problem));
        }
        Terminal.table(cells).forEach(terminal.out()::println);
        return 0;
    }

    private static Row row(Computes computes, Branch branch) throws IOException {
        Optional<ComputeStatus> status = computes.status(branch.name());
        boolean running = computes.isRunning(branch.name());
        if (status.isEmpty()) {
            return new Row(branch.name(), running ? "starting" : "stopped", 0, branch.computePort(), "", "");
        }
        ComputeStatus known = status.get();
        boolean saysItLives =
                known.state() == ComputeStatus.State.RUNNING || known.state() == ComputeStatus.State.STARTING;
        String state = running || !saysItLives ? known.state().name().toLowerCase(Locale.ROOT) : "dead";
        return new Row(
                branch.name(),
                state,
                running ? known.pid() : 0,
                branch.computePort(),
                known.startLsn(),
                known.problem());
    }
}
