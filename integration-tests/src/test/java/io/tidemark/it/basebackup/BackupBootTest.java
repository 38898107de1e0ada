package io.tidemark.it.basebackup;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.it.basebackup.LedgerTimeline.Logged;
import io.tidemark.pageserver.pgcontrol.ControlFile;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.shim.datadir.DataDirectoryDownload;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.Lsn;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A data directory is fetched through the socket at LSNs of every alignment, and a stock PostgreSQL is started on it: without recovery,
 * with exactly the rows whose commit the WAL has by then.
 */
class BackupBootTest {
    private static final Logger log = LoggerFactory.getLogger(BackupBootTest.class);
    private static final Duration STOP_DEADLINE = Duration.ofMinutes(1);
    private static final int PAGE = 8192;

    /** The synthesised record: 114 bytes, padded. */
    private static final int RECORD = 120;

    private static final int LONG_HEADER = 40;

    private final EventLoops loops = new EventLoops("test-client");

    @AfterEach
    void close() {
        loops.close();
    }

    @Test
    void aStockServerStartsAtTheLsn() throws Exception {
        try (LedgerTimeline ledger = new LedgerTimeline(17, true, 1)) {
            ledger.live(600);
            Map<String, Lsn> places = places(ledger);
            assertThat(places).containsKeys("page boundary", "over a page boundary", "over a segment boundary");
            boot(ledger, "page boundary", places.get("page boundary"));
            boot(ledger, "over a segment boundary", places.get("over a segment boundary"));
        }
    }

    @ParameterizedTest
    @CsvSource({"14, 1", "15, 16", "16, 4", "17, 8", "18, 1"})
    @Tag("slow")
    void aStockServerOfEveryVersionStartsAtAnyLsn(int major, int segmentMb) throws Exception {
        try (LedgerTimeline ledger = new LedgerTimeline(major, major % 2 == 0, segmentMb)) {
            ledger.live(2000);
            Map<String, Lsn> places = places(ledger);
            assertThat(places)
                    .containsKeys(
                            "page boundary",
                            "segment start",
                            "first page of a segment",
                            "middle of a page",
                            "over a page boundary",
                            "header over a page boundary",
                            "over a segment boundary",
                            "the end");
            for (var place : places.entrySet()) {
                boot(ledger, place.getKey(), place.getValue());
            }
        }
    }

    @Test
    void aTimelineThatBeganWithACopyOfARunningServerWillDo() throws Exception {
        try (LedgerTimeline ledger = new LedgerTimeline(18, true, 1, true)) {
            ledger.live(1200);
            boot(
                    ledger,
                    "where the copy is consistent",
                    ledger.timeline().metadata().readableLsn());
            boot(ledger, "the end", ledger.records().getLast().end());
        }
    }

    /** An LSN of each alignment, from the middle of the history. */
    private static Map<String, Lsn> places(LedgerTimeline ledger) {
        int segment = ledger.segmentBytes();
        Lsn first = ledger.prepared().from().max(ledger.timeline().metadata().readableLsn());
        List<Logged> records = ledger.records().stream()
                .filter(record -> record.end().isAtLeast(first))
                .toList();
        Map<String, Lsn> places = new LinkedHashMap<>();
        find(places, records, "page boundary", lsn -> lsn.pageOffset() == 0 && lsn.segmentOffset(segment) != 0);
        find(places, records, "segment start", lsn -> lsn.segmentOffset(segment) == 0);
        find(
                places,
                records,
                "first page of a segment",
                lsn -> lsn.segmentOffset(segment) > LONG_HEADER && lsn.segmentOffset(segment) < PAGE - RECORD);
        find(places, records, "middle of a page", lsn -> lsn.pageOffset() > 3000 && lsn.pageOffset() < 5000);
        find(
                places,
                records,
                "over a page boundary",
                lsn -> lsn.pageOffset() > PAGE - 100
                        && lsn.pageOffset() < PAGE - 24
                        && lsn.segmentOffset(segment) < segment - PAGE);
        find(places, records, "header over a page boundary", lsn -> lsn.pageOffset() > PAGE - 24);
        find(
                places,
                records,
                "over a segment boundary",
                lsn -> lsn.segmentOffset(segment) > segment - RECORD + 6 && lsn.segmentOffset(segment) != 0);
        places.put("the end", records.getLast().end());
        return places;
    }

