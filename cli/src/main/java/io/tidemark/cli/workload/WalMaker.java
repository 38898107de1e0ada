package io.tidemark.cli.workload;

import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes WAL that can be judged: a new server with consistency images in every record runs a workload.
 *
 * <pre>
 *   DIR/base     the data directory before the server's first start: where replay begins
 *   DIR/pg       the data directory after a clean stop: where it ends; DIR/pg/pg_wal has the whole WAL
 *   DIR/pg.log   what the server said
 * </pre>
 */
public final class WalMaker {
    private static final Duration STOP_DEADLINE = Duration.ofMinutes(5);

    /**
     * What makes every record tell the page it should produce. Without full_page_writes nearly all pages come from redo rather
     * than from an image; without autovacuum a run can be repeated.
     */
    public static final Map<String, String> SETTINGS = Map.of(
            "wal_consistency_checking", "all",
            "full_page_writes", "off",
            "wal_level", "logical",
            "wal_log_hints", "on",
            "autovacuum", "off",
            "fsync", "off",
            "wal_keep_size", "64GB",
            "max_wal_size", "64GB",
            "checkpoint_timeout", "1h",
            "shared_buffers", "256MB");

    /** What a session does between start and stop. */
    public interface Work {
        void run(PostgresServer server) throws SQLException, IOException, InterruptedException;
    }

    private final Path directory;

    /** @param directory must not hold a {@code pg} or {@code base} yet */
    public WalMaker(Path directory) {
        this.directory = directory.toAbsolutePath().normalize();
    }

    /** The cold copy. */
    public Path base() {
        return directory.resolve("base");
    }

    /** The data directory. */
    public Path dataDir() {
        return directory.resolve("pg");
    }

    /** Where the WAL is. */
    public Path walDirectory() {
        return dataDir().resolve("pg_wal");
    }

    /**
     * Makes a cluster, copies it, starts a server on it, lets {@code work} run, stops it cleanly.
     *
     * @param settings on top of {@link #SETTINGS} and {@link VariedWorkload#SETTINGS}
     */
    public void make(PostgresBinaries binaries, boolean checksums, Map<String, String> settings, Work work)
            throws IOException, InterruptedException, SQLException {
        ServerUser user = ServerUser.current();
        InitDbOptions defaults = InitDbOptions.defaults();
        InitDbOptions options =
                new InitDbOptions(defaults.user(), defaults.password(), checksums, defaults.walSegmentSizeMb());
        try (PostgresServer server = PostgresServer.create(binaries, user, dataDir(), options)) {
            Map<String, String> all = new LinkedHashMap<>(VariedWorkload.SETTINGS);
            all.putAll(SETTINGS);
            all.putAll(settings);
            server.configure(all);
            copyTree(dataDir(), base());
            server.start();
            work.run(server);
            server.stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
        }
    }

    /** Runs {@link VariedWorkload} once in the database postgres. */
    public static Work variedWorkload(int rows) {
        return server -> {
            try (Connection first = connect(server, "postgres");
                    Connection second = connect(server, "postgres")) {
                new VariedWorkload(first, second, rows).run();
            }
        };
    }

    /** {@link VariedWorkload} and then {@link RareRecords}. */
    public static Work everything(int rows, boolean thorough) {
        return server -> {
            variedWorkload(rows).run(server);
            new RareRecords(server, thorough).run();
        };
    }

    /** A shell command that finds the server in its environment; its exit code does not matter, its WAL does. */
    public static Work command(String command) {
        return server -> {
            ProcessBuilder process = new ProcessBuilder("/bin/sh", "-c", command).inheritIO();
            process.environment().put("PGHOST", server.host());
            process.environment().put("PGPORT", Integer.toString(server.port()));
            process.environment().put("PGUSER", InitDbOptions.defaults().user());
            process.start().waitFor();
        };
    }

    /** A superuser's session. */
    public static Connection connect(PostgresServer server, String database) throws SQLException {
        return DriverManager.getConnection(
                server.jdbcUrl(database), InitDbOptions.defaults().user(), "");
    }

    /** Removes the directory and everything in it. */
    public void delete() throws IOException {
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path path, @Nullable IOException failed) throws IOException {
                if (failed != null) {
                    throw failed;
                }
                Files.delete(path);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private static void copyTree(Path from, Path to) throws IOException {
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path source, BasicFileAttributes attributes) throws IOException {
                Files.createDirectories(to.resolve(from.relativize(source)));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path source, BasicFileAttributes attributes) throws IOException {
                Files.copy(source, to.resolve(from.relativize(source)));
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
