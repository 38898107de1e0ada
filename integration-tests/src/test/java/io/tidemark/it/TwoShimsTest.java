package io.tidemark.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.cli.cluster.ServerProcess;
import io.tidemark.cli.cluster.WalEquality;
import io.tidemark.cli.demo.Ledger;
import io.tidemark.shim.compute.Shim;
import io.tidemark.shim.compute.ShimConfig;
import io.tidemark.shim.compute.ShimState;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.source.PostgresAddress;
import io.tidemark.wire.id.Lsn;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Two computes on one timeline: exactly one can commit, and the other one knows why it can't. */
class TwoShimsTest {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    /** A new shim beside the same PostgreSQL is elected; the old one is fenced, says so and ends; commits go on through the new one. */
    @Test
    void theLaterShimTakesOver() throws Exception {
        try (ClusterOfProcesses cluster = ClusterOfProcesses.create("takeover", ClusterOptions.defaults())) {
            cluster.processes().start();
            Ledger ledger = new Ledger(cluster.sql()::connect, "ledger");
            ledger.create();
            ledger.start(2);
            awaitRows(ledger, 50);
            long termBefore = cluster.timeline(1).term();

            ServerProcess rival = cluster.processes().startRivalShim("shim-2", "tidemark_2");
            try {
                ServerProcess first = cluster.processes().shim();
                await("the first shim ends").atMost(DEADLINE).until(() -> !first.isRunning());
                awaitRows(ledger, ledger.acknowledged() + 50);
                ledger.stop();

                assertThat(Files.readString(first.logFile())).contains("fenced");
                assertThat(cluster.timeline(1).term()).isGreaterThan(termBefore);
                assertThat(rival.isRunning()).isTrue();
                cluster.requireWalEqualEverywhere();
            } finally {
                rival.kill();
            }
        }
    }

    /** One of two servers that both believe the timeline is theirs: a COMMIT that waits, and a shim that starts anew when fenced. */
    private static final class Side implements AutoCloseable {
        private final ClusterOfProcesses cluster;
        private final PostgresServer server;
        private final CompletableFuture<Void> commit;
        private Shim shim;

        Side(ClusterOfProcesses cluster, PostgresServer server, String name) {
            this.cluster = cluster;
            this.server = server;
            this.commit = commitOn(server, name);
            this.shim = startShim(cluster, server);
        }

        ShimState state() {
            if (shim.status().state() == ShimState.FENCED && shim.finished().isDone()) {
                shim = startShim(cluster, server);
            }
            return shim.status().state();
        }

        @Override
        public void close() throws Exception {
            shim.close();
            // The loser's COMMIT waits for ever; only the end of its server ends it.
            server.stop(PostgresServer.Shutdown.IMMEDIATE, DEADLINE);
        }
    }

    /**
     * Two PostgreSQL servers that are copies of each other, each with a shim of its own, start at the same moment on an empty timeline.
     * Both would write the same LSNs with different WAL. Each may fence the other for a while; in the end one has committed and the
     * other one is refused.
     */
    @Test
    void ofTwoCopiesOfOneServerExactlyOneCommits() throws Exception {
        try (ClusterOfProcesses cluster = ClusterOfProcesses.create("copies", ClusterOptions.defaults())) {
            Path copy = cluster.copyPostgres("copy");
            for (SafekeeperPlace place : cluster.directory().config().safekeepers()) {
                cluster.processes().startSafekeeper(place.id());
            }
            PostgresServer leftServer = cluster.processes().postgres();
            PostgresServer rightServer = PostgresServer.adopt(leftServer.binaries(), ServerUser.current(), copy);
            rightServer.configure(Map.of("synchronous_standby_names", "tidemark", "wal_keep_size", "1GB"));
            leftServer.start();
            rightServer.start();
            try (Side left = new Side(cluster, leftServer, "from the left");
                    Side right = new Side(cluster, rightServer, "from the right")) {
                await("one streams and the other is refused")
                        .atMost(DEADLINE)
                        .until(
                                () -> EnumSet.of(left.state(), right.state()),
                                EnumSet.of(ShimState.STREAMING, ShimState.REFUSED)::equals);
                Side winner = left.state() == ShimState.STREAMING ? left : right;
                Side loser = winner == left ? right : left;
                winner.commit.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);

                assertThat(loser.commit.isDone()).as("the other one's COMMIT").isFalse();
                assertThat(loser.shim.status().problem()).isNotEmpty();
                assertSafekeepersHave(cluster, winner.server);
            }
        }
    }

    private static void assertSafekeepersHave(ClusterOfProcesses cluster, PostgresServer winner) throws Exception {
        Lsn target = new PostgresProbe(winner).flushLsn();
        for (SafekeeperPlace place : cluster.directory().config().safekeepers()) {
            var status = cluster.awaitCommit(place.id(), target);
            long compared = new WalEquality(
                            winner.dataDir().resolve("pg_wal"),
                            cluster.directory().safekeeperWal(place.id()),
                            16 << 20)
                    .requireEqual(status.timelineStartLsn(), status.commitLsn());
            assertThat(compared).isPositive();
        }
    }

    private static Shim startShim(ClusterOfProcesses cluster, PostgresServer postgres) {
        return Shim.start(
                ShimConfig.of(
                        PostgresAddress.parse("postgres://postgres@127.0.0.1:" + postgres.port() + "/postgres"),
                        SafekeeperAddress.parseList(cluster.directory().config().safekeeperList()),
                        cluster.directory().config().timeline()),
                report -> {});
    }

    private static CompletableFuture<Void> commitOn(PostgresServer server, String what) {
        return CompletableFuture.runAsync(
                () -> {
                    try (Connection connection = new PostgresProbe(server).connect();
                            Statement statement = connection.createStatement()) {
                        statement.execute("CREATE TABLE winner AS SELECT '" + what + "' AS who");
                    } catch (SQLException e) {
                        throw new CompletionException(e);
                    }
                },
                Thread::startVirtualThread);
    }

    private static void awaitRows(Ledger ledger, long count) {
        await("commits return").atMost(DEADLINE).until(() -> ledger.acknowledged() >= count);
    }
}
