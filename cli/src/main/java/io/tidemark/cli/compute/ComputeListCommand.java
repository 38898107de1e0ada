package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.ComputeStatus;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.Reader;
import io.tidemark.cli.storage.Readers;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tidemark compute list}. */
@Command(name = "list", mixinStandardHelpOptions = true, description = "List the computes of all branches.")
final class ComputeListCommand extends StorageCommand {
    private static final String PROMOTED = ComputeStatus.State.PROMOTED.name().toLowerCase(Locale.ROOT);

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    /**
     * One row, in JSON as well.
     *
     * @param name of one that only reads; empty for the one that writes
     * @param kind {@code read-write}, or what it does instead
     */
    record Row(
            String branch,
            String name,
            String kind,
            String state,
            long pid,
            int port,
            String startLsn,
            String problem) {}

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        Computes computes = new Computes(directory);
        List<Reader> readers = new Readers(directory).all();
        List<Row> rows = new ArrayList<>();
        for (Branch branch : directory.branches().all()) {
            rows.add(row(computes, branch));
            for (Reader reader : readers) {
                if (reader.branch().equals(branch.name())) {
                    rows.add(row(computes, reader));
                }
            }
        }
        if (json) {
            terminal.out().println(json(rows));
            return 0;
        }
        List<List<String>> cells = new ArrayList<>();
        cells.add(List.of("COMPUTE", "KIND", "STATE", "PID", "PORT", "BUILT AT", "PROBLEM"));
        for (Row row : rows) {
            cells.add(List.of(
                    row.name.isEmpty() ? row.branch : Reader.id(row.branch, row.name),
                    row.kind,
                    row.state,
                    row.pid == 0 ? "" : Long.toString(row.pid),
                    row.port == 0 ? "" : Integer.toString(row.port),
                    row.startLsn,
                    row.problem));
        }
        Terminal.table(cells).forEach(terminal.out()::println);
        return 0;
    }

    private static Row row(Computes computes, Branch branch) throws IOException, InterruptedException {
        Known known = Known.of(computes, branch.name(), branch.pgMajor(), "");
        return new Row(
                branch.name(),
                "",
                "read-write",
                known.state,
                known.pid,
                branch.computePort(),
                known.startLsn,
                known.problem);
    }

    private static Row row(Computes computes, Reader reader) throws IOException, InterruptedException {
        Known known = Known.of(computes, reader.id(), reader.pgMajor(), reader.lsn());
        boolean promoted = computes.isPromoted(reader);
        return new Row(
                reader.branch(),
                reader.name(),
                reader.kind(),
                promoted ? PROMOTED : known.state,
                known.pid,
                reader.port(),
                known.startLsn,
                promoted ? "it was promoted by hand and takes writes that reach no storage: stop it" : known.problem);
    }

    /** What a compute's process says, and whether it lives. */
    private record Known(String state, long pid, String startLsn, String problem) {
        static Known of(Computes computes, String compute, int pgMajor, String defaultLsn)
                throws IOException, InterruptedException {
            Optional<ComputeStatus> status = computes.status(compute);
            boolean running = computes.isRunning(compute);
            if (status.isEmpty()) {
                return new Known(running ? "starting" : "stopped", 0, defaultLsn, "");
            }
            ComputeStatus known = status.get();
            boolean saysItLives =
                    known.state() == ComputeStatus.State.RUNNING || known.state() == ComputeStatus.State.STARTING;
            String state = running || !saysItLives ? known.state().name().toLowerCase(Locale.ROOT) : "dead";
            OptionalLong leftOver = computes.leftOverPid(compute, pgMajor);
            return new Known(
                    state,
                    running ? known.pid() : 0,
                    known.startLsn().isEmpty() ? defaultLsn : known.startLsn(),
                    leftOver.isPresent()
                            ? "its PostgreSQL goes on (pid " + leftOver.getAsLong()
                                    + ") and commits nothing: compute start or compute stop ends it"
                            : known.problem());
        }
    }
}
