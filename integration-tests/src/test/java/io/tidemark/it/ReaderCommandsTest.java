package io.tidemark.it;

import static io.tidemark.it.compute.ScratchCluster.connect;
import static io.tidemark.it.compute.ScratchCluster.port;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.storage.StorageProcesses;
import io.tidemark.it.compute.ScratchCluster;
import io.tidemark.it.compute.SqlDigest;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The commands about computes that only read, with their processes. */
@Timeout(300)
class ReaderCommandsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @RegisterExtension
    final ScratchCluster cluster = new ScratchCluster("readers");

    private void fail(String message, String... arguments) {
        CommandRun done = cluster.run(arguments);
        assertThat(done.exitCode()).as(done.toString()).isOne();
        assertThat(done.err()).contains(message);
        assertThat(done.err().lines()).as("one line").hasSize(1);
    }

    @Test
    @Tag("slow")
    void aReaderIsStartedListedRestartedAndStopped() throws Exception {
        int mainPort = port(started());
        String lsn;
        try (Connection main = connect(mainPort)) {
            SqlDigest.run(main, "CREATE TABLE t AS SELECT 1 AS n");
            lsn = SqlDigest.one(main, "SELECT pg_current_wal_lsn()");
            SqlDigest.run(main, "INSERT INTO t VALUES (2)");
        }
        String derived = lsn.replace('/', '-');
        int port = port(cluster.succeed("compute", "start", "--read-only", "--at", lsn, "--json"));
        int headPort = port(cluster.succeed("compute", "start", "--read-only", "--name", "now", "--json"));
        assertCount(port, "1");
        assertCount(headPort, "2");
        assertThat(cluster.computeRow(derived).get("kind").asString()).isEqualTo("read-only");
        assertThat(cluster.computeRow(derived).get("state").asString()).isEqualTo("running");
        assertThat(cluster.computeRow(derived).get("startLsn").asString()).isEqualTo(lsn);
        assertThat(cluster.computeRow("").get("kind").asString()).isEqualTo("read-write");
        assertThat(cluster.succeed("status")).contains("compute-main@now");
        fail("main@now runs already", "compute", "start", "--read-only", "--name", "now");

        // The same LSN and port again, by its name, whatever has been written since.
        assertThat(port(cluster.succeed("compute", "restart", "--name", derived, "--json")))
                .isEqualTo(port);
        assertCount(port, "1");
        cluster.succeed("compute", "stop", "--name", derived);
        assertThat(cluster.computeRow(derived).get("state").asString()).isEqualTo("stopped");
        assertThat(cluster.computeRow(derived).get("startLsn").asString()).isEqualTo(lsn);
        cluster.succeed("compute", "start", "--name", derived);
        assertCount(port, "1");
        try (Connection main = connect(mainPort)) {
            SqlDigest.run(main, "INSERT INTO t VALUES (3)");
        }

        fail("nothing is at 7FFFFFFF/0 yet", "compute", "start", "--read-only", "--at", "7FFFFFFF/0");
        fail("is not kept any more", "compute", "start", "--read-only", "--at", "0/1000028");
        fail("has no compute 'nobody'", "compute", "start", "--name", "nobody");

        cluster.succeed("compute", "stop");
        fail("compute main@" + derived + " runs", "branch", "rename", "main", "other");
        cluster.succeed("compute", "stop", "--name", "now", "--remove");
        assertThat(cluster.succeed("compute", "list"))
                .doesNotContain("main@now")
                .contains("main@" + derived);
    }

    @Test
    void onePromotedBehindOurBackIsTold() throws Exception {
        try (Connection main = connect(port(started()))) {
            SqlDigest.run(main, "CREATE TABLE t AS SELECT 1 AS n");
        }
        int port = port(cluster.succeed("compute", "start", "--read-only", "--name", "now", "--json"));
        promotedWithoutAProcessOfOurs("now", port);
    }

    @Test
    @Tag("slow")
    void aReplicaIsStartedKilledAndReplacedByAWriter() throws Exception {
        int mainPort = port(started());
        try (Connection main = connect(mainPort)) {
            SqlDigest.run(main, "CREATE TABLE t AS SELECT 1 AS n");
        }
        int port = port(cluster.succeed("compute", "start", "--replica", "--json"));
        assertThat(cluster.computeRow("replica").get("kind").asString()).isEqualTo("replica");
        try (Connection main = connect(mainPort)) {
            SqlDigest.run(main, "INSERT INTO t VALUES (2)");
        }
        awaitCount(port, "2");

        StorageDirectory opened = cluster.open();
        StorageProcesses storage = new StorageProcesses(opened);
        onAnotherWhenItsSafekeeperStandsStill(opened, mainPort, port);

        // All safekeepers and the writer at once; the replica stays.
        for (long id = 1; id <= 3; id++) {
            storage.safekeeper(id).kill();
        }
        new Computes(opened).process("main").kill();
        cluster.succeed("start");
        // Its PostgreSQL has outlived it and kept the port.
        int newPort = cluster.computeRow("").get("port").asInt();
        try (Connection main = connect(newPort)) {
            SqlDigest.run(main, "INSERT INTO t VALUES (4)");
        }
        awaitCount(port, "4");
        fail("main@replica runs already", "compute", "start", "--replica", "--name", "replica");
        cluster.succeed("compute", "start", "--replica");
        assertThat(cluster.computeRow("replica-2").get("state").asString()).isEqualTo("running");

        String promoted = cluster.succeed("compute", "promote", "--name", "replica", "--json");
        assertThat(port(promoted)).isEqualTo(newPort);
        try (Connection main = connect(newPort)) {
            SqlDigest.run(main, "INSERT INTO t VALUES (5)");
        }
        awaitCount(cluster.computeRow("replica-2").get("port").asInt(), "5");
        assertThat(cluster.succeed("compute", "list"))
                .contains("main@replica-2")
                .doesNotContain("main@replica ");
    }

    /** A stopped process takes connections and says nothing: PostgreSQL alone would wait for it. */
    private static void onAnotherWhenItsSafekeeperStandsStill(StorageDirectory opened, int mainPort, int port)
            throws Exception {
        int sender;
        try (Connection replica = connect(port)) {
            sender = Integer.parseInt(SqlDigest.one(replica, "SELECT sender_port FROM pg_stat_wal_receiver"));
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
            SqlDigest.run(main, "INSERT INTO t VALUES (3)");
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
                assertThat(SqlDigest.one(connection, "SELECT count(*) FROM t")).isEqualTo(rows);
                assertThat(SqlDigest.one(connection, "SELECT pg_is_in_recovery()"))
                        .isEqualTo("t");
            }
        });
    }

    private String started() {
        cluster.succeed("start", "--pg", "16", "--no-compute");
        return cluster.succeed("compute", "start", "--json");
    }

    private static void assertCount(int port, String rows) throws SQLException {
        try (Connection connection = connect(port)) {
            assertThat(SqlDigest.one(connection, "SELECT count(*) FROM t")).isEqualTo(rows);
            assertThat(SqlDigest.one(connection, "SELECT pg_is_in_recovery()")).isEqualTo("t");
        }
    }

    /** Nobody stops it then, but it is told. */
    private void promotedWithoutAProcessOfOurs(String name, int port) throws Exception {
        StorageDirectory opened = cluster.open();
        new Computes(opened).process("main@" + name).kill();
        assertThat(cluster.computeRow(name).get("state").asString()).isEqualTo("dead");
        Files.delete(opened.layout().computeDir("main@" + name).resolve("data").resolve("promote"));
        try (Connection connection = connect(port)) {
            assertThat(SqlDigest.one(connection, "SELECT pg_promote()")).isEqualTo("t");
            SqlDigest.run(connection, "INSERT INTO t VALUES (1000)");
        }
        await().atMost(PATIENCE)
                .until(() -> cluster.computeRow(name).get("state").asString().equals("promoted"));
        assertThat(cluster.succeed("status")).containsPattern("compute-main@" + name + " +promoted");
        cluster.succeed("compute", "stop", "--name", name);
        await().atMost(PATIENCE)
                .until(() -> cluster.computeRow(name).get("state").asString().equals("dead"));
        cluster.succeed("compute", "start", "--name", name);
        assertCount(port, "1");
    }
}
