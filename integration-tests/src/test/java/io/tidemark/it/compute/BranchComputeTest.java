package io.tidemark.it.compute;

import static io.tidemark.it.compute.ScratchCluster.connect;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.storage.BranchExport;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.PageserverClient.TimelineInfo;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Branches of a database at moments of its past hold what it held then, and go their own way. */
class BranchComputeTest {
    private static final String MAIN = StorageDirectory.MAIN;
    private static final Map<String, String> SETTINGS = Map.of("autovacuum", "off");

    @RegisterExtension
    final ScratchCluster cluster = new ScratchCluster("branch");

    /** What a database held at one moment. */
    private record Moment(Lsn lsn, Instant clock, Map<String, String> content) {}

    @Test
    void branchesHoldWhatWasThereThen() throws Exception {
        branchAtMoments(18, 3);
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    @Tag("slow")
    void branchesAtTwentyMomentsHoldWhatWasThereThen(int major) throws Exception {
        branchAtMoments(major, 20);
    }

    private void branchAtMoments(int major, int count) throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(major)) {
            StockCompute main = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            List<Moment> moments = new ArrayList<>();
            try (Connection connection = connect(main.postgres())) {
                SqlDigest.run(
                        connection,
                        "CREATE TABLE account (id int PRIMARY KEY, note text)",
                        "CREATE INDEX ON account USING hash (note)");
                for (int i = 0; i < count; i++) {
                    step(connection, i);
                    moments.add(new Moment(
                            Lsn.parse(SqlDigest.one(connection, "SELECT pg_current_wal_lsn()")),
                            Instant.parse(
                                    SqlDigest.one(
                                            connection,
                                            "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")),
                            SqlDigest.of(connection)));
                }
                SqlDigest.run(connection, "DROP TABLE account");
            }
            Branches branches = new Branches(storage.directory());
            for (int i = 0; i < count; i++) {
                Moment moment = moments.get(i);
                String name = "at_" + i;
                // By LSN and by clock in turn.
                branches.create(
                        name,
                        MAIN,
                        i % 2 == 0 ? new BranchTime.AtLsn(moment.lsn) : new BranchTime.AtMoment(moment.clock));
                requireContent(storage, name, moment);
            }
        }
    }

    @Test
    void aBranchMadeAtOnceKnowsWhatWasCommittedLast() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(17)) {
            StockCompute main = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            Branches branches = new Branches(storage.directory());
            try (Connection connection = connect(main.postgres())) {
                SqlDigest.run(connection, "CREATE TABLE t AS SELECT n FROM generate_series(1, 20000) AS n");
                for (int i = 0; i < 20; i++) {
                    Instant moment = Instant.parse(
                            SqlDigest.one(
                                    connection,
                                    "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"));
                    SqlDigest.run(connection, "UPDATE t SET n = n + 1");
                    Lsn updated = Lsn.parse(SqlDigest.one(connection, "SELECT pg_current_wal_lsn()"));
                    Lsn then = branches.create("then_" + i, MAIN, new BranchTime.AtMoment(moment))
                            .lsn();
                    assertThat(then).as("the branch from before the commit").isLessThan(updated);

                    SqlDigest.run(connection, "INSERT INTO t VALUES (-1)");
                    Lsn after = Lsn.parse(SqlDigest.one(connection, "SELECT pg_current_wal_lsn()"));
                    Lsn head = branches.create("head_" + i, MAIN, new BranchTime.Head())
                            .lsn();
                    assertThat(head).as("the branch from after the insert").isGreaterThanOrEqualTo(after);
                }
            }
        }
    }

    private static void step(Connection connection, int number) throws Exception {
        SqlDigest.run(
                connection,
                "INSERT INTO account SELECT n, repeat('x', n % 200) FROM generate_series(" + number * 500 + ", "
                        + (number * 500 + 499) + ") AS n",
                "UPDATE account SET note = 'step " + number + "' WHERE id % 7 = " + number % 7,
                "DELETE FROM account WHERE id % 11 = " + number % 11,
                "CREATE TABLE made_" + number + " AS SELECT * FROM account LIMIT 10");
        if (number % 3 == 2) {
            SqlDigest.run(connection, "VACUUM account", "DROP TABLE made_" + (number - 1), "CHECKPOINT");
        }
    }

    private static void requireContent(EmbeddedStorage storage, String name, Moment moment) throws Exception {
        StockCompute compute = storage.startCompute(name, 0, SETTINGS, StartListener.NONE);
        try (Connection connection = connect(compute.postgres())) {
            assertThat(SqlDigest.of(connection)).as(name).isEqualTo(moment.content);
            assertThat(SqlDigest.amcheck(connection)).as(name).isEmpty();
            SqlDigest.run(connection, "INSERT INTO account VALUES (-1, 'only here')");
        }
        storage.killCompute(name);
    }

    @Test
    void anExportedDirectoryStartsWithoutStorage() throws Exception {
        Path exported = cluster.resolve("exported");
        Map<String, String> content;
        try (EmbeddedStorage storage = cluster.embedded(16)) {
            StockCompute main = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            Lsn lsn;
            try (Connection connection = connect(main.postgres())) {
                SqlDigest.run(connection, "CREATE TABLE account (id int PRIMARY KEY, note text)");
                step(connection, 0);
                content = SqlDigest.of(connection);
                lsn = Lsn.parse(SqlDigest.one(connection, "SELECT pg_current_wal_lsn()"));
                SqlDigest.run(connection, "DROP TABLE account");
            }
            BranchExport.run(
                    storage.directory(),
                    storage.directory().branches().require(MAIN),
                    new BranchTime.AtLsn(lsn),
                    exported,
                    bytes -> {});
            assertThatThrownBy(() -> BranchExport.run(
                            storage.directory(),
                            storage.directory().branches().require(MAIN),
                            new BranchTime.Head(),
                            exported,
                            bytes -> {}))
                    .isInstanceOf(IOException.class);
        }
        assertThat(exported.resolve("postgresql.conf")).exists();
        PostgresServer server =
                PostgresServer.adopt(PostgresArchives.configured().require(16), ServerUser.current(), exported);
        server.start();
        try (server;
                Connection connection = connect(server)) {
            assertThat(SqlDigest.of(connection)).isEqualTo(content);
            SqlDigest.run(connection, "INSERT INTO account VALUES (-1, 'without storage')");
            assertThat(SqlDigest.amcheck(connection)).isEmpty();
        }
    }

    @Test
    void branchesOfBranchesAreResetRestoredAndDeleted() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(17)) {
            Branches branches = new Branches(storage.directory());
            StockCompute main = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            Lsn early;
            try (Connection connection = connect(main.postgres())) {
                SqlDigest.run(connection, "CREATE TABLE t AS SELECT 1 AS n");
                early = Lsn.parse(SqlDigest.one(connection, "SELECT pg_current_wal_lsn()"));
                SqlDigest.run(connection, "INSERT INTO t VALUES (2)");
            }
            branches.create("child", MAIN, new BranchTime.Head());
            write(storage, "child", "INSERT INTO t VALUES (30)");
            branches.create("grandchild", "child", new BranchTime.Head());
            write(storage, "grandchild", "INSERT INTO t VALUES (400)");
            assertThat(sum(storage, "grandchild")).isEqualTo("433");
            assertThat(sum(storage, "child")).isEqualTo("33");
            assertThat(sum(storage, MAIN)).isEqualTo("3");

            assertThatThrownBy(() -> branches.delete("child"))
                    .isInstanceOf(ClusterException.class)
                    .hasMessageContaining("has branches");
            assertThatThrownBy(() -> branches.reset("child")).hasMessageContaining("grandchild");
            assertThatThrownBy(() -> branches.reset(MAIN)).hasMessageContaining("no parent");
            assertThatThrownBy(() -> branches.create("child", MAIN, new BranchTime.Head()))
                    .hasMessageContaining("already");
            assertThatThrownBy(() -> branches.create("x", "nobody", new BranchTime.Head()))
                    .hasMessageContaining("there is no branch 'nobody'");

            write(storage, MAIN, "INSERT INTO t VALUES (5)");
            branches.reset("grandchild");
            assertThat(sum(storage, "grandchild")).isEqualTo("33");
            assertThat(branches.delete("grandchild")).isEmpty();
            branches.reset("child");
            assertThat(sum(storage, "child")).isEqualTo("8");

            storage.stopCompute(MAIN);
            String kept = branches.restore(MAIN, new BranchTime.AtLsn(early), Instant.now());
            assertThat(sum(storage, MAIN)).isEqualTo("1");
            assertThat(sum(storage, kept)).isEqualTo("8");
            branches.rename("child", "other");
            assertThat(sum(storage, "other")).isEqualTo("8");

            TimelineInfo info = branches.require(storage.directory().branches().require(MAIN));
            assertThat(info.ancestorLsn()).isEqualTo(early);
            assertThatThrownBy(() -> branches.create("never", MAIN, new BranchTime.AtLsn(Lsn.of(8))))
                    .isInstanceOf(ClusterException.class);
            assertThat(storage.directory().branches().find("never")).isEmpty();
        }
    }

    private static void write(EmbeddedStorage storage, String branch, String sql) throws Exception {
        StockCompute compute = storage.computes().get(branch);
        if (compute == null) {
            compute = storage.startCompute(branch, 0, SETTINGS, StartListener.NONE);
        }
        try (Connection connection = connect(compute.postgres())) {
            SqlDigest.run(connection, sql);
        }
    }

    private static String sum(EmbeddedStorage storage, String branch) throws Exception {
        StockCompute compute = storage.startCompute(branch, 0, SETTINGS, StartListener.NONE);
        try (Connection connection = connect(compute.postgres())) {
            return SqlDigest.one(connection, "SELECT sum(n) FROM t");
        } finally {
            storage.stopCompute(branch);
        }
    }
}
