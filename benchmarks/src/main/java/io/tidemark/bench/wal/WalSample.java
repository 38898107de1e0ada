package io.tidemark.bench.wal;

import io.tidemark.cli.wal.SegmentFiles;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecord;
import io.tidemark.wire.wal.WalRecordReader;
import io.tidemark.wire.wal.WalSegmentName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * WAL as a PostgreSQL 15 writes it under pgbench: first tables and indexes are filled (long records and full pages), then come
 * TPC-B transactions (short records). Version 15, because Debian's pg_waldump and pg_receivewal are, which only take their own.
 *
 * @param directory complete segments without a gap, and nothing else
 * @param startLsn the first record
 * @param endLsn the end of the last record that is no segment switch
 * @param records how many there are
 * @param recordBytes the sum of their lengths, without page headers and padding
 */
public record WalSample(Path directory, Lsn startLsn, Lsn endLsn, long records, long recordBytes) {
    /** The version of the server that writes it. */
    public static final int PG_MAJOR = 15;

    private static final int SEGMENT_BYTES = 16 << 20;
    private static final int CLIENTS = 4;
    private static final Duration STOP_DEADLINE = Duration.ofMinutes(2);
    /** The data directory is thrown away, so it need not be durable; the WAL does not depend on it. */
    private static final Map<String, String> SETTINGS = Map.of(
            "wal_keep_size", "64GB",
            "max_wal_size", "64GB",
            "checkpoint_timeout", "1h",
            "fsync", "off",
            "shared_buffers", "256MB");

    /**
     * Makes one; the server is gone afterwards.
     *
     * @param pgbench the path of the program
     * @param work an existing directory; the segments will be in {@code wal} inside it
     * @param scale pgbench's; a unit is about 13 MB of WAL
     * @param transactions of TPC-B; 100000 are about 50 MB of WAL
     */
    public static WalSample create(String pgbench, Path work, int scale, int transactions)
            throws IOException, InterruptedException, SQLException, InvalidWalException {
        try (PostgresServer server = PostgresServer.create(
                PostgresArchives.configured().require(PG_MAJOR),
                ServerUser.current(),
                work.resolve("postgres"),
                InitDbOptions.defaults())) {
            server.configure(SETTINGS);
            server.start();
            Pgbench bench = new Pgbench(pgbench, server);
            bench.initialize(scale);
            bench.runTimes(CLIENTS, Math.max(1, transactions / CLIENTS));
            Lsn end = switchSegment(server);
            server.stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
            return at(copySegments(server.dataDir().resolve("pg_wal"), work.resolve("wal"), end));
        }
    }

    private static Lsn switchSegment(PostgresServer server) throws SQLException {
        try (Connection connection = DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_switch_wal()::text")) {
            row.next();
            return Lsn.parse(row.getString(1));
        }
    }

    private static Path copySegments(Path from, Path to, Lsn end) throws IOException {
        Files.createDirectories(to);
        String last = WalSegmentName.holding(end, SEGMENT_BYTES).fileName();
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = file.getFileName().toString();
                if (WalSegmentName.find(name, SEGMENT_BYTES).isPresent() && name.compareTo(last) <= 0) {
                    Files.copy(file, to.resolve(name));
                }
            }
        }
        return to;
    }

    /**
     * One that is there already; reads it once, so that it is in the page cache.
     *
     * @throws InvalidWalException when it is not valid from end to end
     */
    public static WalSample at(Path directory) throws IOException, InvalidWalException {
        try (SegmentFiles files = SegmentFiles.at(directory)) {
            Lsn boundary = WalRecordReader.findRecordBoundary(files, files.segmentSizeBytes(), files.start())
                    .orElseThrow(() -> new IOException("no record starts in " + directory));
            WalRecordReader reader = new WalRecordReader(files, 0, files.segmentSizeBytes(), boundary);
            Lsn start = Lsn.INVALID;
            Lsn end = boundary;
            long records = 0;
            long bytes = 0;
            while (true) {
                @Nullable WalRecord record = reader.next();
                if (record == null) {
                    return new WalSample(directory, start, end, records, bytes);
                }
                if (records == 0) {
                    start = record.start();
                }
                records++;
                bytes += record.totalLength();
                Lsn recordEnd = record.end();
                // The padding after a segment switch is no WAL that anybody decodes.
                end = recordEnd.segmentOffset(files.segmentSizeBytes()) == 0 ? record.start() : recordEnd;
            }
        }
    }

    /** The WAL in bytes, page headers and padding included. */
    public long sizeBytes() {
        return endLsn.minus(startLsn);
    }

    /** In words, for a report. */
    public String describe() {
        return "%.0f MB of WAL, %,d records of %.0f bytes in the mean"
                .formatted(sizeBytes() / 1e6, records, (double) recordBytes / records);
    }
}
