package io.tidemark.shim.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresServerTest {
    private ServerUser user = new ServerUser(Optional.empty());
    private Path scratch = Path.of("unset");

    @BeforeEach
    void makeScratch() throws Exception {
        user = ServerUser.current();
        scratch = user.scratchDirectory("tidemark-postgres-test-");
    }

    @AfterEach
    void deleteScratch() throws IOException {
        try (Stream<Path> paths = Files.walk(scratch)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> assertThat(path.toFile().delete()).isTrue());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void everyMajorVersionStartsAndAnswers(int major) throws Exception {
        PostgresBinaries binaries = PostgresArchives.configured().require(major);
        try (PostgresServer server =
                PostgresServer.create(binaries, user, scratch.resolve("pg"), InitDbOptions.defaults())) {
            server.start();

            assertThat(query(server, "SHOW server_version_num")).startsWith(Integer.toString(major));
            assertThat(query(server, "SHOW data_checksums")).isEqualTo("off");
            assertThat(server.pid()).isPositive();
        }
        assertThat(PostgresServer.majorOf(scratch.resolve("pg"))).contains(major);
    }

    @Test
    void dataSurvivesKillAndTheServerIsTakenOverByItsDirectory() throws Exception {
        PostgresBinaries binaries = PostgresArchives.configured().require(17);
        int port;
        try (PostgresServer server =
                PostgresServer.create(binaries, user, scratch.resolve("pg"), InitDbOptions.defaults())) {
            server.configure(Map.of("application_name", "it's \\ here"));
            server.start();
            port = server.port();
            execute(server, "CREATE TABLE t AS SELECT 42 AS answer");
            server.kill();
            assertThat(server.isRunning()).isFalse();
            server.start();
            assertThatThrownBy(server::start)
                    .isInstanceOf(PostgresException.class)
                    .hasMessageContaining("already runs");
        }
        try (PostgresServer again = PostgresServer.open(binaries, user, scratch.resolve("pg"))) {
            assertThat(again.isRunning()).isFalse();
            again.start();
            assertThat(again.port()).isEqualTo(port);
            assertThat(query(again, "SELECT answer FROM t")).isEqualTo("42");
            assertThat(query(again, "SELECT setting FROM pg_file_settings WHERE name = 'application_name'"))
                    .isEqualTo("it's \\ here");
            again.stop(PostgresServer.Shutdown.IMMEDIATE, Duration.ofSeconds(20));
            assertThat(again.isRunning()).isFalse();
        }
    }

    @Test
    void aPasswordIsAskedForWhenOneIsSet() throws Exception {
        PostgresBinaries binaries = PostgresArchives.configured().require(18);
        InitDbOptions options = InitDbOptions.defaults().withPassword("se cret");
        try (PostgresServer server = PostgresServer.create(binaries, user, scratch.resolve("pg"), options)) {
            server.start();

            String url = server.jdbcUrl("postgres");
            try (Connection right = DriverManager.getConnection(url, "postgres", "se cret")) {
                assertThat(right.isValid(10)).isTrue();
            }
            assertThatThrownBy(() -> DriverManager.getConnection(url, "postgres", "wrong"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("password authentication failed");
        }
    }

    @Test
    void aServerThatCannotStartSaysWhy() throws Exception {
        PostgresBinaries binaries = PostgresArchives.configured().require(16);
        try (PostgresServer server =
                PostgresServer.create(binaries, user, scratch.resolve("pg"), InitDbOptions.defaults())) {
            server.configure(Map.of("shared_buffers", "many"));

            assertThatThrownBy(server::start)
                    .isInstanceOf(PostgresException.class)
                    .hasMessageContaining("shared_buffers");
        }
        PostgresBinaries other = PostgresArchives.configured().require(17);
        assertThatThrownBy(() -> PostgresServer.open(other, user, scratch.resolve("pg")))
                .hasMessageContaining("belongs to PostgreSQL 16, not 17");
    }

    @Test
    void manyMayInstallTheSameServerAtOnce() throws Exception {
        Path archives = Path.of(System.getProperty(PostgresArchives.ARCHIVES_PROPERTY));
        Path cache = scratch.resolve("cache");
        Callable<PostgresBinaries> install = () -> new PostgresArchives(Optional.of(archives), cache).require(15);
        try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
            List<Future<PostgresBinaries>> installed = threads.invokeAll(List.of(install, install, install));
            for (Future<PostgresBinaries> one : installed) {
                assertThat(one.get().binDir()).isEqualTo(cache.resolve("15.19.0/bin"));
            }
        }
        try (Stream<Path> left = Files.list(cache)) {
            assertThat(left).containsExactly(cache.resolve("15.19.0"));
        }
        assertThat(new PostgresArchives(Optional.empty(), cache).require(15).major())
                .as("an installation needs no archive any more")
                .isEqualTo(15);
        assertThatThrownBy(() -> new PostgresArchives(Optional.empty(), cache).require(16))
                .isInstanceOf(PostgresException.class)
                .hasMessageContaining("no PostgreSQL 16");
    }

    @Test
    void aDirectoryWithoutAServerIsRefused() {
        assertThatThrownBy(() -> PostgresBinaries.at(scratch))
                .isInstanceOf(PostgresException.class)
                .hasMessageContaining("postgres is missing");
    }

    private static String query(PostgresServer server, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static void execute(PostgresServer server, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
