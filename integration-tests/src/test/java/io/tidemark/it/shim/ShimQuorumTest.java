package io.tidemark.it.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.runtime.net.HostPort;
import io.tidemark.safekeeper.SafekeeperConfig;
import io.tidemark.safekeeper.SafekeeperServer;
import io.tidemark.shim.compute.FenceReport;
import io.tidemark.shim.compute.Shim;
import io.tidemark.shim.compute.ShimConfig;
import io.tidemark.shim.compute.ShimState;
import io.tidemark.shim.compute.ShimStatus;
import io.tidemark.shim.compute.SyncSafekeepers;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.source.PostgresAddress;
import io.tidemark.wire.client.SslMode;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.walpush.WalPushVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Real PostgreSQL, real shim, three real safekeepers in this process. */
class ShimQuorumTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int SEGMENT_BYTES = 16 << 20;

    private final TenantTimelineId timeline = new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4));
    private final List<SafekeeperServer> safekeepers = new ArrayList<>();
    private final List<AutoCloseable> opened = new ArrayList<>();
    private ServerUser user = new ServerUser(Optional.empty());
    private Path scratch = Path.of("unset");
    private PostgresServer postgres;

    @BeforeEach
    void start() throws Exception {
        user = ServerUser.current();
        scratch = user.scratchDirectory("tidemark-shim-quorum-");
        for (int i = 0; i < 3; i++) {
            safekeepers.add(SafekeeperServer.start(config(i, 0)));
        }
        postgres = PostgresServer.create(
                PostgresArchives.configured().require(17), user, scratch.resolve("pg"), InitDbOptions.defaults());
        postgres.configure(Map.of("synchronous_standby_names", "tidemark", "fsync", "off", "wal_keep_size", "512MB"));
        postgres.start();
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable each : opened.reversed()) {
            each.close();
        }
        postgres.close();
        safekeepers.forEach(SafekeeperServer::close);
        try (Stream<Path> paths = Files.walk(scratch)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        }
    }

    @Test
    void commitsGoOnWithTwoWaitWithOneAndReturnWithTwoAgain() throws Exception {
        Shim shim = startShim(postgres, new CopyOnWriteArrayList<>());
        execute(postgres, "CREATE TABLE t (id serial PRIMARY KEY, text text)");
        stopSafekeeper(0);
        execute(postgres, "INSERT INTO t (text) VALUES ('two of three')");
        stopSafekeeper(1);
        CompletableFuture<Void> waiting = executeLater(postgres, "INSERT INTO t (text) VALUES ('one of three')");
        awaitWaitingCommit();
        assertThat(waiting).isNotDone();
        startSafekeeper(0);
        assertThat(waiting).succeedsWithin(PATIENCE);
        startSafekeeper(1);
        execute(postgres, "INSERT INTO t (text) VALUES ('three of three')");

        assertEveryWalEqualsPostgres(shim);
        assertThat(shim.status().postgresConnections()).isEqualTo(1);
    }

    @Test
    void safekeeperThatMissedMoreThanMemoryHoldsIsFedByADonor() throws Exception {
        Shim shim = startShim(postgres, new CopyOnWriteArrayList<>());
        execute(postgres, "CREATE TABLE t (id serial PRIMARY KEY, text text)");
        await().atMost(PATIENCE)
                .until(() -> lowestFlush(shim).isAfter(shim.status().startLsn()));
        stopSafekeeper(2);
        execute(postgres, "INSERT INTO t (text) SELECT repeat(md5(i::text), 30) FROM generate_series(1, 40000) i");
        assertThat(shim.status().bufferedBytes()).isLessThanOrEqualTo(8L << 20);
        startSafekeeper(2);
        assertEveryWalEqualsPostgres(shim);
    }

    @Test
    void ofTwoShimsOnOneTimelineExactlyOneCanCommit() throws Exception {
        List<FenceReport> fenced = new CopyOnWriteArrayList<>();
        Shim first = startShim(postgres, fenced);
        execute(postgres, "CREATE TABLE t (text text)");
        PostgresServer copy = coldCopy();
        Shim second = startShim(copy, new CopyOnWriteArrayList<>());

        ShimStatus last = first.finished().get();
        assertThat(last.state()).isEqualTo(ShimState.FENCED);
        assertThat(fenced).hasSize(1);
        assertThat(last.problem()).contains("winner: tidemark for postgres://postgres@127.0.0.1:" + copy.port());
        CompletableFuture<Void> never =
                executeLater(postgres, "INSERT INTO t SELECT 'of the one who lost' FROM generate_series(1, 1000)");
        awaitWaitingCommit();
        execute(copy, "INSERT INTO t VALUES ('of the winner')");
        assertThat(never).isNotDone();
        assertThat(second.status().state()).isEqualTo(ShimState.STREAMING);

        // The loser has WAL of its own by now. It can't come back, and does not disturb the winner when it tries.
        ShimStatus again = Shim.start(config(postgres), report -> {}).finished().get();
        assertThat(again.state()).isEqualTo(ShimState.REFUSED);
        assertThat(again.problem()).contains("diverged");
        execute(copy, "INSERT INTO t VALUES ('of the winner, again')");
        assertThat(second.status().state()).isEqualTo(ShimState.STREAMING);
        postgres.kill();
    }

    @Test
    void syncTellsWhereTheTimelineEnds() throws Exception {
        Shim shim = startShim(postgres, new CopyOnWriteArrayList<>());
        execute(postgres, "CREATE TABLE t AS SELECT generate_series(1, 10000)");
        postgres.stop(PostgresServer.Shutdown.FAST, PATIENCE);
        Lsn end = shim.status().sourceLsn();
        shim.close();
        for (int i = 0; i < 2; i++) {
            assertThat(SyncSafekeepers.run(addresses(), timeline, WalPushVersion.V3, PATIENCE))
                    .isEqualTo(end);
        }
    }

    private void awaitWaitingCommit() {
        await().atMost(PATIENCE)
                .until(() -> ask(postgres, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
                        .equals("1"));
    }

    private PostgresServer coldCopy() throws Exception {
        postgres.stop(PostgresServer.Shutdown.FAST, PATIENCE);
        Path to = scratch.resolve("copy");
        try (Stream<Path> paths = Files.walk(postgres.dataDir())) {
            for (Path from : (Iterable<Path>) paths::iterator) {
                Files.copy(
                        from,
                        to.resolve(postgres.dataDir().relativize(from)),
                        java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
        user.own(to);
        PostgresServer copy = PostgresServer.open(postgres.binaries(), user, to);
        opened.add(copy);
        copy.listenOn(freePort());
        copy.start();
        postgres.start();
        return copy;
    }

    private static int freePort() throws IOException {
        try (java.net.ServerSocket socket = new java.net.ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private Shim startShim(PostgresServer server, List<FenceReport> fenced) {
        Shim shim = Shim.start(config(server), fenced::add);
        opened.add(shim);
        await().atMost(PATIENCE).until(() -> shim.status().state(), state -> state == ShimState.STREAMING);
        return shim;
    }

    private ShimConfig config(PostgresServer server) {
        PostgresAddress address =
                new PostgresAddress(server.host(), server.port(), "postgres", "postgres", SslMode.DISABLE, "");
        return new ShimConfig(
                address, "tidemark", "tidemark", addresses(), timeline, WalPushVersion.V3, 8 << 20, Lsn.INVALID);
    }

    private List<SafekeeperAddress> addresses() {
        return safekeepers.stream()
                .map(server ->
                        new SafekeeperAddress("127.0.0.1", server.pgAddress().getPort()))
                .toList();
    }

    private SafekeeperConfig config(int index, int port) {
        return SafekeeperConfig.of(new NodeId(index + 1), scratch.resolve("sk" + index))
                .listeningOn(new HostPort("127.0.0.1", port), new HostPort("127.0.0.1", 0));
    }

    private void stopSafekeeper(int index) {
        safekeepers.get(index).close();
    }

    private void startSafekeeper(int index) throws IOException {
        int port = safekeepers.get(index).pgAddress().getPort();
        safekeepers.set(index, SafekeeperServer.start(config(index, port)));
    }

    private static Lsn lowestFlush(Shim shim) {
        return shim.status().safekeepers().stream()
                .map(ShimStatus.Safekeeper::flushLsn)
                .min(Comparator.naturalOrder())
                .orElse(Lsn.INVALID);
    }

    private void assertEveryWalEqualsPostgres(Shim shim) throws Exception {
        Lsn end = Lsn.parse(ask(postgres, "SELECT pg_current_wal_flush_lsn()"));
        await().atMost(PATIENCE).until(() -> lowestFlush(shim).isAtLeast(end));
        Lsn start = shim.status().startLsn();
        for (int i = 0; i < 3; i++) {
            Path wal = scratch.resolve("sk" + i)
                    .resolve(timeline.tenantId().toString())
                    .resolve(timeline.timelineId().toString());
            assertThat(Arrays.mismatch(
                            bytes(wal, start, end), bytes(postgres.dataDir().resolve("pg_wal"), start, end)))
                    .as("first difference of safekeeper %d from %s", i + 1, start)
                    .isEqualTo(-1);
        }
    }

    private static byte[] bytes(Path wal, Lsn start, Lsn end) throws IOException {
        byte[] all = new byte[(int) end.minus(start)];
        for (Lsn at = start; at.isBefore(end); ) {
            long segment = at.segmentNumber(SEGMENT_BYTES);
            Lsn to = Lsn.ofSegment(segment + 1, SEGMENT_BYTES).min(end);
            String name = String.format("00000001%08X%08X", segment >>> 8, segment & 0xFF);
            Path file = Files.exists(wal.resolve(name)) ? wal.resolve(name) : wal.resolve(name + ".partial");
            byte[] content = Files.readAllBytes(file);
            System.arraycopy(content, at.segmentOffset(SEGMENT_BYTES), all, (int) at.minus(start), (int) to.minus(at));
            at = to;
        }
        return all;
    }

    private static void execute(PostgresServer server, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static CompletableFuture<Void> executeLater(PostgresServer server, String sql) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                execute(server, sql);
                done.complete(null);
            } catch (SQLException e) {
                done.completeExceptionally(e);
            }
        });
        return done;
    }

    private static String ask(PostgresServer server, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        }
    }
}
