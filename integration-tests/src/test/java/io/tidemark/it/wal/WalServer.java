package io.tidemark.it.wal;

import io.tidemark.cli.wal.WalCommand;
import io.tidemark.cli.workload.VariedWorkload;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine;

/** A PostgreSQL server whose whole WAL stays in pg_wal, for comparing what it says about its WAL with what we say. */
final class WalServer implements AutoCloseable {
    private final Path scratch;
    private final PostgresServer server;
    private final Connection connection;

    private WalServer(Path scratch, PostgresServer server, Connection connection) {
        this.scratch = scratch;
        this.server = server;
        this.connection = connection;
    }

    static WalServer start(PostgresBinaries binaries) throws IOException, InterruptedException, SQLException {
        ServerUser user = ServerUser.current();
        Path scratch = user.scratchDirectory("tidemark-wal-");
        PostgresServer server = PostgresServer.create(binaries, user, scratch.resolve("pg"), InitDbOptions.defaults());
        Map<String, String> settings = new HashMap<>(VariedWorkload.SETTINGS);
        settings.put("fsync", "off");
        settings.put("wal_keep_size", "8GB");
        settings.put("autovacuum", "off");
        server.configure(settings);
        server.start();
        return new WalServer(scratch, server, connect(server));
    }

    private static Connection connect(PostgresServer server) throws SQLException {
        return DriverManager.getConnection(
                server.jdbcUrl("postgres"), InitDbOptions.defaults().user(), "");
    }

    Connection connection() {
        return connection;
    }

    Path walDirectory() {
        return server.dataDir().resolve("pg_wal");
    }

    void runVariedWorkload(int rows) throws SQLException, IOException {
        try (Connection second = connect(server)) {
            new VariedWorkload(connection, second, rows).run();
        }
    }

    void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    String ask(String sql) throws SQLException {
        return rows(sql).get(0).get(0);
    }

    /** A position up to which all WAL is on disk, and some more after it. */
    Lsn flushedEnd() throws SQLException {
        Lsn end = Lsn.parse(ask("SELECT pg_current_wal_flush_lsn()"));
        execute("CHECKPOINT");
        return end;
    }

    /** All rows as text; null stays null. */
    List<List<String>> rows(String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            List<List<String>> rows = new ArrayList<>();
            while (result.next()) {
                List<String> row = new ArrayList<>();
                for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                    row.add(result.getString(i));
                }
                rows.add(row);
            }
            return rows;
        }
    }

    /** What {@code tidemark wal dump} prints for this server's WAL; it must succeed. */
    List<String> dump(String... options) {
        List<String> args = new ArrayList<>(List.of("dump", walDirectory().toString()));
        args.addAll(List.of(options));
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exit = new CommandLine(new WalCommand())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err, true))
                .execute(args.toArray(String[]::new));
        if (exit != 0) {
            throw new AssertionError("tidemark wal dump: exit " + exit + ": " + err);
        }
        return out.toString().lines().toList();
    }

    @Override
    public void close() throws IOException, SQLException {
        connection.close();
        server.close();
        try (Stream<Path> files = Files.walk(scratch)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
