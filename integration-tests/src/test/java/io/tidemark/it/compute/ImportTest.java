package io.tidemark.it.compute;

import static io.tidemark.it.compute.ScratchCluster.connect;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.cluster.ServerProcess;
import io.tidemark.cli.follow.Imports;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.it.CommandRun;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/** A server under load becomes a branch that follows it; cut over, a compute on it has what the server had in the end. */
@Timeout(600)
class ImportTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Map<String, String> SETTINGS = Map.of("autovacuum", "off");
    private static final String MOVED = "moved";
    private static final long SEED = 20261126;

    @RegisterExtension
    final ScratchCluster cluster = new ScratchCluster("import");

    private PostgresServer source(int major, boolean checksums, Map<String, String> settings) throws Exception {
        PostgresServer server = PostgresServer.create(
                PostgresArchives.configured().require(major),
                ServerUser.current(),
                cluster.resolve("source"),
                new InitDbOptions("postgres", Optional.empty(), checksums, 16));
        Map<String, String> all = new HashMap<>(Map.of("fsync", "off", "autovacuum", "off"));
        all.putAll(settings);
        server.configure(all);
        server.start();
        return server;
    }

    private static String url(PostgresServer server) {
        return "postgres://postgres@127.0.0.1:" + server.port() + "/";
    }

    private boolean isCaughtUp() throws IOException {
        return new Imports(cluster.open())
                .status(MOVED)
                .filter(status -> status.state().equals("streaming") && status.lagBytes() == 0)
                .isPresent();
    }

    @Test
    void aServerUnderLoadIsMoved() throws Exception {
        move(15, true, true);
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    @Tag("slow")
    void aServerOfEveryVersionIsMoved(int major) throws Exception {
        move(major, major % 2 == 0, false);
        // The other way to end it, and the other kind of cluster.
        cluster.renew();
        move(major, major % 2 != 0, true);
    }

    /** @param shutDown whether the source is shut down in the end, or made read-only */
    private void move(int major, boolean checksums, boolean shutDown) throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(18);
                PostgresServer source = source(major, checksums, Map.of("max_prepared_transactions", "2"))) {
            Map<String, String> before;
            try (SourceLoad load = new SourceLoad(source, SEED)) {
                load.awaitTransactions(50);
                String made = cluster.succeed("import", url(source), "--branch", MOVED);
                assertThat(made).contains("Branch moved follows").contains("PostgreSQL " + major);
                load.awaitTransactions(50);
                assertFollows(storage);
                assertThat(cluster.refused("import", "cut-over", "--branch", MOVED))
                        .contains("still takes writes");
                try (Connection connection = connect(source)) {
                    SqlDigest.run(
                            connection,
                            "CREATE TABLE late AS SELECT n, md5(n::text) AS t FROM generate_series(1, 5000) n",
                            "CREATE INDEX ON late USING gin (to_tsvector('simple', t))",
                            "CREATE UNLOGGED TABLE fleeting AS SELECT 1 AS n",
                            "BEGIN",
                            "INSERT INTO late VALUES (-1, 'prepared')",
                            "PREPARE TRANSACTION 'survives'",
                            "VACUUM accounts");
                }
                load.awaitTransactions(50);
            }
            try (Connection connection = connect(source)) {
                before = SqlDigest.of(connection);
            }
            end(source, shutDown);
            String done = cluster.succeed("import", "cut-over", "--branch", MOVED);
            assertThat(done).contains("follows no more");
            if (!shutDown) {
                try (Connection connection = connect(source)) {
                    assertThat(SqlDigest.one(connection, "SELECT count(*) FROM pg_replication_slots"))
                            .isEqualTo("0");
                }
            }
            assertThat(cluster.run("branch", "list").out()).doesNotContain("follows");
            StockCompute compute = storage.startCompute(MOVED, 0, prepared(), StartListener.NONE);
            try (Connection connection = connect(compute.postgres())) {
                assertThat(SqlDigest.of(connection)).isEqualTo(before);
                assertThat(SqlDigest.one(connection, "SHOW data_checksums")).isEqualTo(checksums ? "on" : "off");
                assertThat(SqlDigest.one(connection, "SELECT count(*) FROM fleeting"))
                        .isEqualTo("0");
                assertThat(SqlDigest.amcheck(connection)).isEmpty();
                SqlDigest.run(connection, "COMMIT PREPARED 'survives'", "VACUUM", "CHECKPOINT");
                assertThat(SqlDigest.one(connection, "SELECT count(*) FROM late"))
                        .isEqualTo("5001");
            }
            storage.stopCompute(MOVED);
        }
    }

    private static Map<String, String> prepared() {
        Map<String, String> settings = new HashMap<>(SETTINGS);
        settings.put("max_prepared_transactions", "2");
        return settings;
    }

    private static void end(PostgresServer source, boolean shutDown) throws Exception {
        if (shutDown) {
            source.stop(PostgresServer.Shutdown.FAST, PATIENCE);
            return;
        }
        try (Connection connection = connect(source)) {
            SqlDigest.run(connection, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()");
        }
        await().atMost(PATIENCE).until(() -> {
            try (Connection connection = connect(source)) {
                return SqlDigest.one(connection, "SHOW default_transaction_read_only")
                        .equals("on");
            }
        });
    }

    private void assertFollows(EmbeddedStorage storage) throws Exception {
        assertThat(cluster.succeed("branch", "list")).contains("follows postgres://");
        assertThat(cluster.succeed("branch", "list", "--json")).contains("\"lagBytes\"");
        assertThatThrownBy(() -> storage.startCompute(MOVED, 0, SETTINGS, StartListener.NONE))
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("is being imported");
        assertThat(cluster.refused("branch", "delete", MOVED)).contains("import abort");
        // Somebody may look at it already.
        new Branches(storage.directory()).create("look", MOVED, new BranchTime.Head());
        StockCompute compute = storage.startCompute("look", 0, prepared(), StartListener.NONE);
        try (Connection connection = connect(compute.postgres())) {
            assertThat(SqlDigest.one(
                            connection,
                            "SELECT (SELECT sum(balance) FROM accounts) = (SELECT sum(balance) FROM branches)"
                                    + " AND (SELECT sum(balance) FROM accounts) = (SELECT sum(delta) FROM history)"))
                    .isEqualTo("t");
        }
        storage.killCompute("look");
        new Branches(storage.directory()).delete("look");
    }

    @Test
    void whatCannotBeImportedIsSaidClearlyAndLeavesNothing() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(18);
                PostgresServer source = source(16, false, Map.of("max_replication_slots", "1"))) {
            assertThat(cluster.refused("import", url(source))).contains("there is a branch 'main' already");
            assertThat(cluster.refused("import", "postgres://postgres@127.0.0.1:1/", "--branch", MOVED))
                    .contains("127.0.0.1:1");
            assertThat(cluster.refused("import", url(source), "--branch", MOVED))
                    .contains("replication slots")
                    .contains("import needs two");
            assertNothingIsLeft(storage, source);
            restart(source, Map.of("max_replication_slots", "4", "wal_level", "minimal", "max_wal_senders", "0"));
            assertThat(cluster.refused("import", url(source), "--branch", MOVED))
                    .contains("wal_level = minimal");
            restart(source, Map.of("wal_level", "replica", "max_wal_senders", "10"));
            try (Connection connection = connect(source)) {
                SqlDigest.run(connection, "CREATE ROLE weak LOGIN");
            }
            assertThat(cluster.refused(
                            "import",
                            "postgres://weak:secret@127.0.0.1:" + source.port() + "/postgres",
                            "--branch",
                            MOVED))
                    .contains("ALTER ROLE \"weak\" REPLICATION")
                    .doesNotContain("secret");
            Path tablespace = Files.createDirectory(cluster.resolve("space"));
            ServerUser.current().own(tablespace);
            try (Connection connection = connect(source)) {
                SqlDigest.run(connection, "CREATE TABLESPACE space LOCATION '" + tablespace + "'");
            }
            assertThat(cluster.refused("import", url(source), "--branch", MOVED))
                    .contains("tablespace")
                    .contains("move everything to pg_default");
            assertNothingIsLeft(storage, source);
            try (Connection connection = connect(source)) {
                SqlDigest.run(connection, "DROP TABLESPACE space");
            }
            cluster.succeed("import", url(source), "--branch", MOVED);
            assertThat(cluster.refused("import", url(source), "--branch", "another"))
                    .contains("is here already, as branch moved");
            assertThat(cluster.succeed("import", "abort", "--branch", MOVED)).contains("the branch is gone");
            assertNothingIsLeft(storage, source);
        }
    }

    private static void restart(PostgresServer source, Map<String, String> settings) throws Exception {
        source.stop(PostgresServer.Shutdown.FAST, PATIENCE);
        source.configure(settings);
        source.start();
    }

    private static void assertNothingIsLeft(EmbeddedStorage storage, PostgresServer source) throws Exception {
        assertThat(storage.directory().branches().find(MOVED)).isEmpty();
        assertThat(storage.directory().layout().importDir(MOVED)).doesNotExist();
        assertThat(storage.directory().pageserver().all()).hasSize(1);
        assertThat(new Imports(storage.directory()).process(MOVED).isRunning()).isFalse();
        try (Connection connection = connect(source)) {
            assertThat(SqlDigest.one(connection, "SELECT count(*) FROM pg_replication_slots"))
                    .isEqualTo("0");
        }
    }

    @Test
    void aServerThatWasNotShutDownInOrderIsNotCutOver() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(18);
                PostgresServer source = source(17, false, Map.of())) {
            try (Connection connection = connect(source)) {
                SqlDigest.run(connection, "CREATE TABLE t AS SELECT 1 AS n");
            }
            cluster.succeed("import", url(source), "--branch", MOVED);
            try (Connection connection = connect(source)) {
                SqlDigest.run(connection, "INSERT INTO t VALUES (20)");
            }
            source.kill();
            assertThat(cluster.refused("import", "cut-over", "--branch", MOVED))
                    .contains("not the checkpoint of an orderly shutdown");
            // It was not given up: the server comes back, and its follower goes on.
            source.start();
            try (Connection connection = connect(source)) {
                SqlDigest.run(connection, "INSERT INTO t VALUES (300)");
            }
            await().atMost(PATIENCE).until(this::isCaughtUp);
            // Its process is killed when nobody looks, and started again with the rest.
            new Imports(storage.directory()).process(MOVED).kill();
            try (Connection connection = connect(source)) {
                SqlDigest.run(connection, "INSERT INTO t VALUES (4000)");
            }
            assertThat(new Imports(storage.directory()).launchAll()).containsExactly(MOVED);
            await().atMost(PATIENCE).until(this::isCaughtUp);
            source.stop(PostgresServer.Shutdown.FAST, PATIENCE);
            cluster.succeed("import", "cut-over", "--branch", MOVED);
            StockCompute compute = storage.startCompute(MOVED, 0, SETTINGS, StartListener.NONE);
            try (Connection connection = connect(compute.postgres())) {
                assertThat(SqlDigest.one(connection, "SELECT sum(n) FROM t")).isEqualTo("4321");
            }
        }
    }

    @Test
    void aPasswordIsTakenFromAFileAndToldToNobody() throws Exception {
        String password = "s3cret-of-the-source";
        Path passwordFile = cluster.resolve("password");
        Files.writeString(passwordFile, password + "\n");
        try (EmbeddedStorage storage = cluster.embedded(18);
                PostgresServer source = PostgresServer.create(
                        PostgresArchives.configured().require(18),
                        ServerUser.current(),
                        cluster.resolve("source"),
                        InitDbOptions.defaults().withPassword(password))) {
            source.start();
            assertThat(cluster.refused("import", url(source), "--branch", MOVED))
                    .contains("password");
            String made = cluster.succeed("import", url(source), "--branch", MOVED, "--password-file=" + passwordFile);
            String told = made + cluster.succeed("branch", "list", "--json") + cluster.run("status", "--json");
            assertThat(told).contains(url(source)).doesNotContain(password);
            ServerProcess process = new Imports(storage.directory()).process(MOVED);
            assertThat(process.handle().orElseThrow().info().commandLine().orElse(""))
                    .doesNotContain(password);
            assertThat(Files.readString(process.logFile())).doesNotContain(password);
            assertThat(cluster.succeed("import", "abort", "--branch", MOVED))
                    .isEqualToIgnoringNewLines("The import of branch moved is given up; the branch is gone.");
        }
    }

    /** From the first command to the last, with nothing in this process. */
    @Test
    @Tag("slow")
    void mainOfANewClusterIsImported() throws Exception {
        try (PostgresServer source = source(14, true, Map.of())) {
            try (Connection connection = connect(source)) {
                SqlDigest.run(connection, "CREATE TABLE t AS SELECT 1 AS n");
            }
            try {
                assertThat(cluster.succeed("start", "--no-main")).doesNotContain("takes commits");
                CommandRun made = cluster.run("import", url(source));
                assertThat(made.exitCode()).as(made.toString()).isZero();
                assertThat(made.err()).contains("asking postgres://");
                cluster.succeed("stop");
                try (Connection connection = connect(source)) {
                    SqlDigest.run(connection, "INSERT INTO t VALUES (20)");
                }
                assertThat(cluster.succeed("start"))
                        .contains("Branch main follows the server")
                        .doesNotContain("takes commits");
                await().atMost(PATIENCE)
                        .until(() -> cluster.succeed("status")
                                .contains("Branch main follows " + url(source) + ", 0 kB behind."));
                assertThat(cluster.refused("compute", "start")).contains("is being imported");
                source.stop(PostgresServer.Shutdown.FAST, PATIENCE);
                assertThat(cluster.succeed("import", "cut-over")).contains("tidemark compute start --branch main");
                String started = cluster.succeed("compute", "start", "--json");
                int port = JsonMapper.shared().readTree(started).path("port").asInt();
                try (Connection connection = connect(port)) {
                    assertThat(SqlDigest.one(connection, "SELECT sum(n) FROM t"))
                            .isEqualTo("21");
                    assertThat(SqlDigest.one(connection, "SHOW server_version")).startsWith("14.");
                }
                assertThat(cluster.succeed("status")).doesNotContain("follows");
                cluster.succeed("compute", "stop");
                cluster.succeed("branch", "rename", "main", "prod");
                assertThat(cluster.succeed("start"))
                        .contains("There is no branch main")
                        .doesNotContain("takes commits");
            } finally {
                cluster.run("stop");
            }
        }
    }
}
