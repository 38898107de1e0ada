package io.tidemark.shim.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import io.tidemark.wire.client.PgClient;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.client.PgServerException;
import io.tidemark.wire.client.QueryResult;
import io.tidemark.wire.client.SslMode;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.replication.WalReceiverMessage.StandbyStatus;
import io.tidemark.wire.replication.WalSenderMessage;
import io.tidemark.wire.replication.WalSenderMessage.XLogData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The client of wire-protocol against a real PostgreSQL: each way to authenticate, TLS, and physical replication. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PgClientPostgresTest {
    private static final String PASSWORD = "pä ss'wörd";
    private static final String HBA = """
            hostssl   all         tls_only  127.0.0.1/32 scram-sha-256
            hostnossl all         tls_only  127.0.0.1/32 reject
            host      all         clear     127.0.0.1/32 password
            host      all         md5       127.0.0.1/32 md5
            host      all         scram     127.0.0.1/32 scram-sha-256
            host      replication scram     127.0.0.1/32 scram-sha-256
            host      all         postgres  127.0.0.1/32 trust
            host      replication postgres  127.0.0.1/32 trust
            """;

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Bootstrap bootstrap = new Bootstrap().group(group).channel(NioSocketChannel.class);
    private @Nullable X509Bundle authority;
    private @Nullable Path scratch;
    private @Nullable PostgresServer server;

    @BeforeAll
    void start() throws Exception {
        scratch = ServerUser.current().scratchDirectory("tidemark-pgclient-test-");
        authority = new CertificateBuilder()
                .subject("CN=Test authority")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        server = startServer(17);
        for (String user : new String[] {"clear", "scram", "tls_only"}) {
            sql("CREATE ROLE " + user + " LOGIN REPLICATION PASSWORD '" + PASSWORD.replace("'", "''") + "'");
        }
        sql("SET password_encryption = 'md5'; CREATE ROLE md5 LOGIN PASSWORD '" + PASSWORD.replace("'", "''") + "'");
    }

    private PostgresServer startServer(int major) throws Exception {
        ServerUser user = ServerUser.current();
        Path directory = Objects.requireNonNull(scratch).resolve("pg" + major);
        PostgresServer started = PostgresServer.create(
                PostgresArchives.configured().require(major), user, directory, InitDbOptions.defaults());
        X509Bundle certificate = new CertificateBuilder()
                .subject("CN=localhost")
                .addSanDnsName("localhost")
                .buildIssuedBy(Objects.requireNonNull(authority));
        write(user, directory.resolve("server.crt"), certificate.getCertificatePathPEM());
        write(user, directory.resolve("server.key"), certificate.getPrivateKeyPEM());
        write(user, directory.resolve("pg_hba.conf"), HBA);
        started.configure(Map.of("ssl", "on", "wal_level", "replica", "max_wal_senders", "5"));
        started.start();
        return started;
    }

    private static void write(ServerUser user, Path file, String content) throws IOException {
        Files.writeString(file, content);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        user.own(file);
    }

    @AfterAll
    void stop() throws Exception {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        if (server != null) {
            server.close();
        }
        try (Stream<Path> paths = Files.walk(Objects.requireNonNull(scratch))) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> assertThat(path.toFile().delete()).isTrue());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"postgres", "clear", "md5", "scram"})
    void everyWayToAuthenticate(String user) throws Exception {
        PgConnection connection = connect(config(user));
        assertThat(value(connection, "SELECT current_user")).isEqualTo(user);
        assertThat(connection.serverParameter("server_version")).startsWith("17");
        connection.close();
        await(connection.closed());
    }

    @ParameterizedTest
    @ValueSource(strings = {"clear", "md5", "scram"})
    void aWrongPasswordIsTheServersError(String user) {
        assertThatThrownBy(() -> connect(config(user).withPassword("wrong")))
                .isInstanceOfSatisfying(
                        PgServerException.class, e -> assertThat(e.sqlState()).isEqualTo("28P01"))
                .hasMessageContaining("password authentication failed");
    }

    @ParameterizedTest
    @EnumSource(value = SslMode.class, names = "DISABLE", mode = EnumSource.Mode.EXCLUDE)
    void everyModeOfTls(SslMode mode) throws Exception {
        PgConnection connection = connect(config("tls_only")
                .withTls(mode, Objects.requireNonNull(authority).toTrustManagerFactory()));
        assertThat(value(connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
                .isEqualTo("t");
        connection.close();
    }

    @Test
    void aCertificateThatProvesNothingIsRefusedWhenItMust() throws Exception {
        X509Bundle stranger = new CertificateBuilder()
                .subject("CN=Somebody else")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        connect(config("tls_only").withTls(SslMode.REQUIRE, stranger.toTrustManagerFactory()))
                .close();
        assertThatThrownBy(
                        () -> connect(config("tls_only").withTls(SslMode.VERIFY_CA, stranger.toTrustManagerFactory())))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no TLS with");
        // The certificate says localhost, not 127.0.0.1.
        PgClientConfig byAddress = PgClientConfig.of("127.0.0.1", port(), "tls_only")
                .withPassword(PASSWORD)
                .withParameter("database", "postgres");
        connect(byAddress.withTls(
                        SslMode.VERIFY_CA, Objects.requireNonNull(authority).toTrustManagerFactory()))
                .close();
        assertThatThrownBy(() -> connect(byAddress.withTls(
                        SslMode.VERIFY_FULL, Objects.requireNonNull(authority).toTrustManagerFactory())))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no TLS with");
        assertThatThrownBy(() -> connect(config("tls_only"))).hasMessageContaining("pg_hba.conf rejects connection");
    }

    @Test
    void aServersErrorComesWithItsFields() throws Exception {
        PgConnection connection = connect(config("postgres"));
        assertThatThrownBy(() -> await(connection.query("SELECT 1 FROM nowhere")))
                .isInstanceOfSatisfying(PgServerException.class, e -> {
                    assertThat(e.sqlState()).isEqualTo("42P01");
                    assertThat(e.error().fields()).containsEntry('P', "15");
                });
        QueryResult several = await(connection.query("SELECT 1 AS a; SELECT NULL AS b, 'ü' AS c"));
        assertThat(several.tag()).isEqualTo("SELECT 1");
        assertThat(several.table().value(0, "b")).isNull();
        assertThat(several.table().value(0, "c")).isEqualTo("ü");
        assertThatThrownBy(() -> await(connection.query("SELECT pg_terminate_backend(pg_backend_pid())")))
                .isInstanceOfSatisfying(
                        PgServerException.class, e -> assertThat(e.sqlState()).isEqualTo("57P01"));
        assertThat(connection.closed()).succeedsWithin(10, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @CsvSource({"17, scram", "14, postgres", "18, postgres"})
    void physicalReplicationBringsTheServersWal(int major, String user) throws Exception {
        PostgresServer other = major == 17 ? null : startServer(major);
        PostgresServer source = other == null ? Objects.requireNonNull(server) : other;
        try {
            PgClientConfig config = PgClientConfig.of("localhost", source.port(), user)
                    .withPassword(PASSWORD)
                    .withParameter("replication", "true");
            PgConnection replication = connect(config);
            TextTable system = await(replication.query("IDENTIFY_SYSTEM")).table();
            assertThat(SystemId.parse(Objects.requireNonNull(system.value(0, "systemid")))
                            .isKnown())
                    .isTrue();
            await(replication.query("CREATE_REPLICATION_SLOT shim PHYSICAL RESERVE_WAL"));
            PgConnection sql = connect(
                    PgClientConfig.of("localhost", source.port(), "postgres").withParameter("database", "postgres"));
            Lsn start = Lsn.ofSegment(
                    Lsn.parse(Objects.requireNonNull(system.value(0, "xlogpos")))
                            .segmentNumber(16 << 20),
                    16 << 20);
            await(sql.query("CREATE TABLE t AS SELECT g, repeat('x', 100) FROM generate_series(1, 20000) g"));
            Lsn end = Lsn.parse(value(sql, "SELECT pg_current_wal_flush_lsn()"));

            WalCollector collector = new WalCollector(replication, start, end);
            await(replication.copy("START_REPLICATION SLOT shim PHYSICAL " + start + " TIMELINE 1", collector));
            await(collector.reached);
            assertThat(collector.wal.readableBytes()).isGreaterThan(2_000_000);
            assertThat(firstSegmentOf(collector.wal)).isEqualTo(firstSegmentOf(readSegment(source, start, end)));
            // Confirmed here, seen there.
            Lsn confirmed = Lsn.INVALID;
            for (int tries = 0; tries < 10_000 && confirmed.isBefore(end); tries++) {
                confirmed = Lsn.parse(value(sql, "SELECT coalesce(max(flush_lsn), '0/0') FROM pg_stat_replication"));
            }
            assertThat(confirmed).isGreaterThanOrEqualTo(end);
            replication.endCopy();
            assertThat(await(collector.ended)).isEqualTo(new CopyEnd.Done());
            assertThat(await(replication.query("DROP_REPLICATION_SLOT shim")).tag())
                    .isEqualTo("DROP_REPLICATION_SLOT");
            replication.close();
            sql.close();
        } finally {
            if (other != null) {
                other.close();
            }
        }
    }

    @Test
    void replicationFromTheFutureIsRefused() throws Exception {
        PgConnection replication = connect(config("postgres").withParameter("replication", "true"));
        WalCollector collector = new WalCollector(replication, Lsn.INVALID, Lsn.INVALID);
        // PostgreSQL enters COPY first and looks at the position then.
        await(replication.copy("START_REPLICATION PHYSICAL FF/0", collector));
        assertThat(await(collector.ended))
                .isInstanceOfSatisfying(
                        CopyEnd.ServerFailed.class,
                        failed -> assertThat(failed.error().message()).contains("is ahead of the WAL flush position"));
        assertThat(await(replication.query("IDENTIFY_SYSTEM")).table().rows()).hasSize(1);
        replication.close();
    }

    private static ByteBuf readSegment(PostgresServer source, Lsn start, Lsn end) throws IOException {
        Path file = source.dataDir().resolve("pg_wal/%08X%08X%08X".formatted(1, 0, start.segmentNumber(16 << 20)));
        byte[] segment = Files.readAllBytes(file);
        return Unpooled.wrappedBuffer(Arrays.copyOf(segment, (int) Math.min(segment.length, end.minus(start))));
    }

    private static ByteBuf firstSegmentOf(ByteBuf wal) {
        return wal.slice(0, Math.min(wal.readableBytes(), 1 << 20));
    }

    /** Collects WAL without a gap from {@code start}, confirms all of it, and says when {@code end} is reached. */
    private static final class WalCollector implements CopyHandler {
        private final PgConnection connection;
        private final Lsn start;
        private final Lsn end;
        private final ByteBuf wal = Unpooled.buffer();
        private final CompletableFuture<Void> reached = new CompletableFuture<>();
        private final CompletableFuture<CopyEnd> ended = new CompletableFuture<>();

        WalCollector(PgConnection connection, Lsn start, Lsn end) {
            this.connection = connection;
            this.start = start;
            this.end = end;
        }

        @Override
        public void onCopyData(ByteBuf data) {
            if (WalSenderMessage.decode(data) instanceof XLogData xlog) {
                assertThat(xlog.startLsn()).isEqualTo(start.plus(wal.readableBytes()));
                wal.writeBytes(xlog.wal());
                xlog.wal().release();
            }
        }

        @Override
        public void onReadComplete() {
            Lsn position = start.plus(wal.readableBytes());
            connection.writeAndFlush(CopyFrames.frame(
                    connection.channel().alloc(),
                    34,
                    new StandbyStatus(position, position, position, 0, false)::encode));
            if (position.isAtLeast(end)) {
                reached.complete(null);
            }
        }

        @Override
        public void onCopyEnd(CopyEnd how) {
            if (how instanceof CopyEnd.Lost(Throwable cause) && cause != null) {
                reached.completeExceptionally(cause);
            }
            ended.complete(how);
        }
    }

    private PgClientConfig config(String user) {
        return PgClientConfig.of("localhost", port(), user)
                .withPassword(PASSWORD)
                .withParameter("database", "postgres");
    }

    private int port() {
        return Objects.requireNonNull(server).port();
    }

    private PgConnection connect(PgClientConfig config) throws Exception {
        return await(PgClient.connect(bootstrap, config));
    }

    private void sql(String statement) throws Exception {
        PgConnection connection = connect(config("postgres"));
        await(connection.query(statement));
        connection.close();
    }

    private static String value(PgConnection connection, String query) throws Exception {
        return Objects.requireNonNull(
                await(connection.query(query)).table().rows().getFirst().getFirst());
    }

    private static <T> T await(CompletableFuture<T> future) throws Exception {
        try {
            return future.get(20, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }
}
