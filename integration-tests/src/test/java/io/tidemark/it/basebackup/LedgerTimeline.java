package io.tidemark.it.basebackup;

import io.tidemark.cli.wal.SegmentFiles;
import io.tidemark.pageserver.PageserverConfig;
import io.tidemark.pageserver.PageserverServer;
import io.tidemark.pageserver.basedata.DataDirectoryImport;
import io.tidemark.pageserver.pgcontrol.ControlFile;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineIngest;
import io.tidemark.pageserver.timeline.TimelineRegistry;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.runtime.time.TimeSource;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecord;
import io.tidemark.wire.wal.WalRecordReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL that has lived, and a pageserver that has ingested all its WAL: every transaction put its number into a ledger, so that
 * the WAL itself says which rows there must be at any LSN.
 */
final class LedgerTimeline implements AutoCloseable {
    static final TenantTimelineId ID =
            new TenantTimelineId(TenantId.parse("a".repeat(32)), TimelineId.parse("b".repeat(32)));

    private static final int SPACE_BEFORE_SEGMENT_END = 64;
    private static final Duration STOP_DEADLINE = Duration.ofMinutes(1);
    private static final int RM_XACT = 1;
    private static final int OPCODE = 0x70;
    private static final int COMMIT = 0x00;
    private static final int PREPARE = 0x10;
    private static final int COMMIT_PREPARED = 0x30;

    private final Path scratch;
    private final int major;
    private final int segmentBytes;
    private final PostgresServer primary;
    private final List<Logged> records = new ArrayList<>();
    private final Map<Long, Long> rowsByXid = new HashMap<>();
    private final Lsn start;
    private PageserverServer pageserver;
    private @Nullable Timeline timeline;
    private @Nullable Future<Timeline> copying;

    /** What a test needs of a record. */
    record Logged(Lsn start, Lsn end, int rmgr, int info, int xid) {
        boolean commits() {
            return rmgr == RM_XACT && (info & OPCODE) == COMMIT;
        }
    }

    /** A transaction that is prepared between two LSNs. */
    record Prepared(Lsn from, Lsn until) {}

    /** With the new cluster as the timeline's beginning. */
    LedgerTimeline(int major, boolean checksums, int segmentMb) throws Exception {
        this(major, checksums, segmentMb, false);
    }

    /** {@code whileItRuns}: the timeline begins with a copy of the primary that is taken while it keeps its ledger. */
    LedgerTimeline(int major, boolean checksums, int segmentMb, boolean whileItRuns) throws Exception {
        this.scratch = ServerUser.current().scratchDirectory("tidemark-backup-");
        this.major = major;
        this.segmentBytes = segmentMb << 20;
        this.primary = PostgresServer.create(
                binaries(),
                ServerUser.current(),
                scratch.resolve("primary"),
                new InitDbOptions("postgres", Optional.empty(), checksums, segmentMb));
        this.pageserver = startPageserver();
        ControlFile control =
                ControlFile.read(Files.readAllBytes(primary.dataDir().resolve("global/pg_control")), major);
        this.start = DataDirectoryImport.endOfCheckPointRecord(control.checkPointLsn(), segmentBytes);
        this.timeline = whileItRuns ? null : pageserver.imports().dataDirectory(ID, primary.dataDir());
        primary.configure(Map.of(
                "fsync", "off",
                "wal_keep_size", "8GB",
                "autovacuum", "off",
                "max_prepared_transactions", "5",
                "full_page_writes", "off",
                "log_checkpoints", "on"));
    }

    private PostgresBinaries binaries() throws IOException, InterruptedException {
        return PostgresArchives.configured().require(major);
    }

    private PageserverServer startPageserver() throws IOException {
        HostPort any = new HostPort("127.0.0.1", 0);
        return PageserverServer.start(
                PageserverConfig.of(scratch.resolve("pageserver"), List.of()).listeningOn(any, any));
    }

    /** What is done to the primary, on two sessions. */
    interface Work {
        void run(Connection first, Connection second) throws Exception;
    }

    /** Lets the primary keep its ledger, stops it, and ingests its WAL. */
    void live(int transactions) throws Exception {
        live((first, second) -> {
            keepLedger(first, second, transactions);
            try (Statement statement = first.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT id, xid FROM ledger")) {
                while (rows.next()) {
                    rowsByXid.merge(rows.getLong(2), rows.getLong(1), (a, b) -> {
                        throw new IllegalStateException("two rows of one transaction");
                    });
                }
            }
        });
    }

    /** Lets the primary do something else, stops it, and ingests its WAL. */
    void live(Work work) throws Exception {
        primary.start();
        try (Connection first = connect(primary);
                Connection second = connect(primary)) {
            work.run(first, second);
        }
        if (copying != null) {
            timeline = copying.get();
        }
        primary.stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
        ingest();
    }

