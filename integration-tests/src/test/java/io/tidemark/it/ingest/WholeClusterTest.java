package io.tidemark.it.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.cli.workload.VariedWorkload;
import io.tidemark.pageserver.basedata.BaseData;
import io.tidemark.pageserver.basedata.DataDirectoryImport;
import io.tidemark.pageserver.ingest.FakeTimelineHead;
import io.tidemark.pageserver.ingest.WalIngest;
import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.WalFlavour;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Imports what initdb made, ingests the WAL of a server that then lived on it, and compares everything with its files. */
class WholeClusterTest {
    private static final Logger log = LoggerFactory.getLogger(WholeClusterTest.class);
    private static final Duration STOP_DEADLINE = Duration.ofMinutes(1);
    private static final Lsn EVERYTHING = Lsn.of(Long.MAX_VALUE);
    private static final int ROWS = 1_000;

    /** What a test does to a server, on two sessions. */
    private interface Workload {
        void run(PostgresServer server, Connection first, Connection second) throws Exception;
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void theTimelineHasWhatTheServerHas(int major) throws Exception {
        compare(
                major,
                (server, first, second) -> new VariedWorkload(first, second, ROWS)
                        .withoutTablespaces()
                        .run());
    }

    /** Status of transactions, multixacts and their members over several pages, then truncated. */
    @ParameterizedTest
    @ValueSource(ints = {14, 17, 18})
    void transactionStatusAndMultixactsAreRightAcrossPages(int major) throws Exception {
        compare(major, (server, first, second) -> {
            execute(first, "CREATE TABLE locked AS SELECT g AS id FROM generate_series(1, 4500) g");
            execute(first, "CREATE TABLE written (id int)");
            second.setAutoCommit(false);
            execute(second, "SELECT count(*) FROM (SELECT 1 FROM locked FOR KEY SHARE) s");
            // Each row is locked by a subtransaction of its own, so each gets a multixact of its own.
            execute(first, """
                    DO $$ BEGIN
                      FOR i IN 1..4500 LOOP
                        BEGIN
                          PERFORM 1 FROM locked WHERE id = i FOR SHARE;
                        EXCEPTION WHEN division_by_zero THEN NULL;
                        END;
                      END LOOP;
                    END $$""");
            second.commit();
            second.setAutoCommit(true);
            execute(first, """
                    DO $$ BEGIN
                      FOR i IN 1..36000 LOOP
                        BEGIN
                          INSERT INTO written VALUES (i);
                          IF i % 5 = 0 THEN RAISE division_by_zero; END IF;
                        EXCEPTION WHEN division_by_zero THEN NULL;
                        END;
                      END LOOP;
                    END $$""");
            execute(first, "UPDATE pg_database SET datallowconn = true");
            for (String database : List.of("template0", "template1", "postgres")) {
                try (Connection connection = connect(server, database)) {
                    execute(connection, "SET vacuum_freeze_min_age = 0");
                    execute(connection, "SET vacuum_multixact_freeze_min_age = 0");
                    execute(connection, "VACUUM (FREEZE)");
                }
            }
            execute(first, "CHECKPOINT");
        });
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static void compare(int major, Workload workload) throws Exception {
        PostgresBinaries binaries = PostgresArchives.configured().require(major);
        try (IngestedCluster cluster = new IngestedCluster();
                PostgresServer server = PostgresServer.create(
                        binaries, ServerUser.current(), cluster.dataDir(), InitDbOptions.defaults())) {
            Map<String, String> settings = new HashMap<>(VariedWorkload.SETTINGS);
            settings.putAll(Map.of("fsync", "off", "wal_keep_size", "8GB", "autovacuum", "off"));
            server.configure(settings);
            // The settings of the workload log hint bits from the first record on.
            RedoRules rules = new RedoRules(major, WalFlavour.STOCK, true);
            FakeTimelineHead head = new FakeTimelineHead(rules);
            BaseData base = DataDirectoryImport.run(cluster.dataDir(), head);
            assertThat(base.pgMajor()).isEqualTo(major);

            server.start();
            try (Connection first = connect(server, "postgres");
                    Connection second = connect(server, "postgres")) {
                workload.run(server, first, second);
            }
            server.stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);

            Lsn end = IngestedCluster.ingest(
                    cluster.dataDir(), major, base.startLsn(), EVERYTHING, new WalIngest(head, rules));
            assertThat(end).isGreaterThan(base.startLsn());
            ClusterComparison comparison = new ClusterComparison(head, cluster.dataDir(), major);
            List<String> findings = comparison.run();
            log.info(
                    "PostgreSQL {}: {}; {} versions, {} bytes",
                    major,
                    comparison.summary(),
                    head.count(),
                    head.bytes());
            assertThat(findings).as(comparison.summary()).isEmpty();
        }
    }

    private static Connection connect(PostgresServer server, String database) throws SQLException {
        return DriverManager.getConnection(
                server.jdbcUrl(database), InitDbOptions.defaults().user(), "");
    }
}
