package io.tidemark.cli.wal;

import io.tidemark.cli.TokenFile;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tidemark wal dump}: prints records, or counts them. */
@Command(
        name = "dump",
        mixinStandardHelpOptions = true,
        description = "Print the records of a WAL directory, a segment or a running safekeeper, like pg_waldump.",
        footer = {
            "",
            "From a safekeeper comes what is committed when the command starts.",
            "Every record's CRC and back link are checked. Zeros or a recycled segment after the last record are an ordinary",
            "end of WAL and are mentioned on standard error.",
            "Exit codes: 0 all is well, 1 the WAL is damaged or cannot be read, 2 wrong command line."
        })
public final class WalDumpCommand implements Callable<Integer> {
    private static final int OUTPUT_CHUNK = 1 << 16;

    @Spec
    @Nullable
    CommandSpec spec;

    @Parameters(
            arity = "0..1",
            paramLabel = "PATH",
            description = "A directory of WAL segments (.partial ones too), or one segment.")
    @Nullable
    Path path;

    @Option(
            names = "--safekeeper",
            paramLabel = "HOST:PORT",
            description =
                    "Instead of PATH: a running safekeeper's PostgreSQL port; with --tenant-id and --timeline-id.")
    @Nullable
    String safekeeper;

    @Option(
            names = "--auth-token-file",
            paramLabel = "FILE",
            description = "The first line is the token to show to a safekeeper that asks for one.")
    @Nullable
    Path authTokenFile;

    @Option(names = "--tenant-id", paramLabel = "HEX", description = "32 hex digits.")
    @Nullable
    String tenantId;

    @Option(names = "--timeline-id", paramLabel = "HEX", description = "32 hex digits.")
    @Nullable
    String timelineId;

    @Option(names = "--start", paramLabel = "LSN", description = "Pass over records that start before this position.")
    @Nullable
    String start;

    @Option(names = "--end", paramLabel = "LSN", description = "Stop before the first record that ends after this.")
    @Nullable
    String end;

    @Option(names = "--json", description = "One JSON object per line.")
    boolean json;

    @Option(
            names = "--stats",
            arity = "0..1",
            fallbackValue = "rmgr",
            paramLabel = "record",
            description = "Counts and sizes instead of records: per resource manager, or with =record per operation.")
    @Nullable
    String stats;

    @Option(names = "--quiet", description = "Check everything, print nothing.")
    boolean quiet;

