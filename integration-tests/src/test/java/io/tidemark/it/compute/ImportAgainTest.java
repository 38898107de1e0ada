package io.tidemark.it.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.cluster.JvmCommand;
import io.tidemark.cli.follow.Imports;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.FollowedSource;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Imports that are made a second time, given up, forced, or wanted of a server that cannot be imported from. */
@Timeout(600)
class ImportAgainTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Map<String, String> SETTINGS = Map.of("autovacuum", "off");
    private static final String MOVED = "moved";
    private static final String ANOTHER = "another";
    private static final long SEED = 20261127;

    @RegisterExtension
    final ScratchCluster cluster = new ScratchCluster("import-again");

    private PostgresServer source(int major) throws Exception {
        PostgresServer server = PostgresServer.create(
                PostgresArchives.configured().require(major),
                ServerUser.current(),
                cluster.resolve("source"),
                new InitDbOptions("postgres", Optional.empty(), false, 16));
        server.configure(Map.of("fsync", "off", "autovacuum", "off"));
        server.start();
        return server;
    }

    private static String url(PostgresServer server) {
        return "postgres://postgres@127.0.0.1:" + server.port() + "/";
    }

    private static void run(PostgresServer server, String... sql) throws SQLException {
        try (Connection connection = ScratchCluster.connect(server)) {
            SqlDigest.run(connection, sql);
        }
    }

    private static String one(PostgresServer server, String sql) throws SQLException {
        try (Connection connection = ScratchCluster.connect(server)) {
            return SqlDigest.one(connection, sql);
        }
    }

    private static String slots(PostgresServer server) throws SQLException {
        return one(server, "SELECT count(*) FROM pg_replication_slots");
    }

    private void awaitCaughtUp(String branch) {
        await().atMost(PATIENCE)
                .until(() -> new Imports(cluster.open())
                        .status(branch)
                        .filter(status -> status.state().equals("streaming") && status.lagBytes() == 0)
                        .isPresent());
    }

    @Test
    void aServerIsImportedOnceMoreBesideItsFirstImport() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(18);
                PostgresServer source = source(15)) {
            run(source, "CREATE TABLE t AS SELECT 1 AS n");
            cluster.succeed("import", url(source), "--branch", MOVED);
            assertThat(cluster.refused("import", url(source), "--branch", ANOTHER))
                    .contains("is here already, as branch moved")
                    .contains("--again");
            run(source, "INSERT INTO t VALUES (20)");
            cluster.succeed("import", url(source), "--branch", ANOTHER, "--again");
            assertThat(slots(source)).isEqualTo("2");
            run(source, "INSERT INTO t VALUES (300)");
            source.stop(PostgresServer.Shutdown.FAST, PATIENCE);

            // Both have all of it, and each goes its own way from here.
            cluster.succeed("import", "cut-over", "--branch", MOVED);
            cluster.succeed("import", "cut-over", "--branch", ANOTHER);
            StockCompute moved = storage.startCompute(MOVED, 0, SETTINGS, StartListener.NONE);
            run(moved.postgres(), "INSERT INTO t VALUES (4000)");
            StockCompute another = storage.startCompute(ANOTHER, 0, SETTINGS, StartListener.NONE);
            assertThat(one(another.postgres(), "SELECT sum(n) FROM t")).isEqualTo("321");
            assertThat(one(moved.postgres(), "SELECT sum(n) FROM t")).isEqualTo("4321");
        }
    }

    @Test
    void aForcedCutOverTakesWhatIsCommittedByThenAndLeavesTheServerAlone() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(18);
                PostgresServer source = source(16)) {
            run(source, "CREATE TABLE t AS SELECT 1 AS n");
            try (SourceLoad load = new SourceLoad(source, SEED)) {
                load.awaitTransactions(50);
                cluster.succeed("import", url(source), "--branch", MOVED);
                load.awaitTransactions(50);
                run(source, "INSERT INTO t VALUES (20)");
                assertThat(cluster.refused("import", "cut-over", "--branch", MOVED))
                        .contains("still takes writes")
                        .contains("--force");
                assertThat(cluster.succeed("import", "cut-over", "--branch", MOVED, "--force"))
                        .contains("follows no more")
                        .doesNotContain("pg_drop_replication_slot");
                run(source, "INSERT INTO t VALUES (300)");
                load.awaitTransactions(50);
            }
            assertThat(slots(source)).isEqualTo("0");
            assertThat(one(source, "SELECT sum(n) FROM t")).isEqualTo("321");
            StockCompute compute = storage.startCompute(MOVED, 0, SETTINGS, StartListener.NONE);
            assertThat(one(compute.postgres(), "SELECT sum(n) FROM t")).isEqualTo("21");
            // Whole transactions, though it was cut in the middle of them.
            assertThat(one(
                            compute.postgres(),
                            "SELECT (SELECT sum(balance) FROM accounts) = (SELECT sum(balance) FROM branches)"
                                    + " AND (SELECT sum(balance) FROM accounts) = (SELECT sum(delta) FROM history)"))
                    .isEqualTo("t");
            try (Connection connection = ScratchCluster.connect(compute.postgres())) {
                assertThat(SqlDigest.amcheck(connection)).isEmpty();
            }
        }
    }

    @Test
    void aForcedCutOverOfAServerThatCrashedTakesWhatHasArrived() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(18);
                PostgresServer source = source(14)) {
            run(source, "CREATE TABLE t AS SELECT 1 AS n");
            cluster.succeed("import", url(source), "--branch", MOVED);
            run(source, "INSERT INTO t VALUES (20)");
            awaitCommitted(source);
            source.kill();
            assertThat(cluster.refused("import", "cut-over", "--branch", MOVED)).contains("--force takes what is here");
            assertThat(cluster.succeed("import", "cut-over", "--branch", MOVED, "--force"))
                    .contains("follows no more")
                    .contains("when the server runs again")
                    .contains("pg_drop_replication_slot");
            StockCompute compute = storage.startCompute(MOVED, 0, SETTINGS, StartListener.NONE);
            assertThat(one(compute.postgres(), "SELECT sum(n) FROM t")).isEqualTo("21");
        }
    }

    /** Waits until a quorum has what the server has committed so far. */
    private void awaitCommitted(PostgresServer source) throws SQLException {
        String flushed = one(source, "SELECT pg_current_wal_flush_lsn()");
        await().atMost(PATIENCE)
                .until(() -> new Imports(cluster.open())
                        .status(MOVED)
                        .filter(status -> Lsn.parse(status.commitLsn()).isAtLeast(Lsn.parse(flushed)))
                        .isPresent());
    }

    @Test
    void aStandbyIsNoSourceAndNeitherIsOneThatWasPromoted() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(18);
                PostgresServer source = source(17)) {
            source.stop(PostgresServer.Shutdown.FAST, PATIENCE);
            Path copy = cluster.resolve("standby");
            copyTree(source.dataDir(), copy);
            Files.writeString(copy.resolve("standby.signal"), "");
            source.start();
            try (PostgresServer standby =
                    PostgresServer.adopt(PostgresArchives.configured().require(17), ServerUser.current(), copy)) {
                standby.configure(Map.of(
                        "fsync",
                        "off",
                        "primary_conninfo",
                        "host=127.0.0.1 port=" + source.port() + " user=postgres sslmode=disable"));
                standby.start();
                String refused = cluster.refused("import", url(standby), "--branch", MOVED);
                assertThat(refused).contains("is a standby: import from its primary");
                assertThat(refused.lines().filter(line -> line.contains("standby")))
                        .hasSize(1);
                run(standby, "SELECT pg_promote()");
                assertThat(cluster.refused("import", url(standby), "--branch", MOVED))
                        .contains("WAL timeline (tli) 2: it was promoted");
                assertThat(slots(standby)).isEqualTo("0");
            }
            assertThat(storage.directory().branches().find(MOVED)).isEmpty();
            assertThat(FollowedSource.find(storage.directory().layout(), MOVED)).isEmpty();
            assertThat(storage.directory().pageserver().all()).hasSize(1);
        }
    }

    private static void copyTree(Path from, Path to) throws IOException {
        try (Stream<Path> paths = Files.walk(from)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                Files.copy(path, to.resolve(from.relativize(path)), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    @Test
    void anImportThatWasGivenUpIsMadeAgain() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(18);
                PostgresServer source = source(18)) {
            run(source, "CREATE TABLE t AS SELECT 1 AS n");
            cluster.succeed("import", url(source), "--branch", MOVED);
            cluster.succeed("import", "abort", "--branch", MOVED);
            assertThat(slots(source)).isEqualTo("0");
            assertThat(cluster.refused("import", "abort", "--branch", MOVED)).contains("is not being imported");
            run(source, "INSERT INTO t VALUES (20)");

            // Its command is killed when there is a slot on the server, and no branch yet.
            Process command = importUntilTheCatalogue(source);
            assertThat(storage.directory().branches().find(MOVED)).isEmpty();
            assertThat(command.isAlive()).isFalse();
            assertThat(slots(source)).isEqualTo("1");
            assertThat(cluster.refused("import", url(source), "--branch", MOVED))
                    .contains("is being imported")
                    .contains("tidemark import abort --branch moved");
            cluster.succeed("import", "abort", "--branch", MOVED);
            assertThat(slots(source)).isEqualTo("0");

            cluster.succeed("import", url(source), "--branch", MOVED);
            run(source, "INSERT INTO t VALUES (300)");
            awaitCaughtUp(MOVED);
            source.stop(PostgresServer.Shutdown.FAST, PATIENCE);
            cluster.succeed("import", "cut-over", "--branch", MOVED);
            StockCompute compute = storage.startCompute(MOVED, 0, SETTINGS, StartListener.NONE);
            assertThat(one(compute.postgres(), "SELECT sum(n) FROM t")).isEqualTo("321");
            assertThat(storage.directory().pageserver().all()).hasSize(2);
        }
    }

    private Process importUntilTheCatalogue(PostgresServer source) throws Exception {
        try (FileChannel channel = FileChannel.open(
                        cluster.directory().resolve("branches.json.lock"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
                FileLock held = channel.lock()) {
            assertThat(held.isValid()).isTrue();
            Process command = new ProcessBuilder(JvmCommand.of(
                            "import", List.of(url(source), "--branch=" + MOVED, "--dir=" + cluster.directory())))
                    .redirectErrorStream(true)
                    .redirectOutput(cluster.resolve("command.log").toFile())
                    .start();
            await().atMost(PATIENCE).until(() -> slots(source).equals("1"));
            assertThat(command.isAlive()).isTrue();
            command.destroyForcibly();
            assertThat(command.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            return command;
        }
    }
}
