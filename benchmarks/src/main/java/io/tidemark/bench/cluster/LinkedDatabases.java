package io.tidemark.bench.cluster;

import io.tidemark.shim.postgres.PostgresServer;
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
import java.util.List;
import java.util.stream.Stream;

/**
 * Makes a large cluster of a small one: databases that are what {@code CREATE DATABASE ... TEMPLATE postgres STRATEGY file_copy} makes, but for
 * their files, which are hard links to those of the template. Good for a server that is only read from now on.
 */
public final class LinkedDatabases {
    private static final Duration STOP_DEADLINE = Duration.ofMinutes(10);

    private LinkedDatabases() {}

    /**
     * Makes them in a server that does not run, neither before nor after.
     *
     * @return the oids of the template and of its copies
     */
    public static List<Integer> make(PostgresServer server, int count)
            throws IOException, InterruptedException, SQLException {
        server.start();
        List<Integer> oids = new ArrayList<>();
        try (Connection connection = DriverManager.getConnection(server.jdbcUrl("template1"), "postgres", "");
                Statement statement = connection.createStatement()) {
            oids.add(oid(statement, "postgres"));
            for (int i = 1; i <= count; i++) {
                statement.execute("CREATE DATABASE copy" + i + " TEMPLATE template0 STRATEGY file_copy");
                oids.add(oid(statement, "copy" + i));
            }
        }
        server.stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
        Path base = server.dataDir().resolve("base");
        for (int oid : oids.subList(1, oids.size())) {
            link(base.resolve(oids.getFirst().toString()), base.resolve(Integer.toString(oid)));
        }
        return oids;
    }

    private static int oid(Statement statement, String database) throws SQLException {
        try (ResultSet rows =
                statement.executeQuery("SELECT oid FROM pg_database WHERE datname = '" + database + "'")) {
            rows.next();
            return rows.getInt(1);
        }
    }

    private static void link(Path from, Path to) throws IOException {
        for (Path old : files(to)) {
            Files.delete(old);
        }
        for (Path file : files(from)) {
            Files.createLink(to.resolve(file.getFileName()), file);
        }
    }

    private static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }
}
