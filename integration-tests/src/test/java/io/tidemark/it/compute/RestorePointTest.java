package io.tidemark.it.compute;

import static io.tidemark.it.compute.ScratchCluster.connect;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.cluster.JsonHttp;
import io.tidemark.cli.storage.BranchExport;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.PageserverClient.RestorePoint;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.it.CommandRun;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What pg_create_restore_point named on a compute can be branched from, restored to and exported by that name. */
class RestorePointTest {
    private static final String MAIN = StorageDirectory.MAIN;
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final Map<String, String> SETTINGS = Map.of("autovacuum", "off");

    @RegisterExtension
    final ScratchCluster cluster = new ScratchCluster("point");

    @Test
    void aNamedPlaceIsGoneBackTo() throws Exception {
        goBack(17);
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 18})
    @Tag("slow")
    void aNamedPlaceIsGoneBackToInEveryVersion(int major) throws Exception {
        goBack(major);
    }

    private void goBack(int major) throws Exception {
        Lsn early;
        Lsn later;
        try (EmbeddedStorage storage = cluster.embedded(major)) {
            StockCompute main = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            Branches branches = new Branches(storage.directory());
            try (Connection connection = connect(main.postgres())) {
                SqlDigest.run(connection, "CREATE TABLE t AS SELECT 1 AS n");
                Lsn first = point(connection, "before migration");
                SqlDigest.run(connection, "INSERT INTO t VALUES (2)");
                early = point(connection, "0/1234");
                SqlDigest.run(connection, "INSERT INTO t VALUES (40)");
                later = point(connection, "before migration");
                // Nothing follows that would flush it; what is flushed has this name at another place.
                branches.create("b", MAIN, new BranchTime.AtPoint("before migration"));
                SqlDigest.run(connection, "INSERT INTO t VALUES (800)");
                branches.create("c", "b", BranchTime.parse("point:0/1234", Instant.now()));
                // The name that was given again later is there as it was then.
                assertThat(names(branches, storage, "c"))
                        .containsExactly("before migration " + first, "0/1234 " + early);
            }
            assertThat(names(branches, storage, MAIN)).containsExactly("0/1234 " + early, "before migration " + later);
            assertThat(sum(storage, "b")).isEqualTo("43");
            // As of before it left its parent; the parent's history, under the branch's name.
            assertThat(sum(storage, "c")).isEqualTo("3");
            assertThatThrownBy(() -> branches.create("d", "c", new BranchTime.AtPoint("after migration")))
                    .isInstanceOf(ClusterException.class)
                    .hasMessageContaining("no restore point 'after migration'")
                    .hasMessageContaining("[before migration, 0/1234]");
            assertThat(storage.directory().branches().find("d")).isEmpty();
            export(storage, major);
        }
        // Durable: other processes serve it now.
        try (EmbeddedStorage storage = cluster.embedded(major)) {
            Branches branches = new Branches(storage.directory());
            assertThat(names(branches, storage, MAIN)).containsExactly("0/1234 " + early, "before migration " + later);
            assertThat(command("branch", "points", "--json", "b"))
                    .contains("\"0/1234\"", "\"" + early + "\"", "\"main\"", "\"" + later + "\"", "\"b\"");
            assertThat(command("branch", "points")).contains("before migration", later.toString());
            assertThat(command("branch", "restore", MAIN, "--at", "point:0/1234"))
                    .contains("is back at point:0/1234");
            assertThat(sum(storage, MAIN)).isEqualTo("3");
        }
    }

    @Test
    void aNamedPlaceIsGoneBackToAlsoWhenTheParentIsGone() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(16)) {
            Branches branches = new Branches(storage.directory());
            StockCompute main = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            try (Connection connection = connect(main.postgres())) {
                SqlDigest.run(connection, "CREATE TABLE t AS SELECT 1 AS n");
                point(connection, "the parent");
                SqlDigest.run(connection, "INSERT INTO t VALUES (20)");
                branches.create("history", MAIN, new BranchTime.Head());
                branches.create("images", MAIN, new BranchTime.Head());
            }
            storage.stopCompute(MAIN);
            for (String name : List.of("images", "history")) {
                StockCompute compute = storage.startCompute(name, 0, SETTINGS, StartListener.NONE);
                try (Connection connection = connect(compute.postgres())) {
                    point(connection, "own");
                    SqlDigest.run(connection, "INSERT INTO t VALUES (300)");
                }
                storage.stopCompute(name);
            }
            detach(storage, "images", "multi_level_and_no_reparent");
            detach(storage, "history", "no_ancestor_and_reparent");
            branches.delete(MAIN);
            branches.create("a", "history", new BranchTime.AtPoint("the parent"));
            branches.create("b", "history", new BranchTime.AtPoint("own"));
            branches.create("c", "images", new BranchTime.AtPoint("own"));
            assertThat(sum(storage, "a")).isEqualTo("1");
            assertThat(sum(storage, "b")).isEqualTo("21");
            assertThat(sum(storage, "c")).isEqualTo("21");
            assertThatThrownBy(() -> branches.create("d", "images", new BranchTime.AtPoint("the parent")))
                    .hasMessageContaining("no restore point 'the parent'");
        }
    }

    private static void detach(EmbeddedStorage storage, String branch, String behavior) throws IOException {
        StorageDirectory directory = storage.directory();
        JsonHttp http = new JsonHttp(directory.config().pageserverHttp().toString(), PATIENCE, 1 << 20);
        String path = "/v1/tenant/" + directory.config().tenantId() + "/timeline/"
                + directory.branches().require(branch).timelineId();
        JsonHttp.Answer answer = http.ask("PUT", path + "/detach_ancestor?detach_behavior=" + behavior, null, PATIENCE);
        assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    }

    private static Lsn point(Connection connection, String name) throws Exception {
        return Lsn.parse(SqlDigest.one(connection, "SELECT pg_create_restore_point('" + name + "')"));
    }

    private static List<String> names(Branches branches, EmbeddedStorage storage, String branch) throws IOException {
        return branches.restorePoints(storage.directory().branches().require(branch)).stream()
                .sorted(Comparator.comparing(RestorePoint::lsn))
                .map(point -> point.name() + " " + point.lsn())
                .toList();
    }

    private void export(EmbeddedStorage storage, int major) throws Exception {
        Path exported = cluster.resolve("exported");
        BranchExport.run(
                storage.directory(),
                storage.directory().branches().require("b"),
                new BranchTime.AtPoint("0/1234"),
                exported,
                bytes -> {});
        PostgresServer server =
                PostgresServer.adopt(PostgresArchives.configured().require(major), ServerUser.current(), exported);
        server.start();
        try (server;
                Connection connection = connect(server)) {
            assertThat(SqlDigest.one(connection, "SELECT sum(n) FROM t")).isEqualTo("3");
        }
    }

    private String command(String... words) {
        CommandRun run = CommandRun.of(Stream.concat(Stream.of(words), Stream.of("--dir=" + cluster.resolve("cluster")))
                .toArray(String[]::new));
        assertThat(run.exitCode()).as(run.toString()).isZero();
        return run.out();
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
