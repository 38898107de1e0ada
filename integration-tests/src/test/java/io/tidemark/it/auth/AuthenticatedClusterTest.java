package io.tidemark.it.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.it.CommandRun;
import io.tidemark.pageserver.PageserverAuth;
import io.tidemark.pageserver.PageserverConfig;
import io.tidemark.pageserver.PageserverServer;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.runtime.auth.Scope;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.safekeeper.SafekeeperConfig;
import io.tidemark.safekeeper.SafekeeperServer;
import io.tidemark.shim.compute.Shim;
import io.tidemark.shim.compute.ShimConfig;
import io.tidemark.shim.compute.ShimState;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.source.PostgresAddress;
import io.tidemark.wire.client.SslMode;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A cluster in which everybody asks for tokens: PostgreSQL commits through it, and its pages arrive. */
@Timeout(180)
class AuthenticatedClusterTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final HostPort ANY = new HostPort("127.0.0.1", 0);
    private static final TenantTimelineId TIMELINE = new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4));

    private final List<SafekeeperServer> safekeepers = new ArrayList<>();
    private Path scratch = Path.of("unset");
    private TestTokens tokens;
    private PostgresServer postgres;

    @BeforeEach
    void start() throws Exception {
        ServerUser user = ServerUser.current();
        scratch = user.scratchDirectory("tidemark-auth-");
        tokens = new TestTokens();
        Path key = tokens.writePublicKey(scratch.resolve("key.pem"));
        for (int i = 0; i < 3; i++) {
            safekeepers.add(SafekeeperServer.start(SafekeeperConfig.of(new NodeId(i + 1), scratch.resolve("sk" + i))
                    .listeningOn(ANY, ANY)
                    .withAuthPublicKey(key)));
        }
        postgres = PostgresServer.create(
                PostgresArchives.configured().require(17), user, scratch.resolve("pg"), InitDbOptions.defaults());
        postgres.configure(Map.of("synchronous_standby_names", "tidemark", "fsync", "off", "wal_keep_size", "512MB"));
        postgres.start();
    }

    @AfterEach
    void stop() throws Exception {
        postgres.close();
        safekeepers.forEach(SafekeeperServer::close);
        try (Stream<Path> paths = Files.walk(scratch)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        }
    }

    @Test
    void commitsAndPagesComeByWithTokensOnly() throws Exception {
        try (Shim without = shim(null)) {
            await().atMost(PATIENCE)
                    .until(() -> without.status().safekeepers().stream()
                                    .filter(each -> each.problem().contains("asks for a password"))
                                    .count()
                            == 3);
            assertThat(without.status().state()).isNotEqualTo(ShimState.STREAMING);
        }
        try (Shim shim = shim(tokens.ofTenant(TIMELINE.tenantId()))) {
            await().atMost(PATIENCE).until(() -> shim.status().state() == ShimState.STREAMING);
            execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS i");
            // The pageserver begins with the files of a stopped server, whose last WAL the quorum has.
            postgres.stop(PostgresServer.Shutdown.FAST, PATIENCE);
            try (PageserverServer pageserver = pageserver()) {
                Timeline timeline = pageserver.imports().dataDirectory(TIMELINE, postgres.dataDir());
                postgres.start();
                execute("INSERT INTO t SELECT generate_series(1, 1000)");
                postgres.stop(PostgresServer.Shutdown.FAST, PATIENCE);
                timeline.await(shim.status().sourceLsn(), PATIENCE);
                assertThat(timeline.ingestStatus()).contains("streaming from");
            }
            assertDumpNeedsAToken();
        }
    }

    /** {@code tidemark wal dump} comes with a token that {@code tidemark token} has made. */
    private void assertDumpNeedsAToken() throws Exception {
        String[] dump = {
            "wal",
            "dump",
            "--safekeeper",
            "127.0.0.1:" + safekeepers.getFirst().pgAddress().getPort(),
            "--tenant-id",
            TIMELINE.tenantId().toString(),
            "--timeline-id",
            TIMELINE.timelineId().toString(),
            "--stats"
        };
        CommandRun refused = CommandRun.of(dump);
        assertThat(refused.exitCode()).as(refused.toString()).isEqualTo(1);
        assertThat(refused.err()).contains("asks for a password");

        Path privateKey = tokens.writePrivateKey(scratch.resolve("private.pem"));
        CommandRun made = CommandRun.of(
                "token",
                "--private-key",
                privateKey.toString(),
                "--scope",
                "tenant",
                "--tenant-id",
                TIMELINE.tenantId().toString(),
                "--expires-in",
                "600");
        assertThat(made.exitCode()).as(made.toString()).isZero();
        Path file = Files.writeString(scratch.resolve("token"), made.out());
        String[] withToken = Stream.concat(Stream.of(dump), Stream.of("--auth-token-file", file.toString()))
                .toArray(String[]::new);
        CommandRun dumped = CommandRun.of(withToken);
        assertThat(dumped.exitCode()).as(dumped.toString()).isZero();
        assertThat(dumped.out()).contains("Heap");
        CommandRun wrong = CommandRun.of("token", "--private-key", privateKey.toString(), "--scope", "tenant");
        assertThat(wrong.exitCode()).isEqualTo(2);
        assertThat(wrong.err()).contains("no tenant_id");
    }

    private Shim shim(@org.jspecify.annotations.Nullable String token) {
        List<SafekeeperAddress> addresses = safekeepers.stream()
                .map(server ->
                        new SafekeeperAddress("127.0.0.1", server.pgAddress().getPort(), token))
                .toList();
        PostgresAddress address =
                new PostgresAddress("127.0.0.1", postgres.port(), "postgres", "postgres", SslMode.DISABLE, "");
        return Shim.start(ShimConfig.of(address, addresses, TIMELINE), report -> {});
    }

    private PageserverServer pageserver() throws Exception {
        List<HostPort> addresses = safekeepers.stream()
                .map(server -> new HostPort("127.0.0.1", server.pgAddress().getPort()))
                .toList();
        return PageserverServer.start(PageserverConfig.of(scratch.resolve("ps"), addresses)
                .listeningOn(ANY, ANY)
                .withAuth(new PageserverAuth(
                        Optional.of(scratch.resolve("key.pem")), Optional.of(tokens.of(Scope.SAFEKEEPERDATA)))));
    }

    private void execute(String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection(postgres.jdbcUrl("postgres"), "postgres", "");
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
