package io.tidemark.it.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.it.CommandRun;
import io.tidemark.pageserver.timeline.RetentionConfig;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import io.tidemark.shim.stock.StockReader;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The lease of a compute that reads at an LSN, for as long as it runs and no longer. */
@Timeout(300)
class LeaseTest {
    private static final String MAIN = StorageDirectory.MAIN;
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    /** Long enough for a machine that stands still for a while between two renewals. */
    private static final Duration LEASE = Duration.ofSeconds(6);

    @RegisterExtension
    final ScratchCluster cluster = new ScratchCluster("lease");

    @Test
    void itIsRenewedUntilItsComputeStops() throws Exception {
        hold(16, 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 17, 18})
    @Tag("slow")
    void itIsRenewedForLong(int major) throws Exception {
        hold(major, 5);
    }

    /** @param lengths how much longer than its first lease a compute runs, in lengths of a lease */
    private void hold(int major, int lengths) throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(major, RetentionConfig.DEFAULT.withLeaseLength(LEASE))) {
            StockCompute main = storage.startCompute(MAIN, 0, Map.of("autovacuum", "off"), StartListener.NONE);
            try (Connection connection = ScratchCluster.connect(main.postgres())) {
                SqlDigest.run(connection, "CREATE TABLE kept AS SELECT 1 AS n", "INSERT INTO kept VALUES (2)");
                String relation = SqlDigest.one(
                        connection,
                        "SELECT '1663/' || oid || '/' || pg_relation_filenode('kept') FROM pg_database"
                                + " WHERE datname = current_database()");
                Lsn leased = lsn(connection);
                SqlDigest.run(connection, "UPDATE kept SET n = n + 100");
                try (StockReader reader = reader(storage, leased, "first")) {
                    Instant first = reader.leasedUntil().orElseThrow();
                    Instant enough = first.plus(LEASE.multipliedBy(lengths));
                    Lsn collected = Lsn.INVALID;
                    do {
                        // Something new each time, so that there is something to collect.
                        SqlDigest.run(connection, "UPDATE kept SET n = n + 100");
                        collected = GarbageCollection.run(storage, lsn(connection));
                        assertThat(page(relation, leased).exitCode()).isZero();
                        assertThat(reader.leasedUntil().orElseThrow()).isAfter(Instant.now());
                    } while (Instant.now().isBefore(enough));
                    assertThat(collected).isGreaterThan(leased);
                    // Not only what is in caches: a whole data directory, as after a crash of its PostgreSQL.
                    reader.postgres().kill();
                    await().atMost(PATIENCE).until(reader.finished()::isDone);
                    try (StockReader again = reader(storage, leased, "again");
                            Connection past = ScratchCluster.connect(again.postgres())) {
                        assertThat(SqlDigest.one(past, "SELECT string_agg(n::text, ',' ORDER BY n) FROM kept"))
                                .isEqualTo("1,2");
                    }
                }
                await("the lease ends").atMost(PATIENCE).untilAsserted(() -> {
                    GarbageCollection.run(storage, lsn(connection));
                    CommandRun read = page(relation, leased);
                    assertThat(read.exitCode()).isOne();
                    assertThat(read.err()).contains(leased.toString()).contains("gc cutoff");
                });
                assertThatThrownBy(() -> reader(storage, leased, "late"))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("not readable at " + leased)
                        .hasMessageContaining("below the gc cutoff");
                assertThat(cluster.refused("compute", "start", "--read-only", "--at", leased.toString()))
                        .contains("what was at " + leased + " is not kept any more");
            }
        }
    }

    private static Lsn lsn(Connection connection) throws SQLException {
        return Lsn.parse(SqlDigest.one(connection, "SELECT pg_current_wal_lsn()"));
    }

    private CommandRun page(String relation, Lsn at) throws IOException {
        StorageDirectory directory = cluster.open();
        return CommandRun.of(
                "page",
                "get",
                "--pageserver=" + directory.config().pageserverPg(),
                "--tenant-id=" + directory.config().tenantId(),
                "--timeline-id=" + directory.branches().require(MAIN).timeline(),
                "--rel=" + relation,
                "--block=0",
                "--at=" + at);
    }

    private StockReader reader(EmbeddedStorage storage, Lsn at, String name) throws Exception {
        StorageDirectory directory = storage.directory();
        Branch branch = directory.branches().require(MAIN);
        return StockReader.at(
                at,
                directory.computeConfig(branch.timelineId(), cluster.resolve(name), 0, Map.of()),
                directory.binaries(branch.pgMajor()),
                ServerUser.current(),
                StartListener.NONE);
    }
}
