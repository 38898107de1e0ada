package io.tidemark.it.containers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.abort;

import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.follow.Imports;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.it.CommandRun;
import io.tidemark.it.compute.SqlDigest;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A database moves out of a container into storage, and out of storage into a container; what it holds stays the same. */
@Tag("containers")
@Timeout(300)
class PostgresContainerTest {
    static final String IMAGE_PROPERTY = "tidemark.test.postgres-image";

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int VERSION_OF_A_MAJOR = 10_000;
    private static final String[] CONTENT = {
        "CREATE TABLE accounts (id int PRIMARY KEY, balance bigint, filler char(84))",
        "INSERT INTO accounts SELECT i, i * 7, '' FROM generate_series(1, 20000) i",
        "CREATE INDEX ON accounts (balance)",
        "CREATE TABLE notes (id serial PRIMARY KEY, text text)",
        "INSERT INTO notes (text) SELECT string_agg(md5((i * j)::text), '') FROM generate_series(1, 50) i,"
                + " generate_series(1, 400) j GROUP BY i",
        "SELECT lo_from_bytea(0, decode(repeat('cafe', 5000), 'hex'))",
        "CREATE UNLOGGED TABLE scratch AS SELECT generate_series(1, 100) i",
        "DELETE FROM accounts WHERE id % 10 = 3",
        "VACUUM ANALYZE"
    };

    private String image = "";
    private Path scratch = Path.of("unset");

    @BeforeEach
    void requireDocker() throws IOException {
        image = System.getProperty(IMAGE_PROPERTY, "");
        Optional<String> problem = image.isBlank()
                ? Optional.of(
                        "no image to test with: -D" + IMAGE_PROPERTY + "=postgres:17 names one, of PostgreSQL 14 to 18")
                : DockerDaemon.problem();
        if (problem.isPresent()) {
            System.err.println("SKIPPED: " + problem.get());
            abort(problem.get());
        }
        scratch = ServerUser.current().scratchDirectory("tidemark-containers-");
    }

    @AfterEach
    void clean() throws IOException {
        if (!Files.isDirectory(scratch)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(scratch)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    @Test
    void aServerInAContainerBecomesABranchThatAComputeRunsOn() throws Exception {
        try (PostgresContainer source = PostgresContainer.fresh(image);
                EmbeddedStorage storage = storage(source)) {
            Map<String, String> digest;
            try (Connection connection = source.connect()) {
                SqlDigest.run(connection, CONTENT);
                importWhileItRuns(source);
                SqlDigest.run(
                        connection,
                        "UPDATE accounts SET balance = balance + 1 WHERE id % 7 = 0",
                        "CREATE TABLE later AS SELECT * FROM accounts WHERE id < 500",
                        "CREATE INDEX ON later (id)",
                        "ALTER SYSTEM SET default_transaction_read_only = on",
                        "SELECT pg_reload_conf()");
                digest = SqlDigest.of(connection);
            }
            await("the server in the container takes no writes")
                    .atMost(PATIENCE)
                    .until(() -> isReadOnly(source));
            succeed("import", "cut-over", "--branch=moved");
            source.close();
            StockCompute compute = storage.startCompute("moved", 0, StartListener.NONE);
            try (Connection connection = connect(compute.postgres())) {
                assertThat(SqlDigest.of(connection)).isEqualTo(digest);
                assertThat(SqlDigest.one(connection, "SELECT count(*) FROM scratch"))
                        .as("rows of the unlogged table")
                        .isEqualTo("0");
                SqlDigest.run(connection, "UPDATE accounts SET balance = 0 WHERE id = 1", "REINDEX TABLE accounts");
            }
        } finally {
            if (StorageDirectory.exists(cluster())) {
                new Imports(StorageDirectory.open(cluster())).stopAll();
            }
        }
    }

    private void importWhileItRuns(PostgresContainer source) throws IOException {
        Path password = scratch.resolve("password");
        Files.writeString(password, PostgresContainer.PASSWORD + "\n");
        String made = succeed(
                "import",
                "postgres://postgres@" + source.host() + ":" + source.port() + "/",
                "--branch=moved",
                "--password-file=" + password);
        assertThat(made).contains("Branch moved follows").doesNotContain(PostgresContainer.PASSWORD);
    }

    private static boolean isReadOnly(PostgresContainer server) throws SQLException {
        try (Connection connection = server.connect()) {
            return SqlDigest.one(connection, "SHOW default_transaction_read_only")
                    .equals("on");
        }
    }

    private Path cluster() {
        return scratch.resolve("cluster");
    }

    private String succeed(String... words) {
        CommandRun run = CommandRun.of(
                Stream.concat(Stream.of(words), Stream.of("--dir=" + cluster())).toArray(String[]::new));
        assertThat(run.exitCode()).as(run.toString()).isZero();
        return run.out();
    }

    @Test
    void anExportedBranchRunsInAContainer() throws Exception {
        try (PostgresContainer probe = PostgresContainer.fresh(image);
                EmbeddedStorage storage = storage(probe)) {
            probe.close();
            Map<String, String> digest;
            StockCompute compute = storage.startCompute(StorageDirectory.MAIN, 0, StartListener.NONE);
            try (Connection connection = connect(compute.postgres())) {
                SqlDigest.run(connection, CONTENT);
                digest = SqlDigest.of(connection);
                SqlDigest.run(connection, "SELECT pg_create_restore_point('moved')", "DROP TABLE accounts");
            }
            Path exported = scratch.resolve("exported");
            succeed("export", "--at=point:moved", StorageDirectory.MAIN, exported.toString());
            // Connections to a container do not come from its loopback.
            Files.writeString(exported.resolve("pg_hba.conf"), "host all all all trust\n", StandardOpenOption.APPEND);
            try (PostgresContainer server = PostgresContainer.on(image, exported);
                    Connection connection = server.connect()) {
                assertThat(SqlDigest.of(connection)).isEqualTo(digest);
                SqlDigest.run(connection, "UPDATE accounts SET balance = 0 WHERE id = 1", "REINDEX TABLE accounts");
            }
        }
    }

    /** Storage for the image's major version. */
    private EmbeddedStorage storage(PostgresContainer like) throws Exception {
        int major;
        try (Connection connection = like.connect()) {
            major = Integer.parseInt(SqlDigest.one(connection, "SHOW server_version_num")) / VERSION_OF_A_MAJOR;
        }
        return EmbeddedStorage.start(StorageDirectory.openOrCreate(
                cluster(), ClusterOptions.defaults().withAnyPorts().withPgMajor(major)));
    }

    private static Connection connect(PostgresServer server) throws SQLException {
        return DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
    }
}