    @Option(
            names = "--pg",
            paramLabel = "MAJOR",
            description = "14 to 18: refuse WAL of another version (default: that of the first page header).")
    int pgMajor;

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter err = requireSpec().commandLine().getErr();
        Lsn startLsn = parseLsn("--start", start);
        Lsn endLsn = parseLsn("--end", end);
        if (pgMajor != 0 && (pgMajor < PgVersion.OLDEST_MAJOR || pgMajor > PgVersion.NEWEST_MAJOR)) {
            throw wrongUsage("--pg must be from 14 to 18");
        }
        if (stats != null && !stats.equals("rmgr") && !stats.equals("record")) {
            throw wrongUsage("--stats takes nothing, or record");
        }
        if (startLsn != null && endLsn != null && endLsn.isBefore(startLsn)) {
            throw wrongUsage("--end is before --start");
        }
        if ((path == null) == (safekeeper == null)) {
            throw wrongUsage("either a PATH or --safekeeper is needed");
        }
        try {
            Path files = path;
            WalDump.Ending ending = files != null
                    ? dumpFiles(files, startLsn, endLsn)
                    : dumpSafekeeper(Objects.requireNonNull(safekeeper), startLsn, endLsn);
            if (!ending.remark().isEmpty()) {
                err.println("end of WAL at " + ending.position() + ": " + ending.remark());
            }
            return 0;
        } catch (IOException | InvalidWalException e) {
            err.println("tidemark wal dump: " + e.getMessage());
            return 1;
        }
    }

    private WalDump.Ending dumpFiles(Path from, @Nullable Lsn startLsn, @Nullable Lsn endLsn)
            throws IOException, InvalidWalException {
        try (SegmentFiles files = SegmentFiles.at(from)) {
            int major = pgMajor != 0 ? pgMajor : files.pgMajor();
            WalDump dump = new WalDump(
                    files,
                    files.segmentSizeBytes(),
                    major,
                    startLsn != null ? startLsn.max(files.start()) : files.start(),
                    endLsn,
                    files::hasValidSegmentAfter);
            return dump.walk(sink(major));
        }
    }

    private WalDump.Ending dumpSafekeeper(String address, @Nullable Lsn startLsn, @Nullable Lsn endLsn)
            throws IOException, InvalidWalException, InterruptedException {
        try (SafekeeperWal wal = SafekeeperWal.open(addressOf(address), timeline())) {
            int major = pgMajor != 0 ? pgMajor : wal.pgMajor();
            Lsn end = endLsn != null ? endLsn : wal.end();
            // All of it is committed: an end of WAL before the end is damage, whatever its bytes look like.
            WalDump dump = new WalDump(
                    wal,
                    wal.segmentSizeBytes(),
                    major,
                    startLsn != null ? startLsn.max(wal.start()) : wal.start(),
                    end,
                    position -> position.isBefore(wal.end()));
            return dump.walk(sink(major));
        }
    }

    private SafekeeperAddress addressOf(String text) throws IOException {
        try {
            List<SafekeeperAddress> addresses = SafekeeperAddress.parseList(text);
            if (addresses.size() == 1) {
                return SafekeeperAddress.withToken(
                                addresses, TokenFile.read(authTokenFile).orElse(null))
                        .getFirst();
            }
            throw wrongUsage("--safekeeper takes one address");
        } catch (IllegalArgumentException e) {
            throw wrongUsage("--safekeeper: " + e.getMessage());
        }
    }

    private TenantTimelineId timeline() {
        if (tenantId == null || timelineId == null) {
            throw wrongUsage("--safekeeper needs --tenant-id and --timeline-id");
        }
        try {
            return new TenantTimelineId(TenantId.parse(tenantId), TimelineId.parse(timelineId));
        } catch (IllegalArgumentException e) {
            throw wrongUsage(String.valueOf(e.getMessage()));
        }
    }

    private RecordSink sink(int major) {
        PrintWriter out = requireSpec().commandLine().getOut();
        if (quiet) {
            return new Quiet();
        }
        if (stats != null) {
            return new Counting(out, new RecordStatistics(major, stats.equals("record")), json);
        }
        return new Printing(out, major, json);
    }

    private @Nullable Lsn parseLsn(String option, @Nullable String text) {
        try {
            return text == null ? null : Lsn.parse(text);
        } catch (IllegalArgumentException e) {
            throw wrongUsage(option + ": " + e.getMessage());
        }
    }

    private ParameterException wrongUsage(String message) {
        return new ParameterException(requireSpec().commandLine(), message);
    }

    private CommandSpec requireSpec() {
        return Objects.requireNonNull(spec, "picocli injects it");
    }

    private static final class Quiet implements RecordSink {
        @Override
        public void accept(WalRecord record) {}

        @Override
        public void finish() {}
    }

    /** Prints each record, in chunks: a line at a time would spend more on the terminal than on decoding. */
    private static final class Printing implements RecordSink {
        private final PrintWriter out;
        private final RecordText text;
        private final @Nullable RecordJson json;
        private final StringBuilder pending = new StringBuilder();

        Printing(PrintWriter out, int major, boolean json) {
            this.out = out;
            this.text = new RecordText(major);
            this.json = json ? new RecordJson(major) : null;
        }

        @Override
        public void accept(WalRecord record) throws IOException {
            if (json != null) {
                json.append(pending, record);
            } else {
                text.append(pending, record);
            }
            pending.append('\n');
            if (pending.length() >= OUTPUT_CHUNK) {
                finish();
            }
        }

        @Override
        public void finish() throws IOException {
            out.append(pending);
            pending.setLength(0);
            if (out.checkError()) {
                throw new IOException("cannot write the output");
            }
        }
    }

    private static final class Counting implements RecordSink {
        private final PrintWriter out;
        private final RecordStatistics statistics;
        private final boolean json;

        Counting(PrintWriter out, RecordStatistics statistics, boolean json) {
            this.out = out;
            this.statistics = statistics;
            this.json = json;
        }

        @Override
        public void accept(WalRecord record) {
            statistics.add(record);
        }

        @Override
        public void finish() {
            StringBuilder table = new StringBuilder();
            if (json) {
                statistics.appendJson(table);
            } else {
                statistics.appendTable(table);
            }
            out.append(table).flush();
        }
    }
}
