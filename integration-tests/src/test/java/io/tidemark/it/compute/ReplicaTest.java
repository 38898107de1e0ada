package io.tidemark.it.compute;

import static io.tidemark.it.compute.ScratchCluster.connect;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.workload.VariedWorkload;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import io.tidemark.shim.stock.StockComputeConfig;
import io.tidemark.shim.stock.StockReader;
import io.tidemark.shim.stock.StockRun;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A stock hot standby that is built from storage and streams from the safekeepers. */
class ReplicaTest {
    private static final String MAIN = StorageDirectory.MAIN;
    private static final int ROWS = 40;
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Map<String, String> SETTINGS = settings();

    @RegisterExtension
    final ScratchCluster cluster = new ScratchCluster("replica");

    private static Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>(VariedWorkload.SETTINGS);
        settings.put("autovacuum", "off");
        // More than a standby has by itself: it takes it from pg_control.
        settings.put("max_connections", "123");
        return settings;
    }

    private StockReader replica(EmbeddedStorage storage, String branchName) throws Exception {
        StorageDirectory directory = storage.directory();
        Branch branch = directory.branches().require(branchName);
        StockComputeConfig config =
                directory.computeConfig(branch.timelineId(), cluster.resolve("replica"), 0, Map.of());
        return StockReader.replica(
                config, directory.binaries(branch.pgMajor()), ServerUser.current(), StartListener.NONE);
    }

    /** Waits until the replica has replayed what the writer has written. */
    private static void awaitLevel(Connection writer, Connection replica) throws SQLException {
        Lsn written = Lsn.parse(SqlDigest.one(writer, "SELECT pg_current_wal_flush_lsn()"));
        await("replay up to " + written)
                .atMost(PATIENCE)
                .until(
                        () -> Lsn.parse(SqlDigest.one(replica, "SELECT pg_last_wal_replay_lsn()")),
                        replayed -> replayed.isAtLeast(written));
    }

    private static String kept(Connection connection) throws SQLException {
        return SqlDigest.one(connection, "SELECT string_agg(n::text, ',' ORDER BY n) FROM kept");
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void itShowsWhatIsCommittedAfterItsStartAndAcrossRestartsOfTheWriter(int major) throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(major)) {
            StockCompute main = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            Connection first = connect(main.postgres());
            Connection second = connect(main.postgres());
            Connection unfinished = connect(main.postgres());
            SqlDigest.run(first, "CREATE TABLE kept (n int PRIMARY KEY)", "INSERT INTO kept VALUES (1)");
            unfinished.setAutoCommit(false);
            SqlDigest.run(unfinished, "INSERT INTO kept VALUES (3)");
            // A checkpoint of a running server, and some work behind it that the replica replays over newer pages.
            SqlDigest.run(first, "CHECKPOINT");
            new VariedWorkload(first, second, ROWS).withoutTablespaces().run();
            SqlDigest.run(
                    first,
                    "BEGIN",
                    "INSERT INTO kept VALUES (2)",
                    "PREPARE TRANSACTION 'not_yet'",
                    "INSERT INTO kept VALUES (4)");

            try (StockReader replica = replica(storage, MAIN);
                    Connection reading = connect(replica.postgres())) {
                long pid = replica.postgres().pid();
                awaitLevel(first, reading);
                assertThat(kept(reading)).isEqualTo("1,4");
                assertThatThrownBy(() -> SqlDigest.run(reading, "INSERT INTO kept VALUES (5)"))
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("read-only");
                SqlDigest.run(first, "COMMIT PREPARED 'not_yet'");
                unfinished.commit();
                awaitLevel(first, reading);
                assertThat(kept(reading)).isEqualTo("1,2,3,4");
                assertThat(SqlDigest.of(reading)).isEqualTo(SqlDigest.of(first));
                first.close();
                second.close();
                unfinished.close();

                // In order, then by kill -9: a new term, and a checkpoint record that was made for the new writer.
                StockCompute again = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
                try (Connection connection = connect(again.postgres())) {
                    SqlDigest.run(connection, "INSERT INTO kept VALUES (6)");
                    awaitLevel(connection, reading);
                    assertThat(kept(reading)).isEqualTo("1,2,3,4,6");
                }
                again.postgres().kill();
                assertThat(again.finished().get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                        .isEqualTo(StockRun.Ending.POSTGRES_ENDED);
                StockCompute third = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
                try (Connection connection = connect(third.postgres())) {
                    SqlDigest.run(connection, "INSERT INTO kept VALUES (7)", "CHECKPOINT");
                    awaitLevel(connection, reading);
                    assertThat(kept(reading)).isEqualTo("1,2,3,4,6,7");
                    assertThat(SqlDigest.of(reading)).isEqualTo(SqlDigest.of(connection));
                }
                assertThat(replica.finished()).isNotDone();
                assertThat(replica.postgres().pid()).isEqualTo(pid);
            }
        }
    }

    @Test
    void itGoesOnWithAnotherSafekeeperAndComesBackAfterItsOwnEnd() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(16)) {
            StockCompute main = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            try (Connection writing = connect(main.postgres())) {
                SqlDigest.run(writing, "CREATE TABLE kept (n int PRIMARY KEY)", "INSERT INTO kept VALUES (1)");
                StockReader replica = replica(storage, MAIN);
                try (Connection reading = connect(replica.postgres())) {
                    awaitLevel(writing, reading);
                    int port = Integer.parseInt(SqlDigest.one(reading, "SELECT sender_port FROM pg_stat_wal_receiver"));
                    storage.safekeepers()
                            .stop(storage.directory().config().safekeepers().stream()
                                    .filter(place -> place.pgPort() == port)
                                    .mapToLong(SafekeeperPlace::id)
                                    .findFirst()
                                    .orElseThrow());
                    SqlDigest.run(writing, "INSERT INTO kept VALUES (2)");
                    awaitLevel(writing, reading);
                    assertThat(kept(reading)).isEqualTo("1,2");
                    assertThat(SqlDigest.one(reading, "SELECT sender_port FROM pg_stat_wal_receiver"))
                            .isNotEqualTo(Integer.toString(port));
                    replica.postgres().kill();
                }
                assertThat(replica.finished().get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                        .isEqualTo(StockRun.Ending.POSTGRES_ENDED);
                SqlDigest.run(writing, "INSERT INTO kept VALUES (3)");
                try (StockReader again = replica(storage, MAIN);
                        Connection reading = connect(again.postgres())) {
                    awaitLevel(writing, reading);
                    assertThat(kept(reading)).isEqualTo("1,2,3");
                }
            }
        }
    }

    @Test
    void whatItReadsIsNotVacuumedAway() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(17)) {
            StockCompute main = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            try (Connection writing = connect(main.postgres())) {
                SqlDigest.run(writing, "CREATE TABLE kept AS SELECT generate_series(1, 5) AS n");
                try (StockReader replica = replica(storage, MAIN);
                        Connection reading = connect(replica.postgres())) {
                    awaitLevel(writing, reading);
                    reading.setAutoCommit(false);
                    reading.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
                    assertThat(kept(reading)).isEqualTo("1,2,3,4,5");
                    await("its xmin reaches the writer")
                            .atMost(PATIENCE)
                            .until(() -> SqlDigest.one(
                                            writing,
                                            "SELECT (SELECT count(*) FROM pg_replication_slots WHERE xmin IS NOT NULL)"
                                                    + " + (SELECT count(*) FROM pg_stat_replication WHERE backend_xmin IS NOT NULL)")
                                    .equals("1"));
                    SqlDigest.run(writing, "DELETE FROM kept", "VACUUM kept");
                    assertThat(kept(reading)).isEqualTo("1,2,3,4,5");
                    reading.commit();
                }
            }
        }
    }

    @Test
    void aBranchNeedsAWriterFirst() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(18)) {
            StockCompute main = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            try (Connection writing = connect(main.postgres())) {
                SqlDigest.run(
                        writing, "CREATE TABLE kept AS SELECT 1 AS n", "CHECKPOINT", "INSERT INTO kept VALUES (2)");
            }
            new Branches(storage.directory()).create("child", MAIN, new BranchTime.Head());
            assertThatThrownBy(() -> replica(storage, "child"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("no checkpoint record is known in the timeline's own WAL")
                    .hasMessageContaining("the start of a compute that writes makes one");

            StockCompute child = storage.startCompute("child", 0, SETTINGS, StartListener.NONE);
            try (StockReader replica = replica(storage, "child");
                    Connection writing = connect(child.postgres());
                    Connection reading = connect(replica.postgres())) {
                SqlDigest.run(writing, "INSERT INTO kept VALUES (3)");
                awaitLevel(writing, reading);
                assertThat(kept(reading)).isEqualTo("1,2,3");
                assertThatThrownBy(() -> SqlDigest.run(reading, "SELECT pg_promote()"))
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("could not create file \"promote\"");
            }
        }
    }
}
