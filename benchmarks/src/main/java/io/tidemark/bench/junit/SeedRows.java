package io.tidemark.bench.junit;

import io.tidemark.junit.Seed;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/** A table of so many 10^6 bytes with its primary key. */
final class SeedRows {
    private static final int BYTES_PER_ROW = 165;

    private SeedRows() {}

    /** What a small test suite has. */
    static final class Small implements Seed {
        static final int MEGABYTES = 10;

        @Override
        public void fill(Connection connection) throws SQLException {
            SeedRows.fill(connection, MEGABYTES);
        }
    }

    /** What a test suite has that was given a part of the real data. */
    static final class Large implements Seed {
        static final int MEGABYTES = 200;

        @Override
        public void fill(Connection connection) throws SQLException {
            SeedRows.fill(connection, MEGABYTES);
        }
    }

    private static void fill(Connection connection, int megabytes) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE seeded (id bigint PRIMARY KEY, filler text)");
            statement.execute("INSERT INTO seeded SELECT i, repeat(md5(i::text), 3) FROM generate_series(1, "
                    + megabytes * 1_000_000L / BYTES_PER_ROW + ") i");
            statement.execute("VACUUM (ANALYZE) seeded");
        }
    }

    /** What a test does first. */
    static void ask(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                var row = statement.executeQuery("SELECT filler FROM seeded WHERE id = 4711")) {
            if (!row.next()) {
                throw new SQLException("the seed is not there");
            }
        }
    }
}
