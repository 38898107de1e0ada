package io.tidemark.it.compute;

import static io.tidemark.it.compute.ScratchCluster.port;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ServerProcess;
import io.tidemark.cli.demo.Ledger;
import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.storage.StorageProcesses;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import io.tidemark.shim.stock.StockRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Computes as processes of their own, and what is left of them and becomes of them when something is killed. */
@Timeout(300)
class ComputeProcessesTest {
    private static final String MAIN = StorageDirectory.MAIN;
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int KILLS_AFTER_COMMIT = 4;

    @RegisterExtension
    final ScratchCluster cluster = new ScratchCluster("processes");

    private StorageProcesses started(int major) throws Exception {
        StorageDirectory directory = cluster.make(major);
        StorageProcesses storage = new StorageProcesses(directory);
        storage.start();
        new Branches(directory).createMain();
        return storage;
    }

    private int start(String... more) {
        return port(cluster.succeed(Stream.concat(Stream.of("compute", "start", "--json"), Stream.of(more))
                .toArray(String[]::new)));
    }

    private PostgresServer postgres(String compute, int major) throws Exception {
        StorageDirectory directory = cluster.open();
        return PostgresServer.open(
                directory.binaries(major),
                ServerUser.current(),
                directory.layout().computeDir(compute).resolve("data"));
    }

    private static String sum(int port) throws SQLException {
        try (Connection connection = ScratchCluster.connect(port)) {
            return SqlDigest.one(connection, "SELECT sum(n) FROM t");
        }
    }

    private static void run(int port, String... sql) throws SQLException {
        try (Connection connection = ScratchCluster.connect(port)) {
            SqlDigest.run(connection, sql);
        }
    }

    private static void awaitSum(int port, String sum) {
        await().atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(SQLException.class)
                .untilAsserted(() -> assertThat(sum(port)).isEqualTo(sum));
    }

