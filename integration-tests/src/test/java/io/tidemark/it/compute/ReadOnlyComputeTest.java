package io.tidemark.it.compute;

import static io.tidemark.it.compute.ScratchCluster.connect;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.workload.VariedWorkload;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StandbyMark;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import io.tidemark.shim.stock.StockComputeConfig;
import io.tidemark.shim.stock.StockReader;
import io.tidemark.shim.stock.StockRun;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A stock PostgreSQL that shows a branch as it was at an LSN, beside the one that writes it. */
class ReadOnlyComputeTest {
    private static final String MAIN = StorageDirectory.MAIN;
    private static final int ROWS = 40;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String READ_ONLY_SQL_TRANSACTION = "25006";
    private static final Map<String, String> SETTINGS = settings();

    @RegisterExtension
    final ScratchCluster cluster = new ScratchCluster("read-only");

    private static Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>(VariedWorkload.SETTINGS);
        settings.put("autovacuum", "off");
        return settings;
    }

    private static Lsn lsn(Connection connection) throws SQLException {
        return Lsn.parse(SqlDigest.one(connection, "SELECT pg_current_wal_lsn()"));
    }

    private StockReader reader(EmbeddedStorage storage, Lsn at) throws Exception {
        StorageDirectory directory = storage.directory();
        Branch branch = directory.branches().require(MAIN);
        StockComputeConfig config = directory.computeConfig(
                branch.timelineId(), cluster.resolve("reader-" + at.toString().replace('/', '-')), 0, Map.of());
        return StockReader.at(
                at, config, directory.binaries(branch.pgMajor()), ServerUser.current(), StartListener.NONE);
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void thePastIsReadBesideTheOneThatWrites(int major) throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(major)) {
            StockCompute main = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            try (Connection first = connect(main.postgres());
                    Connection second = connect(main.postgres());
                    Connection unfinished = connect(main.postgres())) {
                new VariedWorkload(first, second, ROWS).withoutTablespaces().run();
                SqlDigest.run(
                        first,
                        "CREATE TABLE kept (n int PRIMARY KEY)",
                        "INSERT INTO kept VALUES (1)",
                        "BEGIN",
                        "INSERT INTO kept VALUES (2)",
                        "PREPARE TRANSACTION 'not_yet'");
                unfinished.setAutoCommit(false);
                SqlDigest.run(unfinished, "INSERT INTO kept VALUES (3)");
                SqlDigest.run(first, "INSERT INTO kept VALUES (4)");
                Map<String, String> then = SqlDigest.of(first);
                Lsn at = lsn(first);
                SqlDigest.run(first, "COMMIT PREPARED 'not_yet'", "INSERT INTO kept VALUES (5)");
                unfinished.commit();
                Lsn later = lsn(first);
                SqlDigest.run(first, "DROP TABLE kept", "CREATE TABLE after_it AS SELECT 1 AS n");

                try (StockReader early = reader(storage, at);
                        StockReader late = reader(storage, later);
                        Connection past = connect(early.postgres());
                        Connection lessPast = connect(late.postgres())) {
                    assertThat(SqlDigest.of(past)).isEqualTo(then);
                    assertThat(kept(past)).isEqualTo("1,4");
                    assertThat(kept(lessPast)).isEqualTo("1,2,3,4,5");
                    assertWritesAreRefused(past);

                    // Nobody was fenced, and what is written goes on and is not seen.
                    SqlDigest.run(first, "INSERT INTO after_it VALUES (2)");
                    assertThat(storage.status(MAIN).term())
                            .isEqualTo(main.status().term());
                    assertThat(main.finished()).isNotDone();
                    assertThat(SqlDigest.of(past)).isEqualTo(then);
                }
            }
        }
    }

    private static String kept(Connection connection) throws SQLException {
        return SqlDigest.one(connection, "SELECT string_agg(n::text, ',' ORDER BY n) FROM kept");
    }

    private static void assertWritesAreRefused(Connection connection) {
        for (String write : new String[] {"INSERT INTO kept VALUES (6)", "CREATE TABLE t (n int)", "VACUUM kept"}) {
            assertThatThrownBy(() -> SqlDigest.run(connection, write))
                    .as(write)
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            refused -> assertThat(refused.getSQLState()).isEqualTo(READ_ONLY_SQL_TRANSACTION));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void aPromotionFailsAndOneThatIsForcedIsStopped(int major) throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(major)) {
            StockCompute main = storage.startCompute(MAIN, 0, StartListener.NONE);
            try (Connection connection = connect(main.postgres())) {
                SqlDigest.run(connection, "CREATE TABLE kept AS SELECT 1 AS n");
                try (StockReader reader = reader(storage, lsn(connection));
                        Connection past = connect(reader.postgres())) {
                    assertThatThrownBy(() -> SqlDigest.run(past, "SELECT pg_promote()"))
                            .isInstanceOf(SQLException.class)
                            .hasMessageContaining("could not create file \"promote\"");
                    assertThat(SqlDigest.one(past, "SELECT pg_is_in_recovery()"))
                            .isEqualTo("t");
                    assertThat(StandbyMark.isPromoted(reader.postgres())).isFalse();
                    assertThat(reader.finished()).isNotDone();

                    Files.delete(reader.postgres().dataDir().resolve("promote"));
                    try {
                        SqlDigest.run(past, "SELECT pg_promote(false)");
                    } catch (SQLException stoppedAlready) {
                        assertThat(stoppedAlready.getMessage()).doesNotContain("could not create file");
                    }
                    assertThat(reader.finished().get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                            .isEqualTo(StockRun.Ending.PROMOTED);
                    assertThat(reader.problem()).contains("promoted");
                    assertThat(reader.postgres().isRunning()).isFalse();
                }
                SqlDigest.run(connection, "INSERT INTO kept VALUES (2)");
                assertThat(kept(connection)).isEqualTo("1,2");
            }
        }
    }

    @Test
    void itsLeaseHoldsGarbageCollection() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(17)) {
            StockCompute main = storage.startCompute(MAIN, 0, StartListener.NONE);
            try (Connection connection = connect(main.postgres())) {
                SqlDigest.run(connection, "CREATE TABLE kept AS SELECT 1 AS n", "INSERT INTO kept VALUES (2)");
                Lsn unleased = lsn(connection);
                SqlDigest.run(connection, "INSERT INTO kept VALUES (3)");
                Lsn leased = lsn(connection);
                SqlDigest.run(connection, "UPDATE kept SET n = n + 100", "VACUUM FULL kept");
                Lsn head = lsn(connection);
                try (StockReader reader = reader(storage, leased);
                        Connection past = connect(reader.postgres())) {
                    assertThat(kept(past)).isEqualTo("1,2,3");
                    assertThat(reader.leasedUntil().orElseThrow()).isAfter(Instant.now());
                    Lsn cutoff = GarbageCollection.run(storage, head);
                    assertThat(cutoff).isGreaterThanOrEqualTo(head);
                    assertThat(kept(past)).isEqualTo("1,2,3");
                }
                // What was leased can be built again; what was not is refused with a reason.
                try (StockReader again = reader(storage, leased);
                        Connection past = connect(again.postgres())) {
                    assertThat(kept(past)).isEqualTo("1,2,3");
                }
                assertThatThrownBy(() -> reader(storage, unleased))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("not readable at " + unleased)
                        .hasMessageContaining("below the gc cutoff");
                assertThat(cluster.resolve("reader-" + unleased.toString().replace('/', '-')))
                        .doesNotExist();
            }
        }
    }
}
