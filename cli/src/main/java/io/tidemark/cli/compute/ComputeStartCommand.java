package io.tidemark.cli.compute;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.Readers;
import io.tidemark.cli.storage.StorageDirectory;
import java.io.IOException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidemark compute start}. */
@Command(
        name = "start",
        mixinStandardHelpOptions = true,
        description =
                "Build a data directory from a branch and start a PostgreSQL on it; a compute that wrote before is fenced.",
        footer = {
            "",
            "With --read-only and --replica any number can run beside the one that writes, each with a name. What those with",
            "--read-only show is kept from garbage collection as long as they run. A PostgreSQL that is left of a compute whose",
            "process was killed is ended first.",
            "Exit codes: 0 commits go through, or it can be read, 1 it failed or runs already, 2 wrong command line."
        })
final class ComputeStartCommand extends StorageCommand {
    @Mixin
    ComputeFlags flags = new ComputeFlags();

    @Option(names = "--read-only", description = "A PostgreSQL that shows the branch as it was at some time.")
    boolean readOnly;

    @Option(
            names = "--replica",
            description =
                    "A PostgreSQL that shows the branch as it is written: a hot standby that streams from the safekeepers.")
    boolean replica;

    @Option(
            names = "--at",
            paramLabel = "TIME",
            description = "With --read-only: an LSN (0/16B3748), a time (2026-11-26T10:15:30Z), so long ago (-10m), a"
                    + " restore point (point:NAME), or head (default: head).")
    @Nullable
    String at;

    @Override
    int run(StorageDirectory directory, Terminal terminal) throws IOException, InterruptedException {
        if (readOnly && replica) {
            throw new IllegalArgumentException("--read-only stays where it is, and --replica goes on: choose one");
        }
        if (readOnly) {
            BranchTime time = BranchTime.parse(at == null ? "head" : at, Instant.now());
            return flags.start(
                    directory,
                    new Readers(directory).define(directory.branches().require(flags.branch), flags.name, time),
                    terminal);
        }
        if (at != null) {
            throw new IllegalArgumentException("--at goes with --read-only; the others go on at the head");
        }
        if (replica) {
            Branch branch = directory.branches().require(flags.branch);
            return flags.start(directory, new Readers(directory).defineReplica(branch, flags.name), terminal);
        }
        return flags.start(directory, terminal);
    }
}