    @Test
    void aPostgresThatOutlivesItsComputeIsEndedByTheNextOne() throws Exception {
        outlive(18);
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17})
    @Tag("slow")
    void aPostgresOfEveryVersionIs(int major) throws Exception {
        outlive(major);
    }

    private void outlive(int major) throws Exception {
        started(major);
        int port = start();
        run(port, "CREATE TABLE t AS SELECT 1 AS n");
        PostgresServer orphan = postgres(MAIN, major);
        long pid = orphan.pid();
        new Computes(cluster.open()).process(MAIN).kill();
        assertThat(orphan.isRunning()).isTrue();
        assertThat(cluster.computeRow("").get("state").asString()).isEqualTo("dead");
        assertThat(cluster.computeRow("").get("problem").asString())
                .contains("pid " + pid)
                .contains("compute start");

        // On the port that it had, which clients know.
        String told = cluster.succeed("compute", "start");
        assertThat(told).contains("ended PostgreSQL " + pid + " on port " + port);
        assertThat(cluster.computeRow("").get("port").asInt()).isEqualTo(port);
        assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
        run(port, "INSERT INTO t VALUES (20)");
        assertThat(sum(port)).isEqualTo("21");

        // One that only reads; and a branch that is given another name keeps nothing running under the old one.
        int reader = start("--read-only", "--name", "now");
        PostgresServer left = postgres("main@now", major);
        new Computes(cluster.open()).process("main@now").kill();
        assertThat(cluster.computeRow("now").get("problem").asString()).contains("pid " + left.pid());
        assertThat(port(cluster.succeed("compute", "start", "--name", "now", "--json")))
                .isEqualTo(reader);
        assertThat(sum(reader)).isEqualTo("21");
        PostgresServer again = postgres("main@now", major);
        new Computes(cluster.open()).process("main@now").kill();
        cluster.succeed("compute", "stop");
        cluster.succeed("branch", "rename", MAIN, "other");
        assertThat(again.isRunning()).isFalse();
        assertThat(cluster.open().layout().computeDir("main@now")).doesNotExist();
    }

    /** After a crash of the machine the process id in an old postmaster.pid can be anybody's, also that of another PostgreSQL. */
    @Test
    void anotherPostgresIsNotTakenForOneThatIsLeft() throws Exception {
        int major = 16;
        started(major);
        int port = start();
        run(port, "CREATE TABLE t AS SELECT 1 AS n");
        cluster.succeed("branch", "create", "b");
        new Computes(cluster.open()).process(MAIN).kill();
        PostgresServer orphan = postgres(MAIN, major);
        Path pidFile = orphan.dataDir().resolve("postmaster.pid");
        String written = Files.readString(pidFile);
        orphan.kill();
        int other = start("--branch", "b");
        long innocent = postgres("b", major).pid();
        Files.writeString(pidFile, written.replaceFirst("^\\d+", Long.toString(innocent)));

        assertThat(cluster.computeRow("").get("problem").asString()).isEmpty();
        assertThat(cluster.succeed("compute", "start")).doesNotContain("ended PostgreSQL");
        assertThat(postgres("b", major).pid()).isEqualTo(innocent);
        run(other, "INSERT INTO t VALUES (20)");
        assertThat(sum(other)).isEqualTo("21");
        assertThat(sum(port)).isEqualTo("1");
    }

    /** Killed right after the commit, which the safekeepers hear of 2 ms later, or never: so again and again. */
    @Test
    void aBranchOfTheHeadHasWhatWasCommittedJustBeforeItsComputeWasKilled() throws Exception {
        started(17);
        run(start(), "CREATE TABLE t AS SELECT 0 AS n");
        int sum = 0;
        for (int round = 1; round <= KILLS_AFTER_COMMIT; round++) {
            int port = cluster.computeRow("").get("port").asInt();
            try (Connection connection = ScratchCluster.connect(port)) {
                ServerProcess compute = new Computes(cluster.open()).process(MAIN);
                SqlDigest.run(connection, "INSERT INTO t VALUES (" + round + ")");
                compute.kill();
            }
            sum += round;
            String branch = "after-" + round;
            cluster.succeed("branch", "create", branch);
            int branched = start("--branch", branch);
            assertThat(sum(branched)).as("round " + round).isEqualTo(Integer.toString(sum));
            cluster.succeed("compute", "stop", "--branch", branch);
            start();
        }
    }

    @Test
    void aReplicaGoesOnWhenItsSafekeeperIsKilled() throws Exception {
        StorageProcesses storage = started(17);
        int port = start();
        run(port, "CREATE TABLE t AS SELECT 1 AS n");
        int replica = start("--replica");
        awaitSum(replica, "1");
        long pid = postgres("main@replica", 17).pid();
        int sum = 1;
        for (int add = 20; add <= 200; add *= 10) {
            SafekeeperPlace feeding = feeding(replica);
            ServerProcess killed = storage.safekeeper(feeding.id());
            killed.kill();
            assertThat(killed.isRunning()).isFalse();
            run(port, "INSERT INTO t VALUES (" + add + ")");
            sum += add;
            awaitSum(replica, Integer.toString(sum));
            assertThat(feeding(replica).id()).isNotEqualTo(feeding.id());
            storage.launchSafekeeper(feeding.id());
            storage.awaitSafekeeper(feeding.id());
        }
        assertThat(postgres("main@replica", 17).pid()).isEqualTo(pid);
    }

    private SafekeeperPlace feeding(int replica) throws Exception {
        int[] sender = new int[1];
        await().atMost(PATIENCE).until(() -> {
            try (Connection connection = ScratchCluster.connect(replica)) {
                String port = SqlDigest.one(
                        connection,
                        "SELECT coalesce((SELECT sender_port FROM pg_stat_wal_receiver WHERE status = 'streaming'), 0)");
                sender[0] = Integer.parseInt(port);
                return sender[0] != 0;
            }
        });
        return cluster.open().config().safekeepers().stream()
                .filter(place -> place.pgPort() == sender[0])
                .findFirst()
                .orElseThrow();
    }

    /** The writer is one that no command here can stop: it runs in this process, as it would on a machine that is out of reach. */
    @Test
    void aPromotionFencesAWriterThatCannotBeReachedAndLosesNothing() throws Exception {
        int major = 15;
        StorageProcesses storage = started(major);
        StockCompute writer = outOfReach(storage.directory(), major);
        int[] port = {writer.postgres().port()};
        Ledger ledger = new Ledger(() -> ScratchCluster.connect(port[0]), "ledger");
        ledger.create();
        int replica = start("--replica");
        // It is behind, by as much as comes from now on.
        run(replica, "SELECT pg_wal_replay_pause()");
        ledger.start(3);
        try {
            await().atMost(PATIENCE).until(() -> ledger.acknowledged() >= 300);
            port[0] = port(cluster.succeed("compute", "promote", "--json"));
            assertThat(writer.finished().get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isEqualTo(StockRun.Ending.FENCED);
            assertThat(writer.postgres().isRunning()).isFalse();
            long before = ledger.acknowledged();
            await().atMost(PATIENCE).until(() -> ledger.acknowledged() >= before + 50);
        } finally {
            ledger.stop();
            writer.kill();
        }
        try (Connection connection = ScratchCluster.connect(port[0])) {
            assertThat(ledger.missing(connection)).isEmpty();
            assertThat(SqlDigest.amcheck(connection)).isEmpty();
            assertThat(SqlDigest.one(connection, "SELECT pg_is_in_recovery()")).isEqualTo("f");
        }
        assertThat(cluster.succeed("compute", "list")).doesNotContain("replica");
        assertThat(cluster.open().layout().computeDir("main@replica")).doesNotExist();
    }

    private StockCompute outOfReach(StorageDirectory directory, int major) throws Exception {
        Branch main = directory.branches().require(MAIN);
        return StockCompute.start(
                directory.computeConfig(main.timelineId(), cluster.resolve("elsewhere"), 0, Map.of()),
                directory.binaries(major),
                ServerUser.current(),
                StartListener.NONE);
    }

    @Test
    @Tag("slow")
    void aPromotionWhenTheWriterIsGoneNeedsItForNothing() throws Exception {
        int major = 14;
        started(major);
        int port = start();
        run(port, "CREATE TABLE t AS SELECT 1 AS n");
        start("--replica");
        run(port, "INSERT INTO t VALUES (20)");
        Computes computes = new Computes(cluster.open());
        computes.process(MAIN).kill();
        long orphan = postgres(MAIN, major).pid();
        int promoted = port(cluster.succeed("compute", "promote", "--json"));
        assertThat(promoted).isEqualTo(port);
        assertThat(ProcessHandle.of(orphan).filter(ProcessHandle::isAlive)).isEmpty();
        assertThat(sum(promoted)).isEqualTo("21");
        run(promoted, "INSERT INTO t VALUES (300)");
        assertThat(sum(promoted)).isEqualTo("321");
    }
}
