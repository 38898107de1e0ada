package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.PageserverClient.RestorePoint;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tidemark branch points}: names in the history of a branch. */
@Command(
        name = "points",
        mixinStandardHelpOptions = true,
        description = {
            "Show the restore points of a branch and of its ancestors up to where it left them.",
            "SELECT pg_create_restore_point('NAME') makes one; --at point:NAME goes back to it."
        })
final class BranchPointsCommand extends StorageCommand {
    @Parameters(
            paramLabel = "BRANCH",
            arity = "0..1",
            description = "Which branch (default: " + StorageDirectory.MAIN + ").")
    String branch = StorageDirectory.MAIN;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    /** One point in JSON. */
    record Row(String name, String lsn, String time, String branch, String timeline) {}

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException {
        List<Row> rows = new ArrayList<>();
        for (RestorePoint point :
                new Branches(directory).restorePoints(directory.branches().require(branch))) {
            rows.add(new Row(
                    point.name(),
                    point.lsn().toString(),
                    point.time(),
                    directory
                            .branches()
                            .nameOf(point.timeline())
                            .orElse(point.timeline().toString()),
                    point.timeline().toString()));
        }
        if (json) {
            terminal.out().println(json(rows));
            return 0;
        }
        List<List<String>> cells = new ArrayList<>();
        cells.add(List.of("NAME", "LSN", "TIME", "MADE ON"));
        rows.forEach(row -> cells.add(List.of(row.name, row.lsn, row.time, row.branch)));
        Terminal.table(cells).forEach(terminal.out()::println);
        return 0;
    }
}
