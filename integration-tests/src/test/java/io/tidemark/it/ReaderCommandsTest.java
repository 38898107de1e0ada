package io.tidemark.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.storage.StorageProcesses;
import io.tidemark.shim.postgres.ServerUser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The commands about computes that only read, with their processes. */
@Timeout(300)
class ReaderCommandsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private Path scratch = Path.of("unset");
    private Path directory = Path.of("unset");

    @BeforeEach
    void makeScratch() throws Exception {
        scratch = ServerUser.current().scratchDirectory("tidemark-it-readers-");
        directory = scratch.resolve("cluster");
    }

    @AfterEach
    void removeScratch() throws Exception {
        if (StorageDirectory.exists(directory)) {
            run("stop");
        }
        try (Stream<Path> paths = Files.walk(scratch)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        }
    }

    private CommandRun run(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--dir");
        all.add(directory.toString());
        return CommandRun.of(all.toArray(String[]::new));
    }

    private CommandRun succeed(String... arguments) {
        CommandRun done = run(arguments);
        assertThat(done.exitCode()).as(done.toString()).isZero();
        return done;
    }

    private void fail(String message, String... arguments) {
        CommandRun done = run(arguments);
        assertThat(done.exitCode()).as(done.toString()).isOne();
        assertThat(done.err()).contains(message);
        assertThat(done.err().lines()).as("one line").hasSize(1);
    }

    private static Connection connect(int port) throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/postgres", "postgres", "");
    }

    private static String one(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).as(sql).isTrue();
            return String.valueOf(rows.getString(1));
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private JsonNode row(String name) {
        for (JsonNode row : JsonMapper.shared()
                .readTree(succeed("compute", "list", "--json").out())) {
            if (row.get("name").asString().equals(name)) {
                return row;
            }
        }
        throw new AssertionError("no compute " + name);
    }

    private static int port(CommandRun started) {
        return JsonMapper.shared().readTree(started.out()).get("port").asInt();
    }

    @Test
    @Tag("slow")
    void aReaderIsStartedListedRestartedAndStopped() throws Exception {
        int mainPort = port(started());
        String lsn;
        try (Connection main = connect(mainPort)) {
            execute(main, "CREATE TABLE t AS SELECT 1 AS n");
            lsn = one(main, "SELECT pg_current_wal_lsn()");
            execute(main, "INSERT INTO t VALUES (2)");
        }
        String derived = lsn.replace('/', '-');
        int port = port(succeed("compute", "start", "--read-only", "--at", lsn, "--json"));
        int headPort = port(succeed("compute", "start", "--read-only", "--name", "now", "--json"));
        assertCount(port, "1");
        assertCount(headPort, "2");
        assertThat(row(derived).get("kind").asString()).isEqualTo("read-only");
        assertThat(row(derived).get("state").asString()).isEqualTo("running");
        assertThat(row(derived).get("startLsn").asString()).isEqualTo(lsn);
        assertThat(row("").get("kind").asString()).isEqualTo("read-write");
        assertThat(succeed("status").out()).contains("compute-main@now");
        fail("main@now runs already", "compute", "start", "--read-only", "--name", "now");

        // The same LSN and port again, by its name, whatever has been written since.
        assertThat(port(succeed("compute", "restart", "--name", derived, "--json")))
                .isEqualTo(port);
        assertCount(port, "1");
        succeed("compute", "stop", "--name", derived);
        assertThat(row(derived).get("state").asString()).isEqualTo("stopped");
        assertThat(row(derived).get("startLsn").asString()).isEqualTo(lsn);
        succeed("compute", "start", "--name", derived);
        assertCount(port, "1");
        try (Connection main = connect(mainPort)) {
            execute(main, "INSERT INTO t VALUES (3)");
        }

        fail("nothing is at 7FFFFFFF/0 yet", "compute", "start", "--read-only", "--at", "7FFFFFFF/0");
        fail("is not kept any more", "compute", "start", "--read-only", "--at", "0/1000028");
        fail("has no compute 'nobody'", "compute", "start", "--name", "nobody");

        succeed("compute", "stop");
        fail("compute main@" + derived + " runs", "branch", "rename", "main", "other");
        succeed("compute", "stop", "--name", "now", "--remove");
        assertThat(succeed("compute", "list").out()).doesNotContain("main@now").contains("main@" + derived);
    }

    @Test
    void onePromotedBehindOurBackIsTold() throws Exception {
        try (Connection main = connect(port(started()))) {
            execute(main, "CREATE TABLE t AS SELECT 1 AS n");
        }
        int port = port(succeed("compute", "start", "--read-only", "--name", "now", "--json"));
        promotedWithoutAProcessOfOurs("now", port);
    }

    @Test
    @Tag("slow")
    void aReplicaIsStartedKilledAndReplacedByAWriter() throws Exception {
        int mainPort = port(started());
        try (Connection main = connect(mainPort)) {
            execute(main, "CREATE TABLE t AS SELECT 1 AS n");
        }
        int port = port(succeed("compute", "start", "--replica", "--json"));
        assertThat(row("replica").get("kind").asString()).isEqualTo("replica");
        try (Connection main = connect(mainPort)) {
            execute(main, "INSERT INTO t VALUES (2)");
        }
        awaitCount(port, "2");

        StorageDirectory opened = StorageDirectory.open(directory);
        StorageProcesses storage = new StorageProcesses(opened);
        onAnotherWhenItsSafekeeperStandsStill(opened, mainPort, port);

        // All safekeepers and the writer at once; the replica stays.
        for (long id = 1; id <= 3; id++) {
            storage.safekeeper(id).kill();
        }
        new Computes(opened).process("main").kill();
        succeed("start");
        // Its PostgreSQL has outlived it and kept the port.
        int newPort = row("").get("port").asInt();
        try (Connection main = connect(newPort)) {
            execute(main, "INSERT INTO t VALUES (4)");
        }
        awaitCount(port, "4");
        fail("main@replica runs already", "compute", "start", "--replica", "--name", "replica");
        succeed("compute", "start", "--replica");
        assertThat(row("replica-2").get("state").asString()).isEqualTo("running");

        CommandRun promoted = succeed("compute", "promote", "--name", "replica", "--json");
        assertThat(port(promoted)).isEqualTo(newPort);
        try (Connection main = connect(newPort)) {
            execute(main, "INSERT INTO t VALUES (5)");
        }
        awaitCount(row("replica-2").get("port").asInt(), "5");
        assertThat(succeed("compute", "list").out()).contains("main@replica-2").doesNotContain("main@replica ");
    }

    /** A stopped process takes connections and says nothing: PostgreSQL alone would wait for it. */
    private static void onAnotherWhenItsSafekeeperStandsStill(StorageDirectory opened, int mainPort, int port)
            throws Exception {
        int sender;
        try (Connection replica = connect(port)) {
            sender = Integer.parseInt(one(replica, "SELECT sender_port FROM pg_stat_wal_receiver"));
        }
        long id = opened.config().safekeepers().stream()
                .filter(place -> place.pgPort() == sender)
                .mapToLong(SafekeeperPlace::id)
                .findFirst()
                .orElseThrow();
        long pid = new StorageProcesses(opened)
                .safekeeper(id)
                .handle()
                .orElseThrow()
                .pid();
        signal(pid, "-STOP");
        try (Connection main = connect(mainPort)) {
            execute(main, "INSERT INTO t VALUES (3)");
            awaitCount(port, "3");
        } finally {
            signal(pid, "-CONT");
        }
    }

    private static void signal(long pid, String signal) throws Exception {
        assertThat(new ProcessBuilder("kill", signal, Long.toString(pid))
                        .inheritIO()
                        .start()
                        .waitFor())
                .isZero();
    }

    private static void awaitCount(int port, String rows) {
        await().atMost(PATIENCE).ignoreExceptionsInstanceOf(SQLException.class).untilAsserted(() -> {
            try (Connection connection = connect(port)) {
                assertThat(one(connection, "SELECT count(*) FROM t")).isEqualTo(rows);
                assertThat(one(connection, "SELECT pg_is_in_recovery()")).isEqualTo("t");
            }
        });
    }

    private CommandRun started() {
        succeed("start", "--pg", "16", "--no-compute");
        return succeed("compute", "start", "--json");
    }

    private static void assertCount(int port, String rows) throws SQLException {
        try (Connection connection = connect(port)) {
            assertThat(one(connection, "SELECT count(*) FROM t")).isEqualTo(rows);
            assertThat(one(connection, "SELECT pg_is_in_recovery()")).isEqualTo("t");
        }
    }

    /** Nobody stops it then, but it is told. */
    private void promotedWithoutAProcessOfOurs(String name, int port) throws Exception {
        StorageDirectory opened = StorageDirectory.open(directory);
        new Computes(opened).process("main@" + name).kill();
        assertThat(row(name).get("state").asString()).isEqualTo("dead");
        Files.delete(opened.layout().computeDir("main@" + name).resolve("data").resolve("promote"));
        try (Connection connection = connect(port)) {
            assertThat(one(connection, "SELECT pg_promote()")).isEqualTo("t");
            execute(connection, "INSERT INTO t VALUES (1000)");
        }
        await().atMost(PATIENCE).until(() -> row(name).get("state").asString().equals("promoted"));
        assertThat(succeed("status").out()).containsPattern("compute-main@" + name + " +promoted");
        succeed("compute", "stop", "--name", name);
        await().atMost(PATIENCE).until(() -> row(name).get("state").asString().equals("dead"));
        succeed("compute", "start", "--name", name);
        assertCount(port, "1");
    }
}
