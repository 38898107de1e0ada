package io.tidemark.it.compute;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a database holds, as SQL shows it: a digest per table, large objects, the definitions of all indexes. */
public final class SqlDigest {
    private SqlDigest() {}

    /** By the name of the thing; two databases with the same content give the same map. */
    public static Map<String, String> of(Connection connection) throws SQLException {
        Map<String, String> digest = new TreeMap<>();
        for (String table : names(connection, "relkind IN ('r', 'm', 'p') AND relpersistence = 'p'")) {
            digest.put(
                    "table " + table,
                    one(
                            connection,
                            "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"
                                    + " FROM " + table + " t"));
        }
        digest.put(
                "indexes",
                one(
                        connection,
                        "SELECT md5(string_agg(pg_get_indexdef(indexrelid), '|' ORDER BY indexrelid))"
                                + " FROM pg_index WHERE indisvalid"));
        digest.put(
                "large objects",
                one(
                        connection,
                        "SELECT count(*) || ' ' || coalesce(md5(string_agg(loid || data::text, '|' ORDER BY loid, pageno)), '')"
                                + " FROM pg_largeobject"));
        return digest;
    }

    /** The last value of each sequence. */
    static Map<String, Long> sequences(Connection connection) throws SQLException {
        Map<String, Long> values = new TreeMap<>();
        for (String sequence : names(connection, "relkind = 'S' AND relpersistence = 'p'")) {
            values.put(sequence, Long.parseLong(one(connection, "SELECT last_value FROM " + sequence)));
        }
        return values;
    }

    private static List<String> names(Connection connection, String which) throws SQLException {
        List<String> names = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE "
                                + which
                                + " AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1")) {
            while (rows.next()) {
                names.add(rows.getString(1));
            }
        }
        return names;
    }

    public static String one(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            if (!rows.next()) {
                throw new SQLException("no row: " + sql);
            }
            return String.valueOf(rows.getString(1));
        }
    }

    public static void run(Connection connection, String... commands) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : commands) {
                statement.execute(sql);
            }
        }
    }

    /** Checks every B-tree and every heap with PostgreSQL's own amcheck; answers what it found wrong. */
    static List<String> amcheck(Connection connection) throws SQLException {
        run(connection, "CREATE EXTENSION IF NOT EXISTS amcheck");
        List<String> findings = new ArrayList<>();
        try (Statement statement = connection.createStatement()) {
            try (ResultSet rows =
                    statement.executeQuery("SELECT c.oid::regclass, v.* FROM pg_class c, LATERAL verify_heapam(c.oid) v"
                            + " WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't'")) {
                while (rows.next()) {
                    findings.add(rows.getString(1) + " block " + rows.getString(2) + ": " + rows.getString(5));
                }
            }
            statement.execute("SELECT bt_index_check(c.oid, true) FROM pg_class c JOIN pg_am a ON a.oid = c.relam"
                    + " JOIN pg_index i ON i.indexrelid = c.oid"
                    + " WHERE a.amname = 'btree' AND c.relpersistence <> 't' AND i.indisready AND i.indisvalid");
        }
        return findings;
    }
}
