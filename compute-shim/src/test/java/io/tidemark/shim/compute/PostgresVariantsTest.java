package io.tidemark.shim.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.source.PostgresAddress;
import io.tidemark.wire.client.SslMode;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** PostgreSQL servers of other versions and settings than the usual one. */
class PostgresVariantsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String STORE_PASSWORD = "changeit";

    private final FakeSafekeeper safekeeper = new FakeSafekeeper(1);
    private ServerUser user = new ServerUser(java.util.Optional.empty());
    private Path scratch = Path.of("unset");

    @BeforeEach
    void makeScratch() throws Exception {
        user = ServerUser.current();
        scratch = user.scratchDirectory("tidemark-shim-variants-");
    }

    @AfterEach
    void deleteScratch() throws Exception {
        safekeeper.close();
        try (Stream<Path> paths = Files.walk(scratch)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        }
    }

    @Test
    void version14TellsItsSlotByAnOrdinaryConnection() throws Exception {
        try (PostgresServer server = create(14, InitDbOptions.defaults())) {
            server.start();
            try (Shim shim = start(server, SslMode.PREFER, "")) {
                await().atMost(PATIENCE).until(() -> shim.status().state() == ShimState.STREAMING);
                assertThat(shim.status().startLsn().isValid()).isTrue();
            }
        }
    }

    @Test
    void version18WithSmallSegmentsStreams() throws Exception {
        try (PostgresServer server = create(18, InitDbOptions.defaults().withWalSegmentSizeMb(1))) {
            server.start();
            try (Shim shim = start(server, SslMode.DISABLE, "")) {
                await().atMost(PATIENCE).until(() -> shim.status().state() == ShimState.STREAMING);
            }
        }
    }

    @Test
    void minimalWalLevelIsRefused() throws Exception {
        try (PostgresServer server = create(16, InitDbOptions.defaults())) {
            server.configure(Map.of("wal_level", "minimal", "max_wal_senders", "0"));
            server.start();
            ShimStatus last = start(server, SslMode.DISABLE, "").finished().get();
            assertThat(last.state()).isEqualTo(ShimState.REFUSED);
            assertThat(last.problem()).contains("wal_level = minimal");
        }
    }

    @Test
    void scramOverTlsStreamsAndAWrongPasswordIsRefused() throws Exception {
        try (PostgresServer server = create(17, InitDbOptions.defaults().withPassword("s3cret"))) {
            makeCertificate(server.dataDir());
            server.configure(Map.of("ssl", "on"));
            server.start();
            try (Shim shim = start(server, SslMode.REQUIRE, "s3cret")) {
                await().atMost(PATIENCE).until(() -> shim.status().state() == ShimState.STREAMING);
            }
            ShimStatus last = start(server, SslMode.REQUIRE, "wrong").finished().get();
            assertThat(last.state()).isEqualTo(ShimState.REFUSED);
            assertThat(last.problem()).contains("28P01");
            assertThat(start(server, SslMode.REQUIRE, "").finished().get().problem())
                    .contains("asks for a password");
        }
    }

    private PostgresServer create(int major, InitDbOptions options) throws Exception {
        PostgresServer server = PostgresServer.create(
                PostgresArchives.configured().require(major), user, scratch.resolve("pg"), options);
        server.configure(Map.of("fsync", "off"));
        return server;
    }

    private Shim start(PostgresServer server, SslMode sslMode, String password) {
        PostgresAddress address =
                new PostgresAddress(server.host(), server.port(), "postgres", "postgres", sslMode, password);
        TenantTimelineId timeline = new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4));
        return Shim.start(ShimConfig.of(address, List.of(safekeeper.address()), timeline), PostgresKeeper.NONE);
    }

    /** server.crt and server.key, as PostgreSQL wants them. */
    private void makeCertificate(Path dataDir) throws Exception {
        Path store = scratch.resolve("tls.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "pg",
                        "-keyalg",
                        "RSA",
                        "-keysize",
                        "2048",
                        "-dname",
                        "CN=localhost",
                        "-validity",
                        "2",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        STORE_PASSWORD)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(keytool.waitFor(1, TimeUnit.MINUTES)).isTrue();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, STORE_PASSWORD.toCharArray());
        }
        Path certificate = dataDir.resolve("server.crt");
        Path key = dataDir.resolve("server.key");
        Files.writeString(
                certificate, pem("CERTIFICATE", keys.getCertificate("pg").getEncoded()));
        Files.writeString(
                key,
                pem(
                        "PRIVATE KEY",
                        keys.getKey("pg", STORE_PASSWORD.toCharArray()).getEncoded()));
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        user.own(dataDir);
    }

    private static String pem(String what, byte[] der) {
        return "-----BEGIN " + what + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                + "\n-----END " + what + "-----\n";
    }
}
