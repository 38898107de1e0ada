package io.tidemark.shim.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.source.PostgresAddress;
import io.tidemark.wire.client.SslMode;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.walpush.WalPushVersion;
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
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A shim between a real PostgreSQL and safekeepers that misbehave on request. */
class ShimTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static Path scratch = Path.of("unset");
    private static PostgresServer postgres;

    private final TenantTimelineId timeline =
            new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, System.nanoTime()));
    private final List<FakeSafekeeper> safekeepers = new ArrayList<>();
    private final List<Shim> shims = new ArrayList<>();
    private final List<FenceReport> fenced = new CopyOnWriteArrayList<>();

    @BeforeAll
    static void startPostgres() throws Exception {
        ServerUser user = ServerUser.current();
        scratch = user.scratchDirectory("tidemark-shim-test-");
        postgres = PostgresServer.create(
                PostgresArchives.configured().require(17), user, scratch.resolve("pg"), InitDbOptions.defaults());
        postgres.configure(Map.of(
                "synchronous_standby_names", "",
                "fsync", "off",
                "max_wal_senders", "10",
                "wal_sender_timeout", "20s"));
        postgres.start();
        execute("CREATE TABLE t (id serial PRIMARY KEY, text text)");
    }

    @AfterAll
    static void stopPostgres() throws Exception {
        postgres.close();
        try (Stream<Path> paths = Files.walk(scratch)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        }
    }

    @BeforeEach
    void startSafekeepers() {
        for (int i = 1; i <= 3; i++) {
            safekeepers.add(new FakeSafekeeper(i));
        }
    }

    @AfterEach
    void stopAll() throws Exception {
        waitForNobody();
        shims.forEach(Shim::close);
        safekeepers.forEach(FakeSafekeeper::close);
        await().atMost(PATIENCE)
                .untilAsserted(() -> execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"));
    }

    @ParameterizedTest
    @EnumSource(WalPushVersion.class)
    void commitReturnsWhenAQuorumHasIt(WalPushVersion version) throws Exception {
        start(config(version, 8));
        waitForQuorum();
        execute("INSERT INTO t (text) SELECT repeat('x', 200) FROM generate_series(1, 1000)");

        Lsn committed = Lsn.parse(ask("SELECT pg_current_wal_flush_lsn()"));
        await().atMost(PATIENCE)
                .until(() -> safekeepers.stream().allMatch(s -> s.flushLsn().isAtLeast(committed)));
        assertThat(shims.getFirst().status().commitLsn()).isGreaterThan(Lsn.INVALID);
        assertThat(shims.getFirst().status().postgresConnections()).isEqualTo(1);
        assertThat(safekeepers.get(0).walBytes()).startsWith(safekeepers.get(1).walBytes());
    }

    @Test
    void commitWaitsWithoutAQuorumAndReturnsWhenItIsBack() throws Exception {
        start(config(WalPushVersion.V3, 8));
        waitForQuorum();
        safekeepers.get(0).stop();
        execute("INSERT INTO t (text) VALUES ('two of three')");
        safekeepers.get(1).setSilent(true);

        CompletableFuture<Void> waiting = executeLater("INSERT INTO t (text) VALUES ('one of three')");
        await().atMost(PATIENCE)
                .until(() -> ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
                        .equals("1"));
        assertThat(waiting).isNotDone();

        safekeepers.get(0).start();
        assertThat(waiting).succeedsWithin(PATIENCE);
    }

    @Test
    void stalledSafekeeperCostsNoMemoryAndIsFedWhatItMissed() throws Exception {
        start(config(WalPushVersion.V3, 8));
        waitForQuorum();
        safekeepers.get(2).setDeaf(true);
        execute("INSERT INTO t (text) SELECT repeat(md5(i::text), 30) FROM generate_series(1, 40000) i");
        Lsn committed = Lsn.parse(ask("SELECT pg_current_wal_flush_lsn()"));
        assertThat(committed.minus(safekeepers.get(2).flushLsn())).isGreaterThan(30L << 20);
        assertThat(shims.getFirst().status().bufferedBytes()).isLessThanOrEqualTo(8L << 20);

        safekeepers.get(2).setDeaf(false);
        await().atMost(PATIENCE).until(() -> safekeepers.get(2).flushLsn().isAtLeast(committed));
        assertThat(safekeepers.get(0).servedBytes() + safekeepers.get(1).servedBytes())
                .isPositive();
        assertThat(safekeepers.get(2).walBytes()).isEqualTo(safekeepers.get(0).walBytes());
        assertThat(shims.getFirst().status().postgresConnections()).isEqualTo(1);
    }

    @Test
    void recordLargerThanTheBufferGetsThrough() throws Exception {
        start(config(WalPushVersion.V3, 8));
        waitForQuorum();
        execute("SELECT pg_logical_emit_message(true, 'big', repeat('x', 40 * 1024 * 1024))");
        assertThat(shims.getFirst().status().bufferedBytes()).isLessThanOrEqualTo(8L << 20);
        assertThat(shims.getFirst().status().postgresConnections()).isEqualTo(1);
    }

    @Test
    void anotherElectionFencesAndTellsTheKeeper() throws Exception {
        start(config(WalPushVersion.V3, 8));
        waitForQuorum();
        for (FakeSafekeeper safekeeper : safekeepers) {
            safekeeper.raiseTerm(new Term(100));
        }
        CompletableFuture<Void> waiting = executeLater("INSERT INTO t (text) VALUES ('never confirmed')");

        ShimStatus last = shims.getFirst().finished().get();
        assertThat(last.state()).isEqualTo(ShimState.FENCED);
        assertThat(last.problem()).contains("another compute was elected in term 100");
        await().atMost(PATIENCE).until(() -> fenced.size() == 1);
        assertThat(fenced.getFirst().higherTerm()).isEqualTo(new Term(100));
        assertThat(waiting).isNotDone();
        waitForNobody();
        assertThat(waiting).succeedsWithin(PATIENCE);
    }

    @Test
    void postgresOfAnotherClusterIsRefusedBeforeAnyTermIsRaised() throws Exception {
        ShimConfig config = config(WalPushVersion.V3, 8);
        Shim first = start(config);
        awaitState(first, ShimState.STREAMING);
        first.close();
        Term before = safekeepers.getFirst().term();
        safekeepers.forEach(s -> s.pretendSystemId(new SystemId(42)));

        ShimStatus last = start(config).finished().get();
        assertThat(last.state()).isEqualTo(ShimState.REFUSED);
        assertThat(last.problem()).contains("another cluster").contains("42");
        assertThat(safekeepers.getFirst().term()).isEqualTo(before);
    }

    @Test
    void divergedPostgresIsRefusedWithTheFirstDifference() throws Exception {
        ShimConfig config = config(WalPushVersion.V3, 8);
        Shim first = start(config);
        waitForQuorum();
        execute("INSERT INTO t (text) VALUES ('before')");
        Lsn end = Lsn.parse(ask("SELECT pg_current_wal_flush_lsn()"));
        await().atMost(PATIENCE)
                .until(() -> safekeepers.stream().allMatch(s -> s.flushLsn().isAtLeast(end)));
        waitForNobody();
        first.close();
        Lsn flipped = end.plus(-20);
        safekeepers.forEach(s -> s.flipByteAt(flipped));

        ShimStatus last = start(config).finished().get();
        assertThat(last.state()).isEqualTo(ShimState.REFUSED);
        assertThat(last.problem()).contains("diverged").contains("at " + flipped);
    }

    @Test
    void restartedPostgresGoesOnInTheSameTerm() throws Exception {
        Shim shim = start(config(WalPushVersion.V3, 8));
        waitForQuorum();
        execute("INSERT INTO t (text) VALUES ('before')");
        Term term = shim.status().term();
        postgres.kill();
        postgres.start();
        execute("INSERT INTO t (text) VALUES ('after')");
        awaitState(shim, ShimState.STREAMING);
        assertThat(shim.status().term()).isEqualTo(term);
        assertThat(ask("SELECT count(*) FROM t WHERE text = 'after'")).isEqualTo("1");
    }

    @Test
    void olderPostgresIsRefusedBeforeAnyTermIsRaised() throws Exception {
        ShimConfig config = config(WalPushVersion.V3, 8);
        Shim first = start(config);
        awaitState(first, ShimState.STREAMING);
        first.close();
        Term before = safekeepers.getFirst().term();
        Lsn ahead = Lsn.parse(ask("SELECT pg_current_wal_flush_lsn()")).plus(1 << 20);
        safekeepers.getFirst().pretendCommitLsn(ahead);

        ShimStatus last = start(config).finished().get();
        assertThat(last.state()).isEqualTo(ShimState.REFUSED);
        assertThat(last.problem()).contains("older copy").contains(ahead.toString());
        assertThat(safekeepers.getFirst().term()).isEqualTo(before);
    }

    @Test
    void shimThatWasElectedOnceYieldsToATermItCanNotExplain() throws Exception {
        Shim shim = start(config(WalPushVersion.V3, 8));
        awaitState(shim, ShimState.STREAMING);
        Term ours = shim.status().term();
        // A safekeeper that comes back as another node makes the proposer start anew; meanwhile somebody else
        // campaigned.
        safekeepers.get(0).stop();
        safekeepers.get(0).pretendNodeId(new NodeId(77));
        safekeepers.forEach(s -> s.raiseTermSilently(new Term(50)));
        safekeepers.get(0).start();

        assertThat(shim.finished().get().state()).isEqualTo(ShimState.FENCED);
        assertThat(safekeepers).allSatisfy(s -> assertThat(s.term()).isEqualTo(new Term(50)));
        assertThat(fenced.getFirst().ourTerm()).isEqualTo(ours);
    }

    @Test
    void syncLevelsTheSafekeepersAndTellsTheEnd() throws Exception {
        ShimConfig config = config(WalPushVersion.V3, 8);
        assertThat(SyncSafekeepers.run(config.safekeepers(), timeline, WalPushVersion.V3, PATIENCE))
                .isEqualTo(Lsn.INVALID);
        Shim shim = start(config);
        waitForQuorum();
        safekeepers.get(2).stop();
        execute("INSERT INTO t (text) SELECT repeat('x', 200) FROM generate_series(1, 20000)");
        Lsn end = Lsn.parse(ask("SELECT pg_current_wal_flush_lsn()"));
        waitForNobody();
        awaitStatus(shim, status -> status.commitLsn().isAtLeast(end));
        shim.close();
        safekeepers.get(2).start();

        Lsn synced = SyncSafekeepers.run(config.safekeepers(), timeline, WalPushVersion.V3, PATIENCE);
        assertThat(synced).isGreaterThanOrEqualTo(end);
        assertThat(safekeepers).filteredOn(s -> s.flushLsn().equals(synced)).hasSizeGreaterThanOrEqualTo(2);
    }

    private ShimConfig config(WalPushVersion version, int bufferMegabytes) {
        PostgresAddress address =
                new PostgresAddress(postgres.host(), postgres.port(), "postgres", "postgres", SslMode.DISABLE, "");
        List<SafekeeperAddress> addresses =
                safekeepers.stream().map(FakeSafekeeper::address).toList();
        return new ShimConfig(
                address, "tidemark", "tidemark", addresses, timeline, version, bufferMegabytes << 20, Lsn.INVALID);
    }

    private Shim start(ShimConfig config) {
        Shim shim = Shim.start(config, fenced::add);
        shims.add(shim);
        return shim;
    }

    private static void awaitState(Shim shim, ShimState state) {
        awaitStatus(shim, status -> status.state() == state);
    }

    private static void awaitStatus(Shim shim, Predicate<ShimStatus> condition) {
        await().atMost(PATIENCE).until(shim::status, condition);
    }

    /** From here on commits wait for the shim. */
    private void waitForQuorum() throws Exception {
        awaitState(shims.getLast(), ShimState.STREAMING);
        postgres.configure(Map.of("synchronous_standby_names", "tidemark"));
        postgres.reload();
        await().atMost(PATIENCE)
                .until(() -> ask("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
                        .equals("1"));
    }

    private static void waitForNobody() throws Exception {
        postgres.configure(Map.of("synchronous_standby_names", ""));
        postgres.reload();
    }

    private static void execute(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(postgres.jdbcUrl("postgres"), "postgres", "");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static CompletableFuture<Void> executeLater(String sql) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                execute(sql);
                done.complete(null);
            } catch (SQLException e) {
                done.completeExceptionally(e);
            }
        });
        return done;
    }

    private static String ask(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(postgres.jdbcUrl("postgres"), "postgres", "");
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        }
    }
}
