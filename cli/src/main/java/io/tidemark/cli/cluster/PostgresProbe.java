package io.tidemark.cli.cluster;

import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.wire.id.Lsn;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.Properties;

/** Asks PostgreSQL about its WAL and about the shim, over SQL. Nothing it asks by itself waits for the quorum. */
public final class PostgresProbe {
    private static final String CONNECT_TIMEOUT_SECONDS = "5";
    private static final String ANSWER_TIMEOUT_SECONDS = "10";
    private static final String SOCKET_TIMEOUT_SECONDS = "30";

    private final PostgresServer postgres;

    public PostgresProbe(PostgresServer postgres) {
        this.postgres = postgres;
    }

    /**
     * The shim as PostgreSQL sees it.
     *
     * @param syncState {@code sync} once commits wait for it and it keeps up
     * @param flushLsn what it has confirmed: the quorum's commit_lsn
     */
    public record ShimView(String syncState, Lsn flushLsn) {}

    /** A connection as the superuser; the caller closes it. */
    public Connection connect() throws SQLException {
        return connect(new Properties());
    }

    private Connection connect(Properties properties) throws SQLException {
        properties.setProperty("user", "postgres");
        properties.setProperty("connectTimeout", CONNECT_TIMEOUT_SECONDS);
        properties.setProperty("ApplicationName", "tidemark-cli");
        return DriverManager.getConnection(postgres.jdbcUrl("postgres"), properties);
    }

    /** The end of the WAL that PostgreSQL itself has flushed. */
    public Lsn flushLsn() throws SQLException {
        return Lsn.parse(require("SELECT pg_current_wal_flush_lsn()::text"));
    }

    public Optional<ShimView> shim() throws SQLException {
        return ask("SELECT sync_state || ' ' || coalesce(flush_lsn, '0/0')::text FROM pg_stat_replication"
                        + " WHERE application_name = '" + ClusterDirectory.STANDBY_NAME + "' AND state = 'streaming'")
                .map(row -> row.split(" ", -1))
                .map(words -> new ShimView(words[0], Lsn.parse(words[1])));
    }

    /** One value of one row. */
    public String require(String sql) throws SQLException {
        return ask(sql).orElseThrow(() -> new SQLException("no row: " + sql));
    }

    private Optional<String> ask(String sql) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("socketTimeout", SOCKET_TIMEOUT_SECONDS);
        try (Connection connection = connect(properties);
                Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(Integer.parseInt(ANSWER_TIMEOUT_SECONDS));
            try (ResultSet rows = statement.executeQuery(sql)) {
                return rows.next() ? Optional.ofNullable(rows.getString(1)) : Optional.empty();
            }
        }
    }
}
