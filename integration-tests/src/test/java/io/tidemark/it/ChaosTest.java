package io.tidemark.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.ServerProcess;
import io.tidemark.cli.demo.Ledger;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.wire.id.Lsn;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * {@code kill -9} of safekeepers and of the shim, at random, while clients commit: every acknowledged transaction is in the committed
 * WAL of every safekeeper. The judge is a stock PostgreSQL standby that replays it, fed by a safekeeper alone.
 *
 * <p>The seed decides who is killed and when; what the machine makes of it is not repeatable. {@code -Dchaos.seed=N} replays the
 * choice, {@code -Dchaos.kills=N} changes the length of the slow run.
 */
class ChaosTest {
    private static final int CLIENTS = 4;
    private static final Duration PROGRESS_DEADLINE = Duration.ofSeconds(90);

    /** From so many kills on the dice must have met everybody; the chance that they do not is below one in a million. */
    private static final int MANY_KILLS = 100;

    private final long seed = Long.getLong("chaos.seed", System.nanoTime());
    private final Random random = new Random(seed);

    @Test
    void acknowledgedTransactionsSurviveAFewKills() throws Exception {
        run("chaos-short", 18, 8, 1);
    }

    @Test
    @Tag("slow")
    void acknowledgedTransactionsSurviveAHundredKills() throws Exception {
        run("chaos-long", 17, Integer.getInteger("chaos.kills", 120), 3);
    }

    private void run(String name, int pgMajor, int kills, int standbys) throws Exception {
        System.out.println("chaos: -Dchaos.seed=" + seed);
        try (ClusterOfProcesses cluster =
                ClusterOfProcesses.create(name, ClusterOptions.defaults().withPgMajor(pgMajor))) {
            // The timeline begins at the checkpoint of this copy, since nothing has been started yet.
            List<Path> copies = new ArrayList<>();
            for (int i = 1; i <= standbys; i++) {
                copies.add(cluster.copyPostgres("standby-" + i));
            }
            cluster.processes().start();
            Ledger ledger = new Ledger(cluster.sql()::connect, "ledger");
            Bank bank = new Bank(cluster.sql()::connect, seed);
            ledger.create();
            bank.create();
            ledger.start(CLIENTS);
            bank.start(CLIENTS);
            List<String> killed = wreakHavoc(cluster, ledger, bank, kills);
            ledger.stop();
            bank.stop();
            System.out.println("chaos: " + killed.size() + " kills, " + ledger.acknowledged() + " ledger rows and "
                    + bank.acknowledged() + " transfers acknowledged: " + killed);

            assertThat(killed).hasSizeGreaterThanOrEqualTo(kills);
            if (kills >= MANY_KILLS) {
                assertThat(killed)
                        .containsSubsequence("shim", "shim", "shim")
                        .contains("safekeeper-1", "safekeeper-2", "safekeeper-3");
            }
            try (Connection connection = cluster.sql().connect()) {
                assertThat(ledger.missing(connection))
                        .as("lost in PostgreSQL itself")
                        .isEmpty();
            }
            cluster.requireWalEqualEverywhere();
            for (int i = 0; i < standbys; i++) {
                requireAllOnStandby(cluster, copies.get(i), 1L + (i + random.nextInt(3)) % 3, ledger, bank);
            }
        }
    }

    private static void requireAllOnStandby(
            ClusterOfProcesses cluster, Path copy, long safekeeper, Ledger ledger, Bank bank) throws Exception {
        Lsn target = cluster.timeline(safekeeper).commitLsn();
        try (PostgresServer standby = cluster.standby(copy, safekeeper, target);
                Connection connection =
                        java.sql.DriverManager.getConnection(standby.jdbcUrl("postgres"), "postgres", "")) {
            assertThat(ledger.missing(connection))
                    .as("acknowledged rows that the standby of safekeeper %d does not have", safekeeper)
                    .isEmpty();
            bank.audit(connection);
        }
    }

    /** Kills and restarts until enough were killed; at the end everything runs and commits. Returns the victims in order. */
    private List<String> wreakHavoc(ClusterOfProcesses cluster, Ledger ledger, Bank bank, int kills) throws Exception {
        List<String> killed = new ArrayList<>();
        while (killed.size() < kills) {
            List<Long> down = new ArrayList<>();
            int what = random.nextInt(10);
            if (what < 3) {
                kill(cluster.processes().shim(), killed);
            }
            if (what >= 2) {
                // One in three times two of them, so that commits wait; sometimes all, as in a power cut.
                int count = 1 + (random.nextInt(3) == 0 ? 1 : 0) + (random.nextInt(12) == 0 ? 1 : 0);
                long first = 1L + random.nextInt(3);
                for (int i = 0; i < count; i++) {
                    long id = 1L + (first + i) % 3;
                    kill(cluster.processes().safekeeper(id), killed);
                    down.add(id);
                }
            }
            pause(400);
            if (!cluster.processes().shim().isRunning()) {
                cluster.processes().startShim();
            }
            for (long id : down) {
                cluster.processes().launchSafekeeper(id);
            }
            // Now and then the next kill comes before anybody has recovered.
            if (random.nextInt(4) == 0) {
                pause(1_500);
            } else {
                awaitProgress(ledger, bank);
            }
        }
        for (SafekeeperPlace place : cluster.directory().config().safekeepers()) {
            cluster.processes().awaitSafekeeper(place.id());
        }
        awaitProgress(ledger, bank);
        return killed;
    }

    private static void kill(ServerProcess victim, List<String> killed) throws Exception {
        assertThat(victim.isRunning())
                .as("%s had died by itself after %s", victim.name(), killed)
                .isTrue();
        victim.kill();
        killed.add(victim.name());
    }

    private static void awaitProgress(Ledger ledger, Bank bank) {
        long rows = ledger.acknowledged();
        long transfers = bank.acknowledged();
        await("commits return again")
                .atMost(PROGRESS_DEADLINE)
                .until(() -> ledger.acknowledged() > rows + 20 && bank.acknowledged() > transfers + 5);
    }

    /** Lets the cluster be for a random time: the chaos is in when the next blow falls, there is no condition to wait for. */
    private void pause(int maxMillis) {
        LockSupport.parkNanos(Duration.ofMillis(random.nextInt(maxMillis)).toNanos());
    }
}
