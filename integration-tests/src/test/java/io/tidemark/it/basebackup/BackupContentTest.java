package io.tidemark.it.basebackup;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.cli.workload.VariedWorkload;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.shim.datadir.DataDirectoryDownload;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.client.PgClientConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** After nearly everything that makes WAL, a server on a fetched data directory has what the server has that wrote it. */
class BackupContentTest {
    private static final String TABLES = """
            SELECT n.nspname || '.' || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p' AND n.nspname NOT IN ('information_schema', 'pg_toast')""";

    private static final String BTREES = """
            SELECT bt_index_check(c.oid, true) FROM pg_class c JOIN pg_am a ON a.oid = c.relam JOIN pg_index i ON i.indexrelid = c.oid
             WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence = 'p' AND i.indisvalid""";

    private final EventLoops loops = new EventLoops("test-client");

    @AfterEach
    void close() {
        loops.close();
    }

    @Test
    void everythingIsThere() throws Exception {
        compare(16, 200);
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 17, 18})
    @Tag("slow")
    void everythingIsThereInEveryVersion(int major) throws Exception {
        compare(major, 1500);
    }

    private void compare(int major, int rows) throws Exception {
        Map<String, String> before = new TreeMap<>();
        try (LedgerTimeline timeline = new LedgerTimeline(major, true, 16)) {
            timeline.primary().configure(VariedWorkload.SETTINGS);
            timeline.live((first, second) -> {
                new VariedWorkload(first, second, rows).withoutTablespaces().run();
                LedgerTimeline.execute(first, "CREATE EXTENSION IF NOT EXISTS amcheck");
                before.putAll(content(first));
            });
            assertThat(before).hasSizeGreaterThan(80);
            Path target = timeline.scratch().resolve("copy");
            DataDirectoryDownload.run(
                    loops.group().next(),
                    PgClientConfig.of("127.0.0.1", timeline.port(), "nobody"),
                    LedgerTimeline.ID,
                    timeline.timeline().lastRecordLsn(),
                    target,
                    ServerUser.current(),
                    bytes -> {});
            try (PostgresServer server = timeline.serverOn(target)) {
                server.configure(VariedWorkload.SETTINGS);
                server.start();
                assertThat(Files.readString(server.logFile()))
                        .contains("database system was shut down at")
                        .doesNotContain("recovery", "ERROR", "WARNING");
                try (Connection sql = LedgerTimeline.connect(server)) {
                    assertThat(content(sql)).isEqualTo(before);
                    LedgerTimeline.execute(sql, BTREES);
                    LedgerTimeline.execute(sql, "SELECT pg_xact_commit_timestamp(xmin) FROM copied");
                    LedgerTimeline.execute(sql, "VACUUM (FREEZE)");
                }
            }
        }
    }

    /** How many rows each table has, and a sum of them; what the catalogs count. */
    private static Map<String, String> content(Connection sql) throws SQLException {
        Map<String, String> content = new TreeMap<>();
        for (String table : strings(sql, TABLES)) {
            content.put(
                    table,
                    strings(
                                    sql,
                                    "SELECT count(*) || ' ' || coalesce(sum(hashtext(t::text)::bigint), 0) FROM "
                                            + table + " t")
                            .getFirst());
        }
        content.put(
                "origins",
                strings(sql, "SELECT external_id || ' ' || remote_lsn FROM pg_replication_origin_status ORDER BY 1")
                        .toString());
        return content;
    }

    private static List<String> strings(Connection sql, String query) throws SQLException {
        List<String> strings = new ArrayList<>();
        try (Statement statement = sql.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            while (rows.next()) {
                strings.add(rows.getString(1));
            }
        }
        return strings;
    }
}
