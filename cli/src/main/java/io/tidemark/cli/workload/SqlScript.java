package io.tidemark.cli.workload;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;

/** Runs the resources {@code workload/*.sql}: statements separated by empty lines, with {@code ${name}} to be replaced. */
final class SqlScript {
    private SqlScript() {}

    /** Runs a script in a session; {@code parameters} are put in for their names. */
    static void run(Connection connection, String name, Map<String, String> parameters)
            throws SQLException, IOException {
        String text;
        try (InputStream in = SqlScript.class.getResourceAsStream("/workload/" + name)) {
            if (in == null) {
                throw new IOException("no resource workload/" + name);
            }
            text = new String(in.readAllBytes(), UTF_8);
        }
        for (Map.Entry<String, String> parameter : parameters.entrySet()) {
            text = text.replace("${" + parameter.getKey() + "}", parameter.getValue());
        }
        for (String statement : text.split("\n\\s*\n", -1)) {
            if (!statement.lines().allMatch(line -> line.isBlank() || line.startsWith("--"))) {
                execute(connection, statement);
            }
        }
    }

    /** Runs a statement; its failure says which one it was. */
    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new SQLException(e.getMessage() + " in: " + sql, e.getSQLState(), e);
        }
    }
}
