package io.tidemark.bench.junit;

import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.junit.Seed;
import io.tidemark.junit.TestStorage;
import io.tidemark.junit.TestStorage.RunningBranch;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;

/** Ways to give a test a seeded database of its own. Each is timed by who calls it: {@link Timing} says when it answered. */
final class TestDatabases {
    /** As people set up a server for tests. */
    static final Map<String, String> SETTINGS =
            Map.of("fsync", "off", "full_page_writes", "off", "synchronous_commit", "off");

    private static final Duration STOP_DEADLINE = Duration.ofMinutes(2);

    private TestDatabases() {}

    /** Told when a test would begin, and, where there is such a thing, when there is a server but no data yet. */
    interface Timing {
        void empty();

        void answered();
    }

    /** One test from its beginning to where nothing of it is left. */
    @FunctionalInterface
    interface OneTest {
        void run(Timing timing) throws Exception;
    }

    /** What the extension does: a branch, a compute on it, a connection; then both are thrown away. */
    static OneTest branch(TestStorage storage, Class<? extends Seed> seed) {
        return timing -> {
            try (RunningBranch branch = storage.branch(seed);
                    Connection connection = branch.dataSource().getConnection()) {
                SeedRows.ask(connection);
                timing.answered();
            }
        };
    }

    /**
     * A copy of a database in a server that runs all the time.
     *
     * @param template nobody is connected to it
     * @param strategy empty: the server's default
     */
    static OneTest template(PostgresServer server, String template, String strategy) {
        return timing -> {
            try (Connection admin = connect(server, "postgres");
                    Statement statement = admin.createStatement()) {
                statement.execute("CREATE DATABASE test TEMPLATE " + template + strategy);
                try (Connection connection = connect(server, "test")) {
                    SeedRows.ask(connection);
                    timing.answered();
                }
                statement.execute("DROP DATABASE test");
            }
        };
    }

    /** A server of its own, made and filled anew. */
    static OneTest initdb(PostgresBinaries binaries, Path dataDir, Seed seed) {
        return timing -> {
            try (PostgresServer server =
                    PostgresServer.create(binaries, ServerUser.current(), dataDir, InitDbOptions.defaults())) {
                server.configure(SETTINGS);
                server.start();
                try (Connection connection = connect(server, "postgres")) {
                    timing.empty();
                    seed.fill(connection);
                    SeedRows.ask(connection);
                    timing.answered();
                }
                server.stop(PostgresServer.Shutdown.IMMEDIATE, STOP_DEADLINE);
            } finally {
                ScratchDirectory.deleteTree(dataDir);
            }
        };
    }

    /** A database with the seed in it, to be a template. */
    static void fill(PostgresServer server, String database, Seed seed) throws SQLException {
        try (Connection admin = connect(server, "postgres");
                Statement statement = admin.createStatement()) {
            statement.execute("CREATE DATABASE " + database);
        }
        try (Connection connection = connect(server, database)) {
            seed.fill(connection);
        }
    }

    private static Connection connect(PostgresServer server, String database) throws SQLException {
        return DriverManager.getConnection(server.jdbcUrl(database), "postgres", "");
    }
}
