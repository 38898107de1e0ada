package io.tidemark.shim.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.tidemark.shim.libpq.Ending;
import io.tidemark.shim.libpq.ScriptedServer;
import io.tidemark.shim.libpq.Sockets;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.WalReceiverMessage;
import io.tidemark.wire.replication.WalSenderMessage;
import io.tidemark.wire.server.PgServerConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Silence between PostgreSQL and the shim, on either side. */
@Timeout(120)
class SilentPostgresTest {
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final Lsn START = Lsn.parse("0/1000028");

    /** Says nothing by itself within a test. */
    private static final PostgresSource.Patience TACITURN = new PostgresSource.Patience(3_600_000, 3_600_000);

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, Sockets.ioHandlerFactory());
    private final EventLoop loop = group.next();
    private final List<WalReceiverMessage> heard = new CopyOnWriteArrayList<>();
    private final CompletableFuture<PgServerConnection> came = new CompletableFuture<>();
    private final CompletableFuture<Ending> lost = new CompletableFuture<>();

    @AfterEach
    void stop() {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private PostgresSource open(PgClientConfig address, Lsn startLsn, PostgresSource.Patience patience) {
        PostgresSource source = loop.submit(() ->
                        PostgresSource.open(loop, address, "slot", startLsn, patience, new PostgresSource.Listener() {
                            @Override
                            public void walReceived(Lsn beginLsn, ByteBuf wal) {}

                            @Override
                            public void walBatchEnded() {}

                            @Override
                            public void lost(Ending ending) {
                                lost.complete(ending);
                            }
                        }))
                .syncUninterruptibly()
                .getNow();
        var _ = loop.scheduleAtFixedRate(source::tick, 0, 20, TimeUnit.MILLISECONDS);
        return source;
    }

    private ScriptedServer listeningServer() {
        return new ScriptedServer((connection, sql) -> {
            connection.startCopyBoth(new CopyHandler() {
                @Override
                public void onCopyData(ByteBuf data) {
                    heard.add(WalReceiverMessage.decode(data));
                }

                @Override
                public void onCopyEnd(CopyEnd end) {}
            });
            came.complete(connection);
        });
    }

    @Test
    void aSilentPostgresIsAskedAndThenLost() {
        try (ScriptedServer server = listeningServer()) {
            long begun = System.nanoTime();
            open(server.address(), START, new PostgresSource.Patience(200, 1_500));
            assertThat(lost)
                    .succeedsWithin(PATIENCE)
                    .satisfies(ending -> assertThat(ending.reason()).contains("has not said a word for"));
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThanOrEqualTo(Duration.ofMillis(1_490));
            assertThat(heard)
                    .filteredOn(message -> message instanceof WalReceiverMessage.StandbyStatus)
                    .isNotEmpty()
                    .allSatisfy(message -> assertThat(message)
                            .isInstanceOfSatisfying(
                                    WalReceiverMessage.StandbyStatus.class,
                                    status ->
                                            assertThat(status.replyRequested()).isTrue()));
            // Once, so that nothing of an earlier connection stays in the slot.
            assertThat(heard)
                    .filteredOn(message -> !(message instanceof WalReceiverMessage.StandbyStatus))
                    .containsExactly(new WalReceiverMessage.StandbyFeedback(HotStandbyFeedback.NONE));
        }
    }

    @Test
    void aPostgresThatTakesTheCommandAndDoesNotAnswerIsLost() {
        try (ScriptedServer server = new ScriptedServer((connection, sql) -> {})) {
            open(server.address(), START, new PostgresSource.Patience(200, 800));
            assertThat(lost)
                    .succeedsWithin(PATIENCE)
                    .satisfies(ending -> assertThat(ending.reason()).contains("has not said a word for"));
        }
    }

    @Test
    void onlyAKeepaliveThatAsksForItIsAnswered() {
        try (ScriptedServer server = listeningServer()) {
            open(server.address(), START, TACITURN);
            PgServerConnection connection = came.orTimeout(40, TimeUnit.SECONDS).join();
            ScriptedServer.send(connection, new WalSenderMessage.Keepalive(START, 0, false));
            ScriptedServer.send(connection, new WalSenderMessage.Keepalive(START, 0, true));
            await().atMost(PATIENCE).until(() -> !heard.isEmpty());
            ScriptedServer.send(connection, new WalSenderMessage.Keepalive(START, 0, true));
            await().atMost(PATIENCE).until(() -> heard.size() >= 2);
            assertThat(heard)
                    .hasSize(2)
                    .allSatisfy(message -> assertThat(message)
                            .isInstanceOfSatisfying(
                                    WalReceiverMessage.StandbyStatus.class,
                                    status ->
                                            assertThat(status.replyRequested()).isFalse()));
            assertThat(lost).isNotDone();
        }
    }

    /** With wal_sender_timeout = 1s a walsender asks every half second, and ends the connection of who does not answer. */
    @Test
    void aRealWalsenderKeepsWhoAnswersItsKeepalives() throws Exception {
        ServerUser user = ServerUser.current();
        Path scratch = user.scratchDirectory("tidemark-silent-");
        try (PostgresServer postgres = PostgresServer.create(
                PostgresArchives.configured().require(17), user, scratch.resolve("pg"), InitDbOptions.defaults())) {
            postgres.configure(Map.of("fsync", "off", "wal_sender_timeout", "1s"));
            postgres.start();
            try (Connection sql = DriverManager.getConnection(postgres.jdbcUrl("postgres"), "postgres", "")) {
                ask(sql, "SELECT pg_create_physical_replication_slot('slot', true)");
                Lsn start = Lsn.parse(ask(sql, "SELECT pg_current_wal_flush_lsn()"));
                Lsn segment = Lsn.of(start.value() & -(16L << 20));
                open(
                        PgClientConfig.of(postgres.host(), postgres.port(), "postgres")
                                .withParameter("replication", "true"),
                        segment,
                        TACITURN);
                Set<String> replies = new HashSet<>();
                Set<String> walsenders = new HashSet<>();
                await().atMost(PATIENCE).until(() -> {
                    String row = ask(sql, "SELECT pid || ' ' || reply_time FROM pg_stat_replication");
                    if (!row.isEmpty()) {
                        walsenders.add(row.split(" ", 2)[0]);
                        replies.add(row);
                    }
                    return replies.size() >= 6;
                });
                assertThat(walsenders).as("one walsender all the time").hasSize(1);
                assertThat(lost).isNotDone();
            }
        } finally {
            try (Stream<Path> paths = Files.walk(scratch)) {
                paths.sorted(Comparator.reverseOrder())
                        .forEach(path -> path.toFile().delete());
            }
        }
    }

    private static String ask(Connection connection, String sql) throws Exception {
        try (var statement = connection.createStatement();
                ResultSet answer = statement.executeQuery(sql)) {
            String value = answer.next() ? answer.getString(1) : null;
            return value == null ? "" : value;
        }
    }
}
