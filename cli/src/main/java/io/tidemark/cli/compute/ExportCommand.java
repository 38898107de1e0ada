package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.BranchExport;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.wire.id.Lsn;
import java.io.Console;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tidemark export}: a branch as a plain data directory. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        description =
                "Write a branch, as it is at some time, as a data directory that PostgreSQL starts on without tidemark.",
        footer = {
            "",
            "PostgreSQL's configuration is not part of it. Exit codes: 0 it is on disk, 1 it failed, 2 wrong command line."
        })
public final class ExportCommand extends StorageCommand {
    private static final long SHOW_EVERY_BYTES = 16 << 20;

    @Parameters(index = "0", paramLabel = "BRANCH", description = "Which branch.")
    String branch = "";

    @Parameters(index = "1", paramLabel = "DIR", description = "Where to; must not exist or be empty.")
    Path target = Path.of("unset");

    @Option(
            names = "--at",
            paramLabel = "TIME",
            defaultValue = "head",
            description = "An LSN, a time, so long ago (-10m), a restore point (point:NAME), or head (default: head).")
    String at = "head";

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        Branch found = directory.branches().require(branch);
        boolean show = !json
                && Optional.ofNullable(System.console())
                        .map(Console::isTerminal)
                        .orElse(false);
        long[] last = {0};
        LongConsumer progress = bytes -> {
            if (show && bytes - last[0] >= SHOW_EVERY_BYTES) {
                last[0] = bytes;
                terminal.out().print("\r  " + (bytes >> 20) + " MB");
                terminal.out().flush();
            }
        };
        Lsn lsn = BranchExport.run(directory, found, BranchTime.parse(at, Instant.now()), target, progress);
        if (json) {
            terminal.out()
                    .println(json(Map.of("branch", branch, "lsn", lsn.toString(), "directory", target.toString())));
        } else {
            terminal.out()
                    .println((show ? "\r" : "") + "Branch " + branch + " at " + lsn + " is in " + target
                            + "; PostgreSQL " + found.pgMajor() + " starts on it.");
        }
        return 0;
    }
}
