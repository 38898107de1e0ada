package io.tidemark.it.pageserver;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Clients that change a database at random, each its own table with all kinds of indexes, as much as they are allowed: one permit is
 * one statement. So the amount of WAL does not depend on how fast the machine is.
 */
final class SqlLoad implements AutoCloseable {
    /** Opens a session. */
    interface Source {
        Connection connect() throws SQLException;
    }

    private static final int ROWS = 4_000;

    private final Semaphore permits = new Semaphore(0);
    private final AtomicLong done = new AtomicLong();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final List<Thread> clients = new ArrayList<>();
    private volatile boolean stopped;

    SqlLoad(Source source, int count, long seed) throws SQLException {
        for (int i = 0; i < count; i++) {
            Connection connection = source.connect();
            String table = "load_" + i;
            create(connection, table);
            Random random = new Random(seed + i);
            clients.add(Thread.ofVirtual().name(table).start(() -> run(connection, table, random)));
        }
    }

    private static void create(Connection connection, String table) throws SQLException {
        execute(connection, "CREATE TABLE " + table + " (id int PRIMARY KEY, n int, v text, tags int[], at tsrange)");
        execute(connection, "CREATE INDEX ON " + table + " (n)");
        execute(connection, "CREATE INDEX ON " + table + " USING hash (v)");
        execute(connection, "CREATE INDEX ON " + table + " USING gin (tags)");
        execute(connection, "CREATE INDEX ON " + table + " USING gist (at)");
        execute(connection, "CREATE INDEX ON " + table + " USING spgist (v)");
        execute(connection, "CREATE INDEX ON " + table + " USING brin (id)");
        execute(connection, "CREATE SEQUENCE " + table + "_seq");
    }

    /** Allows so many more statements. */
    void allow(int statements) {
        permits.release(statements);
    }

    /** Statements that are allowed and not yet begun. */
    int left() {
        return permits.availablePermits();
    }

    long done() {
        return done.get();
    }

    private void run(Connection session, String table, Random random) {
        try (session) {
            while (true) {
                permits.acquire();
                if (stopped) {
                    return;
                }
                step(session, table, random);
                done.incrementAndGet();
            }
        } catch (SQLException | InterruptedException | RuntimeException e) {
            failure.compareAndSet(null, e);
        }
    }

    private static void step(Connection session, String table, Random random) throws SQLException {
        int from = random.nextInt(ROWS);
        int to = from + random.nextInt(150);
        String range = " WHERE id BETWEEN " + from + " AND " + to;
        switch (random.nextInt(40)) {
            case 0 -> execute(session, "VACUUM " + table);
            case 1 -> execute(session, "VACUUM FREEZE " + table);
            case 2 -> execute(session, "CHECKPOINT");
            case 3 -> execute(session, "TRUNCATE " + table);
            case 4 -> execute(session, "REINDEX TABLE " + table);
            case 5 -> {
                execute(session, "CREATE TABLE " + table + "_copy AS SELECT * FROM " + table);
                execute(session, "DROP TABLE " + table + "_copy");
            }
            case 6 -> {
                execute(session, "BEGIN");
                execute(session, "DELETE FROM " + table + range);
                execute(session, "SAVEPOINT s");
                execute(session, "SELECT id FROM " + table + " WHERE id < 500 FOR SHARE");
                execute(session, random.nextBoolean() ? "ROLLBACK TO s" : "RELEASE s");
                execute(session, random.nextBoolean() ? "COMMIT" : "ROLLBACK");
            }
            case 7 -> execute(session, "SELECT nextval('" + table + "_seq') FROM generate_series(1, 40)");
            case 8, 9, 10 -> execute(session, "DELETE FROM " + table + range);
            case 11, 12 ->
                // Out of line, and not to be compressed.
                execute(
                        session,
                        "UPDATE " + table + " SET v = left(v, 20) WHERE id = " + from + "; UPDATE " + table
                                + " SET tags = (SELECT array_agg((random() * 1e9)::int) FROM generate_series(1, 3000))"
                                + " WHERE id = " + from);
            case 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24 ->
                execute(
                        session,
                        "INSERT INTO " + table + " SELECT g, g % 97, md5(g::text || random()), ARRAY[g % 11, g % 13],"
                                + " tsrange(timestamp '2026-01-01' + g * interval '1 minute',"
                                + " timestamp '2026-01-02' + g * interval '1 minute') FROM generate_series(" + from
                                + ", "
                                + to + ") g ON CONFLICT (id) DO UPDATE SET n = " + table + ".n + 1");
            default -> execute(session, "UPDATE " + table + " SET n = n + 1" + range);
        }
    }

    private static void execute(Connection session, String sql) throws SQLException {
        try (Statement statement = session.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Lets the clients end what they are allowed, and throws what went wrong with one. */
    @Override
    public void close() throws Exception {
        stopped = true;
        permits.release(clients.size());
        for (Thread client : clients) {
            client.join();
        }
        requireHealthy();
    }

    void requireHealthy() {
        Throwable cause = failure.get();
        if (cause != null) {
            throw new IllegalStateException("a client failed", cause);
        }
    }
}
