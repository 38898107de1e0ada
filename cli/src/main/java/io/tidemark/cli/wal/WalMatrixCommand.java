package io.tidemark.cli.wal;

import io.tidemark.cli.workload.WalMaker;
import io.tidemark.pageserver.pgcontrol.InvalidControlFileException;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.wal.InvalidWalException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tidemark wal matrix}: makes and verifies WAL of every version, and prints what redo can do. */
@Command(
        name = "matrix",
        mixinStandardHelpOptions = true,
        description = "Make and verify WAL of PostgreSQL 14 to 18, and print docs/support-matrix.md.",
        footer = {
            "",
            "Takes some minutes and some gigabytes in a temporary directory.",
            "Exit codes: 0 all is well, 1 a page differs or an operation was not reached, 2 wrong command line."
        })
final class WalMatrixCommand implements Callable<Integer> {
    @Spec
    @Nullable
    CommandSpec spec;

    @Option(names = "--rows", paramLabel = "N", description = "How much the workload does (default: ${DEFAULT-VALUE}).")
    int rows = 1000;

    @Override
    public Integer call() throws InterruptedException {
        CommandSpec injected = Objects.requireNonNull(spec, "picocli injects it");
        PrintWriter err = injected.commandLine().getErr();
        SupportMatrix matrix = new SupportMatrix();
        boolean clean = true;
        try {
            for (int major = PgVersion.OLDEST_MAJOR; major <= PgVersion.NEWEST_MAJOR; major++) {
                WalVerification.Result result = run(major);
                matrix.add(major, result);
                List<String> missing = SupportMatrix.missing(major, result.report());
                result.report().findings().forEach(err::println);
                if (!missing.isEmpty()) {
                    err.println("PostgreSQL " + major + " did not write " + String.join(", ", missing));
                }
                clean &= missing.isEmpty() && result.isClean(false);
            }
        } catch (IOException | SQLException | InvalidWalException | InvalidControlFileException e) {
            err.println("tidemark wal matrix: " + e.getMessage());
            return 1;
        }
        injected.commandLine().getOut().print(matrix.toMarkdown());
        injected.commandLine().getOut().flush();
        return clean ? 0 : 1;
    }

    private WalVerification.Result run(int major)
            throws IOException, InterruptedException, SQLException, InvalidWalException, InvalidControlFileException {
        Path scratch = ServerUser.current().scratchDirectory("tidemark-matrix-");
        WalMaker maker = new WalMaker(scratch);
        try {
            maker.make(PostgresArchives.configured().require(major), false, Map.of(), WalMaker.everything(rows, true));
            return new WalVerification(maker.walDirectory(), maker.base(), maker.dataDir(), major, false, 3).run();
        } finally {
            maker.delete();
        }
    }
}
