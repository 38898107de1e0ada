package io.tidemark.bench.pages;

import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Tables of many pages with few short rows each. {@link #change} gives each page so many heap records: updates of its first row, for which
 * there is room on the page.
 */
final class Tables {
    /** Each page gets so many of these rows, since it is filled to a tenth. */
    private static final int BYTES_PER_ROW = 40;

    private static final int FILL_PERCENT = 10;
    private static final int PAGE_BYTES = 8192;

    private final PostgresServer server;
    private final int pages;

    Tables(PostgresServer server, int pages) {
        this.server = server;
        this.pages = pages;
    }

    static String chained(int records) {
        return "chained_" + records;
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
    }

    /** Makes a table of that many pages, at least. */
    void create(String table) throws SQLException {
        int rows = pages * (PAGE_BYTES * FILL_PERCENT / 100 / BYTES_PER_ROW + 1);
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE " + table + " (id int, n int) WITH (fillfactor = " + FILL_PERCENT + ")");
            statement.execute("INSERT INTO " + table + " SELECT g, 0 FROM generate_series(1, " + rows + ") g");
            // Or an update would find its page too full, and prune it.
            statement.execute("ALTER TABLE " + table + " SET (fillfactor = 100)");
        }
    }

    /** As many records for each page. */
    void change(String table, int records) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            int perPage = Math.toIntExact(number(statement, "SELECT count(*) FROM " + table + " WHERE ctid < '(1,0)'"));
            String size = "SELECT pg_relation_size('" + table + "')";
            long before = number(statement, size);
            for (int i = 0; i < records; i++) {
                statement.execute("UPDATE " + table + " SET n = n + 1 WHERE id % " + perPage + " = 1");
            }
            if (number(statement, size) != before) {
                throw new IllegalStateException("rows of " + table + " have moved to other pages");
            }
        }
    }

    int blocks(String table) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            return Math.toIntExact(number(statement, "SELECT pg_relation_size('" + table + "') / " + PAGE_BYTES));
        }
    }

    RelTag relation(String table) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            int database = Math.toIntExact(
                    number(statement, "SELECT oid::bigint FROM pg_database WHERE datname = current_database()"));
            int relation = Math.toIntExact(number(statement, "SELECT pg_relation_filenode('" + table + "')::bigint"));
            return new RelTag(RelTag.DEFAULT_TABLESPACE, database, relation, Fork.MAIN);
        }
    }

    /** Lets the server answer {@code get_raw_page}, with the table in its buffers. */
    void prepareRawPages(String table) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE EXTENSION IF NOT EXISTS pageinspect");
            statement.execute("SELECT count(*) FROM " + table);
        }
    }

    private static long number(Statement statement, String sql) throws SQLException {
        try (ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }
}
