package io.tidemark.cli.wal;

import io.tidemark.cli.workload.WalMaker;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.wire.id.PgVersion;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tidemark wal make}: WAL of every kind, for {@code tidemark wal verify} to judge redo with. */
@Command(
        name = "make",
        mixinStandardHelpOptions = true,
        description = "Let a new PostgreSQL write WAL of every kind, with the page that each record should give.",
        footer = {
            "",
            "Leaves DIR/base (the cluster before), DIR/pg (after a clean stop, its whole WAL in pg_wal) and DIR/pg.log.",
            "Then: tidemark wal verify DIR/pg --base DIR/base --final DIR/pg",
            "Exit codes: 0 done, 1 it failed, 2 wrong command line."
        })
final class WalMakeCommand implements Callable<Integer> {
    @Spec
    @Nullable
    CommandSpec spec;

    @Parameters(arity = "1", paramLabel = "DIR", description = "Where to put the clusters.")
    @Nullable
    Path directory;

    @Option(names = "--pg", paramLabel = "MAJOR", description = "14 to 18 (default: ${DEFAULT-VALUE}).")
    int pgMajor = PgVersion.NEWEST_MAJOR;

    @Option(names = "--rows", paramLabel = "N", description = "How much the workload does (default: ${DEFAULT-VALUE}).")
    int rows = 2000;

    @Option(names = "--thorough", description = "Also use up a million transaction ids, which takes a while.")
    boolean thorough;

    @Option(
            names = "--bin",
            paramLabel = "BINDIR",
            description = "The programs of an installed PostgreSQL, instead of those of --pg.")
    @Nullable
    Path binaries;

    @Option(
            names = "--command",
            paramLabel = "COMMAND",
            description =
                    "A shell command to run in place of the workload; PGHOST, PGPORT and PGUSER lead to the server.")
    @Nullable
    String command;

    @Option(names = "--checksums", description = "A cluster with data checksums.")
    boolean checksums;

    @Option(
            names = "--set",
            paramLabel = "NAME=VALUE",
            description = "A setting of the server, e.g. wal_compression=lz4; may be repeated.")
    Map<String, String> settings = new LinkedHashMap<>();

    @Override
    public Integer call() throws InterruptedException {
        CommandSpec injected = Objects.requireNonNull(spec, "picocli injects it");
        if (pgMajor < PgVersion.OLDEST_MAJOR || pgMajor > PgVersion.NEWEST_MAJOR || rows < 1) {
            throw new ParameterException(
                    injected.commandLine(), "--pg must be from 14 to 18, and --rows greater than 0");
        }
        WalMaker maker = new WalMaker(Objects.requireNonNull(directory));
        PrintWriter out = injected.commandLine().getOut();
        try {
            PostgresBinaries postgres = binaries != null
                    ? PostgresBinaries.at(binaries)
                    : PostgresArchives.configured().require(pgMajor);
            WalMaker.Work work = command != null ? WalMaker.command(command) : WalMaker.everything(rows, thorough);
            maker.make(postgres, checksums, settings, work);
            out.println("tidemark wal verify " + maker.dataDir() + " --base " + maker.base() + " --final "
                    + maker.dataDir());
            return 0;
        } catch (IOException | SQLException e) {
            injected.commandLine().getErr().println("tidemark wal make: " + e.getMessage());
            return 1;
        }
    }
}
