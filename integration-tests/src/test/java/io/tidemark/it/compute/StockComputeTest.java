package io.tidemark.it.compute;

import static io.tidemark.it.compute.ScratchCluster.connect;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.cli.storage.BranchExport;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.workload.VariedWorkload;
import io.tidemark.shim.compute.PostgresKeeper;
import io.tidemark.shim.compute.Shim;
import io.tidemark.shim.compute.ShimConfig;
import io.tidemark.shim.compute.ShimState;
import io.tidemark.shim.compute.ShimStatus;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.source.PostgresAddress;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import io.tidemark.shim.stock.StockComputeConfig;
import io.tidemark.shim.stock.StockRun;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A stock PostgreSQL on storage: what it committed is there when it is built anew, and nothing else is. */
class StockComputeTest {
    private static final String MAIN = StorageDirectory.MAIN;
    private static final int ROWS = 60;
    private static final long ENDING_SECONDS = 60;
    private static final Map<String, String> SETTINGS = settings();

    @RegisterExtension
    final ScratchCluster cluster = new ScratchCluster("compute");

    private static Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>(VariedWorkload.SETTINGS);
        settings.put("autovacuum", "off"); // so that two digests of one state are comparable with sizes as well
        return settings;
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void aCrashLosesNothingThatWasCommitted(int major) throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(major)) {
            StockCompute compute = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            Map<String, String> before;
            Map<String, Long> sequences;
            try (Connection first = connect(compute.postgres());
                    Connection second = connect(compute.postgres());
                    Connection unfinished = connect(compute.postgres())) {
                new VariedWorkload(first, second, ROWS).withoutTablespaces().run();
                SqlDigest.run(
                        first,
                        "CREATE UNLOGGED TABLE fleeting AS SELECT generate_series(1, 1000) AS n",
                        "CREATE INDEX ON fleeting (n)",
                        "CREATE TABLE kept (n int PRIMARY KEY)",
                        "BEGIN",
                        "INSERT INTO kept VALUES (1)",
                        "PREPARE TRANSACTION 'survives'");
                unfinished.setAutoCommit(false);
                SqlDigest.run(unfinished, "INSERT INTO kept VALUES (2)");
                SqlDigest.run(first, "INSERT INTO kept VALUES (3)");
                before = SqlDigest.of(first);
                sequences = SqlDigest.sequences(first);
                assertThat(SqlDigest.one(first, "SHOW full_page_writes")).isEqualTo("off");
                compute.postgres().kill();
            }
            assertThat(compute.finished().get(ENDING_SECONDS, TimeUnit.SECONDS))
                    .isEqualTo(StockRun.Ending.POSTGRES_ENDED);

            StockCompute again = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            assertThat(Files.readString(again.postgres().logFile()))
                    .contains("database system was shut down at")
                    .doesNotContain("not properly shut down");
            try (Connection connection = connect(again.postgres())) {
                assertThat(SqlDigest.of(connection)).isEqualTo(before);
                assertSequencesAreNotBehind(SqlDigest.sequences(connection), sequences);
                assertThat(SqlDigest.one(connection, "SELECT count(*) FROM fleeting"))
                        .isEqualTo("0");
                assertThat(SqlDigest.amcheck(connection)).isEmpty();
                SqlDigest.run(connection, "INSERT INTO fleeting VALUES (1)", "COMMIT PREPARED 'survives'");
                assertThat(SqlDigest.one(connection, "SELECT string_agg(n::text, ',' ORDER BY n) FROM kept"))
                        .isEqualTo("1,3");
                SqlDigest.run(connection, "INSERT INTO kept VALUES (2)", "VACUUM", "CHECKPOINT");
            }

            // And once more, after an orderly end.
            storage.stopCompute(MAIN);
            StockCompute third = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            try (Connection connection = connect(third.postgres())) {
                assertThat(SqlDigest.one(connection, "SELECT string_agg(n::text, ',' ORDER BY n) FROM kept"))
                        .isEqualTo("1,2,3");
                assertThat(SqlDigest.amcheck(connection)).isEmpty();
            }
        }
    }

    // WAL has a sequence up to 32 values ahead (SEQ_LOG_VALS), so after a crash it continues there, as in any
    // PostgreSQL.
    private static void assertSequencesAreNotBehind(Map<String, Long> now, Map<String, Long> before) {
        assertThat(now.keySet()).isEqualTo(before.keySet()).isNotEmpty();
        now.forEach((name, value) -> assertThat(value).as(name).isBetween(before.get(name), before.get(name) + 32));
    }

    @Test
    void aSecondComputeFencesTheFirst() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(17)) {
            StockCompute first = storage.startCompute(MAIN, 0, StartListener.NONE);
            try (Connection connection = connect(first.postgres())) {
                SqlDigest.run(connection, "CREATE TABLE t AS SELECT 1 AS n");
            }
            try (StockCompute second = StockCompute.start(
                    elsewhere(storage, Map.of()),
                    storage.directory().binaries(17),
                    ServerUser.current(),
                    StartListener.NONE)) {
                assertThat(first.finished().get(ENDING_SECONDS, TimeUnit.SECONDS))
                        .isEqualTo(StockRun.Ending.FENCED);
                assertThat(first.postgres().isRunning()).isFalse();
                try (Connection connection = connect(second.postgres())) {
                    SqlDigest.run(connection, "INSERT INTO t VALUES (2)");
                    assertThat(SqlDigest.one(connection, "SELECT sum(n) FROM t"))
                            .isEqualTo("3");
                }
            }
        }
    }

    @Test
    void aDataDirectoryBehindTheLogIsRefused() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(17)) {
            StockCompute first = storage.startCompute(MAIN, 0, StartListener.NONE);
            Lsn early;
            try (Connection connection = connect(first.postgres())) {
                SqlDigest.run(connection, "CREATE TABLE t AS SELECT 1 AS n");
                early = Lsn.parse(SqlDigest.one(connection, "SELECT pg_current_wal_lsn()"));
                SqlDigest.run(connection, "INSERT INTO t SELECT generate_series(2, 1000)");
            }
            storage.stopCompute(MAIN);

            // As if somebody had built it at a wrong LSN, or another compute had written meanwhile.
            Path behind = cluster.resolve("behind");
            BranchExport.run(
                    storage.directory(),
                    storage.directory().branches().require(MAIN),
                    new BranchTime.AtLsn(early),
                    behind,
                    bytes -> {});
            StockComputeConfig config = elsewhere(storage, Map.of());
            try (PostgresServer server =
                    PostgresServer.adopt(storage.directory().binaries(17), ServerUser.current(), behind)) {
                server.configure(Map.of("synchronous_standby_names", "tidemark", "wal_level", "replica"));
                server.start();
                PostgresAddress address =
                        PostgresAddress.parse("postgres://postgres@127.0.0.1:" + server.port() + "/postgres");
                ShimConfig wrong = ShimConfig.of(address, config.safekeepers(), config.timeline())
                        .builtAt(early);
                assertThat(refusal(wrong)).contains("older copy");
                // With as much WAL as the quorum has, but other WAL.
                try (Connection connection = connect(server)) {
                    SqlDigest.run(
                            connection,
                            "SET synchronous_commit = local",
                            "CREATE TABLE other AS SELECT generate_series(1, 20000)");
                }
                assertThat(refusal(wrong)).contains("has diverged");
                server.stop(PostgresServer.Shutdown.IMMEDIATE, Duration.ofSeconds(ENDING_SECONDS));
            }

            StockCompute last = storage.startCompute(MAIN, 0, StartListener.NONE);
            try (Connection connection = connect(last.postgres())) {
                assertThat(SqlDigest.one(connection, "SELECT count(*) FROM t")).isEqualTo("1000");
            }
        }
    }

    private static String refusal(ShimConfig config) throws Exception {
        try (Shim shim = Shim.start(config, PostgresKeeper.NONE)) {
            ShimStatus last = shim.finished().get(ENDING_SECONDS, TimeUnit.SECONDS);
            assertThat(last.state()).isEqualTo(ShimState.REFUSED);
            return last.problem();
        }
    }

    private StockComputeConfig elsewhere(EmbeddedStorage storage, Map<String, String> settings) throws IOException {
        StorageDirectory directory = storage.directory();
        return directory.computeConfig(
                directory.branches().require(MAIN).timelineId(), cluster.resolve("elsewhere"), 0, settings);
    }

    @Test
    void aDirectoryThatIsNotOursIsNotDeleted() throws Exception {
        Path precious = cluster.resolve("elsewhere");
        Files.createDirectories(precious);
        Files.writeString(precious.resolve("PG_VERSION"), "17\n");
        try (EmbeddedStorage storage = cluster.embedded(17)) {
            assertThatThrownBy(() -> StockCompute.start(
                            elsewhere(storage, Map.of()),
                            storage.directory().binaries(17),
                            ServerUser.current(),
                            StartListener.NONE))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("was not made by tidemark");
            assertThat(precious.resolve("PG_VERSION")).exists();
        }
    }

    @Test
    void settingsThatWouldBreakPromisesAreRefused() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(17)) {
            assertThatThrownBy(() -> elsewhere(storage, Map.of("synchronous_standby_names", "")))
                    .hasMessageContaining("synchronous_standby_names is set by tidemark");
            assertThatThrownBy(() -> elsewhere(storage, Map.of("wal_level", "minimal")))
                    .hasMessageContaining("replica or logical");
        }
    }
}
