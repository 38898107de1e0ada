package io.tidemark.cli.wal;

import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.pageserver.verify.ControlFile;
import io.tidemark.pageserver.verify.Finding;
import io.tidemark.pageserver.verify.RelationFiles;
import io.tidemark.pageserver.verify.WalVerifier;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
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
            "known (a flag of GiST DELETE in which PostgreSQL differs from itself).",
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
        try (SegmentFiles files = SegmentFiles.at(wal);
                RelationFiles baseFiles = base == null ? null : RelationFiles.of(base)) {
            return verify(files, baseFiles, injected.commandLine().getOut(), err);
        } catch (IOException | InvalidWalException e) {
            err.println("tidemark wal verify: " + e.getMessage());
            return 1;
        }
    }

    private int verify(SegmentFiles files, @Nullable RelationFiles baseFiles, PrintWriter out, PrintWriter err)
            throws IOException, InvalidWalException {
        int major = pgMajor != 0 ? pgMajor : files.pgMajor();
        Lsn start = files.start();
        boolean hintBitsLogged = true;
        if (base != null) {
            ControlFile control = ControlFile.of(base);
            if (!control.isShutDown()) {
                throw new IOException(base + " was not shut down cleanly, replay cannot start from it");
            }
            start = control.redo();
            hintBitsLogged = control.hintBitsLogged();
        }
        WalVerifier verifier = new WalVerifier(
                baseFiles, new RedoRules(major, neon ? WalFlavour.NEON : WalFlavour.STOCK, hintBitsLogged), show);
        WalDump walk = new WalDump(files, files.segmentSizeBytes(), major, start, null, files::hasValidSegmentAfter);
        WalDump.Ending ending = walk.walk(new RecordSink() {
            @Override
            public void accept(WalRecord record) throws IOException, InvalidWalException {
                verifier.accept(record);
            }

            @Override
            public void finish() {}
        });
        for (Finding finding : verifier.findings()) {
            out.println(finding);
        }
        StringBuilder table = new StringBuilder();
        VerifyTable verifyTable = new VerifyTable(verifier.counts());
        if (json) {
            verifyTable.appendJson(table);
        } else {
            verifyTable.appendText(table);
        }
        out.print(table);
        out.flush();
        err.println("replayed from " + start + " to " + ending.position());
        boolean failed = verifier.mismatches() > 0 || verifier.unsupported() > 0 && !allowUnsupported;
        return failed ? 1 : 0;
    }
}