    private void keepLedger(Connection first, Connection second, int transactions) throws SQLException {
        execute(first, "CREATE EXTENSION amcheck");
        execute(first, "CREATE TABLE ledger (id serial PRIMARY KEY, xid bigint, filler text)");
        execute(first, "CREATE INDEX ON ledger USING hash (xid)");
        execute(first, "CREATE UNLOGGED TABLE unlogged (id serial PRIMARY KEY, filler text)");
        execute(first, "CREATE TABLE prepared (id int)");
        execute(first, "CREATE DATABASE other");
        String insert = "INSERT INTO ledger (xid, filler) VALUES (txid_current(), repeat('x', %d))";
        second.setAutoCommit(false);
        for (int i = 0; i < transactions; i++) {
            execute(first, insert.formatted(i * 37 % 1500));
            execute(first, "INSERT INTO unlogged (filler) VALUES ('u')");
            if (i % 10 == 0) {
                execute(second, "ROLLBACK");
                execute(second, insert.formatted(i % 100));
            }
            if (i % 40 == 5) {
                execute(second, "COMMIT");
                execute(first, "SELECT pg_logical_emit_message(false, 't', repeat('m', " + i * 13 % 3000 + "))");
            }
            if (i == transactions / 4) {
                execute(first, "BEGIN; INSERT INTO prepared VALUES (1); PREPARE TRANSACTION 'waiting'");
            }
            if (i == transactions / 3 && timeline == null) {
                copying = copyTheRunningServer();
            }
            if (i == transactions / 2) {
                padToSegmentEnd(first, SPACE_BEFORE_SEGMENT_END);
            }
            if (i % 100 == 50) {
                execute(first, "SELECT pg_switch_wal()");
                execute(first, "UPDATE ledger SET filler = filler || 'y' WHERE id % 7 = 0");
            }
            if (i % 200 == 150) {
                execute(first, "CHECKPOINT");
            }
        }
        execute(second, "ROLLBACK");
        second.setAutoCommit(true);
        execute(first, "COMMIT PREPARED 'waiting'");
    }

    private Future<Timeline> copyTheRunningServer() {
        PgClientConfig server = PgClientConfig.of(primary.host(), primary.port(), "postgres");
        CompletableFuture<Timeline> copied = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                copied.complete(pageserver.imports().runningServer(ID, server));
            } catch (IOException | RuntimeException e) {
                copied.completeExceptionally(e);
            }
        });
        return copied;
    }

    /** Writes messages until one ends so many bytes below a segment's end, if nobody else writes meanwhile. */
    private void padToSegmentEnd(Connection connection, int space) throws SQLException {
        // XLogRecord 24, header of the data 5, xl_logical_message 24, the prefix with its end 2.
        int overhead = 55;
        String emit = "SELECT pg_logical_emit_message(false, 't', repeat('p', %d))";
        while (true) {
            int left = segmentBytes - insertLsn(connection).segmentOffset(segmentBytes);
            if (left > 7000) {
                execute(connection, emit.formatted(Math.min(left - 6000, 200_000)));
            } else if (left < 500) {
                execute(connection, emit.formatted(1000));
            } else {
                execute(connection, emit.formatted(left - space - overhead));
                return;
            }
        }
    }

    private static Lsn insertLsn(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_current_wal_insert_lsn()")) {
            row.next();
            return Lsn.parse(row.getString(1));
        }
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    static Connection connect(PostgresServer server) throws SQLException {
        return DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
    }

    private void ingest() throws Exception {
        TimelineIngest ingest = new TimelineIngest(timeline(), TimeSource.system());
        Lsn from = ingest.resume();
        try (SegmentFiles wal = SegmentFiles.at(primary.dataDir().resolve("pg_wal"))) {
            WalRecordReader reader = new WalRecordReader(wal, major, wal.segmentSizeBytes(), start);
            while (true) {
                WalRecord record;
                try {
                    record = reader.next();
                } catch (InvalidWalException e) {
                    if (!e.reason().isEndOfWal()) {
                        throw e;
                    }
                    break;
                }
                if (record == null) {
                    break;
                }
                if (record.end().isAfter(from)) {
                    ingest.ingest(record);
                }
                records.add(new Logged(record.start(), record.end(), record.rmgrId(), record.info(), record.xid()));
            }
        }
        ingest.endBatch();
    }

    /** The ids that the ledger has at an LSN, in order. */
    List<Long> rowsAt(Lsn lsn) {
        return records.stream()
                .filter(record -> record.end().isAtMost(lsn) && record.commits())
                .map(record -> rowsByXid.get((long) record.xid()))
                .filter(Objects::nonNull)
                .sorted()
                .toList();
    }

    Prepared prepared() {
        Lsn from = records.stream()
                .filter(record -> record.rmgr() == RM_XACT && (record.info() & OPCODE) == PREPARE)
                .findFirst()
                .orElseThrow()
                .end();
        Lsn until = records.stream()
                .filter(record -> record.rmgr() == RM_XACT && (record.info() & OPCODE) == COMMIT_PREPARED)
                .findFirst()
                .orElseThrow()
                .end();
        return new Prepared(from, until);
    }

    List<Logged> records() {
        return records;
    }

    int segmentBytes() {
        return segmentBytes;
    }

    int major() {
        return major;
    }

    Timeline timeline() {
        return Objects.requireNonNull(timeline, "it was not copied yet");
    }

    TimelineRegistry timelines() {
        return pageserver.timelines();
    }

    PostgresServer primary() {
        return primary;
    }

    Path scratch() {
        return scratch;
    }

    int port() {
        return pageserver.pgAddress().getPort();
    }

    /** Stops the pageserver without a flush, or after one, and starts it again. */
    void restartPageserver() throws IOException {
        pageserver.close();
        pageserver = startPageserver();
        timeline = pageserver.timelines().find(ID).orElseThrow();
    }

    /** A stock server on a directory that was brought. */
    PostgresServer serverOn(Path dataDir) throws IOException, InterruptedException {
        Files.writeString(
                dataDir.resolve("postgresql.conf"),
                "max_prepared_transactions = 5\nfsync = off\nwal_level = replica\nlog_min_messages = info\n");
        return PostgresServer.adopt(binaries(), ServerUser.current(), dataDir);
    }

    @Override
    public void close() throws IOException {
        try {
            primary.close();
        } finally {
            pageserver.close();
            try (Stream<Path> files = Files.walk(scratch)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
