package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.PageserverClient.TimelineInfo;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.storage.StorageStatus.Import;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tidemark branch list}: the tree. */
@Command(name = "list", mixinStandardHelpOptions = true, description = "Show the tree of branches.")
final class BranchListCommand extends StorageCommand {
    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    /** One branch in JSON; empty where there is nothing to say. */
    record Row(
            String branch,
            String timeline,
            String parent,
            String parentLsn,
            String lastRecordLsn,
            String minReadableLsn,
            long bytes,
            int pgMajor,
            boolean computeRuns,
            @Nullable Import follows) {}

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException {
        Map<TimelineId, TimelineInfo> timelines = new HashMap<>();
        directory.pageserver().all().forEach(info -> timelines.put(info.id(), info));
        Computes computes = new Computes(directory);
        List<Row> rows = new ArrayList<>();
        for (Branch branch : directory.branches().all()) {
            TimelineInfo info = timelines.get(branch.timelineId());
            boolean runs = computes.isRunning(branch.name());
            Import follows = Import.of(directory, branch.name()).orElse(null);
            rows.add(
                    info == null
                            ? new Row(
                                    branch.name(),
                                    branch.timeline(),
                                    "",
                                    "",
                                    follows == null ? "missing" : "being copied",
                                    "",
                                    0,
                                    branch.pgMajor(),
                                    runs,
                                    follows)
                            : new Row(
                                    branch.name(),
                                    branch.timeline(),
                                    parent(directory, info.ancestor()),
                                    info.ancestor() == null
                                            ? ""
                                            : info.ancestorLsn().toString(),
                                    info.lastRecordLsn().toString(),
                                    info.minReadableLsn().toString(),
                                    info.physicalBytes(),
                                    branch.pgMajor(),
                                    runs,
                                    follows));
        }
        if (json) {
            terminal.out().println(json(rows));
            return 0;
        }
        List<List<String>> cells = new ArrayList<>();
        cells.add(List.of("BRANCH", "LEAVES ITS PARENT AT", "LAST LSN", "OWN SIZE", "PG", "COMPUTE"));
        addChildren(cells, rows, "", 0);
        Terminal.table(cells).forEach(terminal.out()::println);
        return 0;
    }

    private static String parent(StorageDirectory directory, @Nullable TimelineId ancestor) throws IOException {
        return ancestor == null ? "" : directory.branches().nameOf(ancestor).orElse(ancestor.toString());
    }

    private static void addChildren(List<List<String>> cells, List<Row> rows, String parent, int depth) {
        List<String> names = rows.stream().map(Row::branch).toList();
        rows.stream()
                // Below a parent that has no name any more a branch is shown as a root.
                .filter(row -> parent.isEmpty() ? !names.contains(row.parent) : row.parent.equals(parent))
                .sorted(Comparator.comparing(Row::branch))
                .forEach(row -> {
                    cells.add(List.of(
                            "  ".repeat(depth) + (depth == 0 ? "" : "└ ") + row.branch,
                            row.parentLsn,
                            row.lastRecordLsn,
                            (row.bytes >> 10) + " kB",
                            Integer.toString(row.pgMajor),
                            row.follows != null ? row.follows.text() : row.computeRuns ? "runs" : ""));
                    addChildren(cells, rows, row.branch, depth + 1);
                });
    }
}