    private static void find(Map<String, Lsn> places, List<Logged> records, String name, Predicate<Lsn> test) {
        records.stream().map(Logged::end).filter(test).findFirst().ifPresent(lsn -> places.put(name, lsn));
    }

    private void boot(LedgerTimeline ledger, String place, Lsn lsn) throws Exception {
        long begin = System.nanoTime();
        Path target = ledger.scratch().resolve("at-" + lsn.value());
        AtomicLong bytes = new AtomicLong();
        DataDirectoryDownload.run(
                loops.group().next(),
                PgClientConfig.of("127.0.0.1", ledger.port(), "nobody"),
                LedgerTimeline.ID,
                lsn,
                target,
                ServerUser.current(),
                bytes::set);
        assertThat(bytes.get()).isGreaterThan(10 << 20);
        long fetched = System.nanoTime();
        ControlFile control = ControlFile.read(Files.readAllBytes(target.resolve("global/pg_control")), ledger.major());
        assertThat(control.state()).isEqualTo(ControlFile.State.SHUT_DOWN);
        assertThat(control.checkPoint().redo()).isEqualTo(control.checkPointLsn());
        assertThat(control.checkPointLsn().minus(lsn)).isBetween(0L, (long) LONG_HEADER);
        try (PostgresServer server = ledger.serverOn(target)) {
            server.start();
            String logged = Files.readString(server.logFile());
            assertThat(logged)
                    .as("%s at %s: %s", place, lsn, logged)
                    .contains("database system was shut down at")
                    .doesNotContain("recovery", "redo starts", "ERROR", "WARNING", "PANIC");
            List<Long> expected = ledger.rowsAt(lsn);
            try (Connection sql = LedgerTimeline.connect(server)) {
                checkContent(sql, ledger, lsn, expected);
            }
            server.stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
            server.start();
            try (Connection sql = LedgerTimeline.connect(server)) {
                assertThat(numbers(sql, "SELECT count(*) FROM ledger")).containsExactly((long) expected.size() + 1);
            }
        }
        log.info(
                "PostgreSQL {} at {} ({}): {} bytes in {} ms, then {} ms",
                ledger.major(),
                lsn,
                place,
                bytes.get(),
                (fetched - begin) / 1_000_000,
                (System.nanoTime() - fetched) / 1_000_000);
    }

    private static void checkContent(Connection sql, LedgerTimeline ledger, Lsn lsn, List<Long> expected)
            throws SQLException {
        assertThat(numbers(sql, "SELECT id FROM ledger ORDER BY id")).isEqualTo(expected);
        assertThat(numbers(sql, "SELECT count(*) FROM unlogged")).containsExactly(0L);
        boolean isPrepared = ledger.prepared().from().isAtMost(lsn)
                && ledger.prepared().until().isAfter(lsn);
        assertThat(numbers(sql, "SELECT count(*) FROM pg_prepared_xacts WHERE gid = 'waiting'"))
                .containsExactly(isPrepared ? 1L : 0L);
        if (isPrepared) {
            assertThat(numbers(sql, "SELECT count(*) FROM prepared")).containsExactly(0L);
            LedgerTimeline.execute(sql, "COMMIT PREPARED 'waiting'");
        }
        assertThat(numbers(sql, "SELECT count(*) FROM prepared")).containsExactly(1L);
        LedgerTimeline.execute(
                sql,
                "SELECT bt_index_check(c.oid, true) FROM pg_class c JOIN pg_am a ON a.oid = c.relam"
                        + " WHERE a.amname = 'btree' AND c.relkind = 'i'");
        assertThat(numbers(sql, "SELECT count(*) FROM verify_heapam('ledger')")).containsExactly(0L);
        long next = numbers(sql, "INSERT INTO ledger (xid) VALUES (txid_current()) RETURNING id")
                .getFirst();
        assertThat(next).isGreaterThan(expected.isEmpty() ? 0 : expected.getLast());
        LedgerTimeline.execute(sql, "INSERT INTO unlogged (filler) VALUES ('again')");
        LedgerTimeline.execute(sql, "VACUUM");
        LedgerTimeline.execute(sql, "CHECKPOINT");
    }

    private static List<Long> numbers(Connection sql, String query) throws SQLException {
        List<Long> numbers = new ArrayList<>();
        try (Statement statement = sql.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            while (rows.next()) {
                numbers.add(rows.getLong(1));
            }
        }
        return numbers;
    }
}
