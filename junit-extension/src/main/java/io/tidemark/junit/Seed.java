package io.tidemark.junit;

import java.sql.Connection;
import java.sql.SQLException;

/** Fills a database before the first test that wants it. */
public interface Seed {
    /**
     * Fills it.
     *
     * @param connection to an empty database, as superuser, in autocommit mode
     */
    void fill(Connection connection) throws SQLException;

    /** A database as initdb makes it. */
    final class Empty implements Seed {
        @Override
        public void fill(Connection connection) {
            // There is nothing to do.
        }
    }
}
