package io.tidemark.cli;

import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.storage.StorageStatus;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** {@code tidemark status}: one row per server of a local cluster. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = "Show a local cluster: who runs, terms, LSNs.",
        footer = {
            "",
            "LSN: a safekeeper's commit_lsn, the pageserver's last_record_lsn, where a compute's data directory was built.",
            "Exit codes: 0 the storage runs, 1 some of it does not or there is no cluster, 2 wrong command line."
        })
final class StatusCommand implements Callable<Integer> {
    @Spec
    @Nullable
    CommandSpec spec;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            defaultValue = StartCommand.DEFAULT_DIRECTORY,
            description = "Where the cluster lives (default: ${DEFAULT-VALUE}).")
    Path dir = Path.of(StartCommand.DEFAULT_DIRECTORY);

    @Option(
            names = "--branch",
            paramLabel = "NAME",
            defaultValue = StorageDirectory.MAIN,
            description = "Whose LSNs to show (default: ${DEFAULT-VALUE}).")
    String branch = StorageDirectory.MAIN;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Override
    public Integer call() throws InterruptedException {
        Terminal terminal = Terminal.of(spec);
        try {
            StorageStatus status = StorageStatus.of(StorageDirectory.open(dir), branch);
            if (json) {
                terminal.out()
                        .println(JsonMapper.builder()
                                .enable(SerializationFeature.INDENT_OUTPUT)
                                .build()
                                .writeValueAsString(status));
            } else {
                print(status, terminal.out());
            }
            return status.storageRuns() ? 0 : 1;
        } catch (IOException e) {
            return terminal.fail("status", e);
        }
    }

    private static void print(StorageStatus status, PrintWriter out) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("SERVER", "STATE", "PID", "ADDRESS", "TERM", "FLUSH_LSN", "LSN"));
        for (StorageStatus.Server server : status.servers()) {
            rows.add(List.of(
                    server.name(),
                    server.state(),
                    server.pid(),
                    server.address(),
                    server.term(),
                    server.flushLsn(),
                    server.lsn()));
        }
        out.println(status.directory() + ", branch " + status.branch());
        Terminal.table(rows).forEach(out::println);
        status.imports().forEach(each -> out.println("Branch " + each.branch() + " " + each.text() + "."));
    }
}
