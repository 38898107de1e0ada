package io.tidemark.cli.wal;

import io.tidemark.pageserver.pgcontrol.ControlFile;
import io.tidemark.pageserver.pgcontrol.InvalidControlFileException;
import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.pageserver.verify.FinalComparison;
import io.tidemark.pageserver.verify.OpcodeCounts;
import io.tidemark.pageserver.verify.RelationFiles;
import io.tidemark.pageserver.verify.VerifyReport;
import io.tidemark.pageserver.verify.WalVerifier;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * One verification of the WAL in a directory of segments.
 *
 * @param wal the segments
 * @param base a data directory that was shut down: replay starts at its checkpoint; null: at the first record, knowing nothing
 * @param end the data directory after a clean stop at the end of the WAL, compared block by block; null for none
 * @param pgMajor 14 to 18, or 0 to believe the first page header
 * @param neon whether the WAL is of a compute with Neon's extension
 * @param maxFindings how many differences to keep of each operation
 */
public record WalVerification(
        Path wal, @Nullable Path base, @Nullable Path end, int pgMajor, boolean neon, int maxFindings) {
    /** What is compared at the end belongs to no operation, so more of it is kept. */
    private static final int FINDINGS_AT_THE_END = 10;

    /**
     * What came out.
     *
     * @param start where replay started
     * @param end where the WAL ended
     * @param comparison null when there was nothing to compare with at the end
     */
    public record Result(
            Lsn start,
            Lsn end,
            VerifyReport report,
            @Nullable FinalComparison comparison) {
        /** Whether everything is as PostgreSQL has it. */
        public boolean isClean(boolean allowUnsupported) {
            return report.total(OpcodeCounts::mismatches) == 0
                    && (allowUnsupported || report.total(OpcodeCounts::unsupported) == 0)
                    && (comparison == null || comparison.mismatches() == 0);
        }
    }

    /** Replays and compares everything. */
    public Result run() throws IOException, InvalidWalException, InvalidControlFileException {
        try (SegmentFiles files = SegmentFiles.at(wal);
                RelationFiles baseFiles = base == null ? null : RelationFiles.of(base)) {
            return run(files, baseFiles);
        }
    }

    private Result run(SegmentFiles files, @Nullable RelationFiles baseFiles)
            throws IOException, InvalidWalException, InvalidControlFileException {
        int major = pgMajor != 0 ? pgMajor : files.pgMajor();
        ControlFile control = base == null ? null : controlOf(base, major);
        Lsn start = control == null ? files.start() : control.checkPoint().redo();
        boolean checksums = control != null && control.dataChecksumVersion() != 0;
        boolean hintBitsLogged = control == null || checksums || control.walLogHints();
        RedoRules rules = new RedoRules(major, neon ? WalFlavour.NEON : WalFlavour.STOCK, hintBitsLogged);
        WalVerifier verifier = new WalVerifier(baseFiles, rules, checksums, maxFindings);
        WalDump walk = new WalDump(files, files.segmentSizeBytes(), major, start, null, files::hasValidSegmentAfter);
        WalDump.Ending ending = walk.walk(new RecordSink() {
            @Override
            public void accept(WalRecord record) throws IOException, InvalidWalException {
                verifier.accept(record);
            }

            @Override
            public void finish() {}
        });
        return new Result(start, ending.position(), verifier.report(), compareAtTheEnd(verifier, major));
    }

    private @Nullable FinalComparison compareAtTheEnd(WalVerifier verifier, int major)
            throws IOException, InvalidControlFileException {
        if (end == null) {
            return null;
        }
        controlOf(end, major);
        try (RelationFiles files = RelationFiles.of(end)) {
            return verifier.compareWith(files, maxFindings * FINDINGS_AT_THE_END);
        }
    }

    private static ControlFile controlOf(Path dataDir, int major) throws IOException, InvalidControlFileException {
        ControlFile control =
                ControlFile.read(Files.readAllBytes(dataDir.resolve("global").resolve("pg_control")), major);
        if (control.state() != ControlFile.State.SHUT_DOWN) {
            throw new IOException(dataDir + " was not shut down cleanly");
        }
        return control;
    }
}
