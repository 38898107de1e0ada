package io.tidemark.cli.wal;

import io.tidemark.pageserver.pgcontrol.InvalidControlFileException;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.wal.InvalidWalException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tidemark wal verify}: replays WAL and compares each page with the one PostgreSQL put into the record. */
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        description = "Replay WAL written with wal_consistency_checking and compare every page with PostgreSQL's.",
        footer = {
            "",
            "Prints records and blocks per resource manager and operation: restored (from an image), compared, seeded (nothing",
            "was known of the page; proves nothing), unchecked (no image to compare with), unsupported (no redo), mismatches,",
            "known (differences that PostgreSQL has from itself: a flag of GiST DELETE, maps copied by CREATE DATABASE).",
            "Exit codes: 0 all is well, 1 a page differs, redo is missing, or the WAL is damaged, 2 wrong command line."
        })
final class WalVerifyCommand implements Callable<Integer> {
    @Spec
    @Nullable
    CommandSpec spec;

    @Parameters(
            arity = "1",
            paramLabel = "DIR",
            description = "A directory of WAL segments, or one with a pg_wal in it.")
    @Nullable
    Path path;

    @Option(
            names = "--pg",
            paramLabel = "MAJOR",
            description = "14 to 18: refuse WAL of another version (default: that of the first page header).")
    int pgMajor;

    @Option(
            names = "--base",
            paramLabel = "DATADIR",
            description = "A copy of the data directory after a clean stop: replay starts at its checkpoint.")
    @Nullable
    Path base;

    @Option(
            names = "--final",
            paramLabel = "DATADIR",
            description =
                    "The data directory after a clean stop at the end of the WAL: every block is compared with it.")
    @Nullable
    Path end;

    @Option(names = "--neon", description = "The WAL is of a compute with Neon's extension.")
    boolean neon;

    @Option(names = "--allow-unsupported", description = "Records without redo are counted, and no failure.")
    boolean allowUnsupported;

    @Option(
            names = "--show",
            paramLabel = "N",
            description = "Print the first N differences of each operation (default: ${DEFAULT-VALUE}).")
    int show = 3;

    @Option(names = "--json", description = "One JSON object.")
    boolean json;

    @Override
    public Integer call() {
        CommandSpec injected = Objects.requireNonNull(spec, "picocli injects it");
        if (pgMajor != 0 && (pgMajor < PgVersion.OLDEST_MAJOR || pgMajor > PgVersion.NEWEST_MAJOR)) {
            throw new ParameterException(injected.commandLine(), "--pg must be from 14 to 18");
        }
        PrintWriter err = injected.commandLine().getErr();
        Path given = Objects.requireNonNull(path);
        Path wal = Files.isDirectory(given.resolve("pg_wal")) ? given.resolve("pg_wal") : given;
        WalVerification verification = new WalVerification(wal, base, end, pgMajor, neon, show);
        try {
            WalVerification.Result result = verification.run();
            StringBuilder text = new StringBuilder();
            VerifyOutput output = new VerifyOutput(result.report(), result.comparison());
            if (json) {
                output.appendJson(text);
            } else {
                output.appendText(text);
            }
            injected.commandLine().getOut().print(text);
            injected.commandLine().getOut().flush();
            err.println("replayed from " + result.start() + " to " + result.end());
            return result.isClean(allowUnsupported) ? 0 : 1;
        } catch (IOException | InvalidWalException | InvalidControlFileException e) {
            err.println("tidemark wal verify: " + e.getMessage());
            return 1;
        }
    }
}
