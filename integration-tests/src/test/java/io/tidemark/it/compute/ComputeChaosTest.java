package io.tidemark.it.compute;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.demo.Ledger;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.storage.StorageProcesses;
import io.tidemark.it.Bank;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code kill -9} of any process of a storage cluster at random, sometimes of all at once, while clients commit on a compute: after each the
 * compute is there again, and what was acknowledged is in it.
 *
 * <p>The seed decides who is killed and when; what the machine makes of it is not repeatable. {@code -Dcompute.seed=N} replays the choice,
 * {@code -Dcompute.kills=N} changes the length of the slow run.
 */
class ComputeChaosTest {
    private static final Logger log = LoggerFactory.getLogger(ComputeChaosTest.class);
    private static final int CLIENTS = 3;
    private static final Duration PROGRESS_DEADLINE = Duration.ofMinutes(2);
    private static final String MAIN = StorageDirectory.MAIN;

    private final long seed = Long.getLong("compute.seed", System.nanoTime());
    private final Random random = new Random(seed);

    @RegisterExtension
    final ScratchCluster cluster = new ScratchCluster("compute-chaos");

    private volatile int port;

    @Test
    void acknowledgedTransactionsSurviveAFewKills() throws Exception {
        run(18, 4);
    }

    @Test
    @Tag("slow")
    void acknowledgedTransactionsSurviveAHundredKills() throws Exception {
        run(16, Integer.getInteger("compute.kills", 100));
    }

    private void run(int major, int kills) throws Exception {
        System.out.println("compute chaos: -Dcompute.seed=" + seed);
        StorageDirectory directory = cluster.make(major);
        StorageProcesses processes = new StorageProcesses(directory);
        Computes computes = new Computes(directory);
        try {
            processes.start();
            new Branches(directory).createMain();
            port = computes.start(MAIN, 0, Map.of(), phase -> {}).port();
            Ledger ledger = new Ledger(this::connect, "ledger");
            Bank bank = new Bank(this::connect, seed);
            ledger.create();
            bank.create();
            ledger.start(CLIENTS);
            bank.start(CLIENTS);
            List<String> killed = new ArrayList<>();
            while (killed.size() < kills) {
                killSome(processes, computes, killed);
                pause(300);
                bringBack(processes, computes);
                if (random.nextInt(4) == 0) {
                    pause(800);
                } else {
                    awaitProgress(ledger, bank);
                }
            }
            awaitProgress(ledger, bank);
            ledger.stop();
            bank.stop();
            System.out.println("compute chaos: " + killed.size() + " kills, " + ledger.acknowledged()
                    + " ledger rows and " + bank.acknowledged() + " transfers acknowledged: " + killed);
            // Judged by the PostgreSQL that was there, and by one that is built anew.
            judge(ledger, bank);
            computes.stop(MAIN);
            port = computes.start(MAIN, port, Map.of(), phase -> {}).port();
            judge(ledger, bank);
            try (Connection connection = connect()) {
                assertThat(SqlDigest.amcheck(connection)).isEmpty();
            }
        } finally {
            computes.stop(MAIN);
            processes.stop();
        }
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres&connectTimeout=5");
    }

    private void judge(Ledger ledger, Bank bank) throws Exception {
        try (Connection connection = connect()) {
            assertThat(ledger.missing(connection))
                    .as("acknowledged rows that are lost, seed %s", seed)
                    .isEmpty();
            bank.audit(connection);
        }
    }

    private void killSome(StorageProcesses processes, Computes computes, List<String> killed) throws Exception {
        int dice = random.nextInt(12);
        boolean all = dice == 0;
        if (all || dice <= 3) {
            processes.pageserver().kill();
            killed.add("pageserver");
        }
        if (all || dice == 4 || dice == 5) {
            computes.process(MAIN).kill();
            killed.add("shim");
        }
        if (all || dice == 6 || dice == 7) {
            try {
                postgres(processes.directory()).kill();
                killed.add("postgres");
            } catch (IOException beingBuilt) {
                // After a kill before this one its compute is still building the next data directory.
                log.info("there is no PostgreSQL to kill: {}", beingBuilt.getMessage());
            }
        }
        if (all || dice >= 8) {
            int count = all ? 3 : 1 + random.nextInt(2);
            int first = random.nextInt(3);
            for (int i = 0; i < count; i++) {
                long id = 1L + (first + i) % 3;
                processes.safekeeper(id).kill();
                killed.add("safekeeper-" + id);
            }
        }
    }

    private static PostgresServer postgres(StorageDirectory directory) throws IOException, InterruptedException {
        return PostgresServer.open(
                directory.binaries(directory.config().pgMajor()),
                ServerUser.current(),
                directory.layout().computeDir(MAIN).resolve("data"));
    }

    private void bringBack(StorageProcesses processes, Computes computes) throws Exception {
        for (SafekeeperPlace place : processes.directory().config().safekeepers()) {
            if (!processes.safekeeper(place.id()).isRunning()) {
                processes.launchSafekeeper(place.id());
            }
        }
        if (!processes.pageserver().isRunning()) {
            processes.launchPageserver();
        }
        for (SafekeeperPlace place : processes.directory().config().safekeepers()) {
            processes.awaitSafekeeper(place.id());
        }
        processes.awaitPageserver();
        // A PostgreSQL that died alone is built anew by its own compute process.
        if (!computes.isRunning(MAIN)) {
            port = computes.start(MAIN, port, Map.of(), phase -> {}).port();
        }
    }

    private void awaitProgress(Ledger ledger, Bank bank) throws ClusterException {
        long rows = ledger.acknowledged() + 20;
        long transfers = bank.acknowledged() + 20;
        long deadline = System.nanoTime() + PROGRESS_DEADLINE.toNanos();
        while (ledger.acknowledged() < rows || bank.acknowledged() < transfers) {
            if (System.nanoTime() > deadline) {
                throw new ClusterException("no progress within " + PROGRESS_DEADLINE + ", seed " + seed + ": "
                        + ledger.acknowledged() + " of " + rows + " rows, " + bank.acknowledged() + " of " + transfers);
            }
            pause(20);
        }
    }

    private void pause(int maxMillis) {
        LockSupport.parkNanos(Duration.ofMillis(random.nextInt(maxMillis) + 1L).toNanos());
    }
}
