package io.tidemark.junit;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The example of the package, and a test of it: every method finds the seed as it was, whatever the others did to theirs. */
@TidemarkDatabase(seed = TidemarkExtensionTest.Accounts.class)
class TidemarkExtensionTest {
    private static final AtomicInteger FILLED = new AtomicInteger();

    /** Ten accounts of 100. */
    static final class Accounts implements Seed {
        // As private as a test's class may be.
        private Accounts() {}

        @Override
        public void fill(Connection connection) throws SQLException {
            FILLED.incrementAndGet();
            try (Statement statement = connection.createStatement()) {
                statement.execute("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)");
                statement.execute("INSERT INTO account SELECT n, 100 FROM generate_series(1, 10) AS n");
            }
        }
    }

    private static String ask(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static void requireSeed(Connection connection) throws SQLException {
        assertThat(ask(connection, "SELECT count(*) || ' ' || sum(balance) FROM account"))
                .isEqualTo("10 1000");
        assertThat(FILLED).hasValue(1);
    }

    @RepeatedTest(3)
    void whatOneTestDestroysTheNextOneHas(@TidemarkBranch Connection accounts) throws SQLException {
        requireSeed(accounts);
        try (Statement statement = accounts.createStatement()) {
            statement.execute("DROP TABLE account");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7})
    void eachInvocationHasItsOwn(int amount, @TidemarkBranch DataSource accounts) throws SQLException {
        try (Connection connection = accounts.getConnection();
                Statement statement = connection.createStatement()) {
            requireSeed(connection);
            statement.execute("UPDATE account SET balance = balance - " + amount);
            assertThat(ask(connection, "SELECT sum(balance) FROM account")).isEqualTo("" + (1000 - 10 * amount));
        }
    }

    @Test
    void parametersOfOneMethodShareABranch(@TidemarkBranch DataSource source, @TidemarkBranch Connection connection)
            throws SQLException {
        requireSeed(connection);
        try (Statement statement = connection.createStatement()) {
            statement.execute("DELETE FROM account WHERE id = 1");
        }
        try (Connection other = source.getConnection()) {
            assertThat(ask(other, "SELECT count(*) FROM account")).isEqualTo("9");
        }
    }
}
