package io.tidemark.it.compute;

import static io.tidemark.it.compute.ScratchCluster.connect;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.shim.postgres.PostgresServer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** As pgbench's TPC-B, from two clients, until it is closed: accounts, branches and a history. */
public final class SourceLoad implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int CLIENTS = 2;
    private static final int ACCOUNTS = 20_000;

    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicLong transactions = new AtomicLong();
    private final List<CompletableFuture<Void>> clients = new ArrayList<>();

    /** Makes the tables, and begins. */
    public SourceLoad(PostgresServer server, long seed) throws SQLException {
        try (Connection connection = connect(server)) {
            SqlDigest.run(
                    connection,
                    "CREATE TABLE branches (id int PRIMARY KEY, balance bigint) WITH (fillfactor = 10)",
                    "INSERT INTO branches SELECT i, 0 FROM generate_series(1, 10) i",
                    "CREATE TABLE accounts (id int PRIMARY KEY, balance bigint, filler char(84))",
                    "INSERT INTO accounts SELECT i, 0, '' FROM generate_series(1, " + ACCOUNTS + ") i",
                    "CREATE TABLE history (account int, delta int, at timestamptz, note text)",
                    "CREATE INDEX ON history USING hash (account)",
                    "CREATE SEQUENCE numbers",
                    "VACUUM ANALYZE");
        }
        for (int client = 0; client < CLIENTS; client++) {
            Random random = new Random(seed + client);
            CompletableFuture<Void> done = new CompletableFuture<>();
            clients.add(done);
            Thread.ofVirtual().start(() -> {
                try {
                    work(server, random);
                    done.complete(null);
                } catch (SQLException | RuntimeException e) {
                    done.completeExceptionally(e);
                }
            });
        }
    }

    private void work(PostgresServer server, Random random) throws SQLException {
        try (Connection connection = connect(server);
                PreparedStatement account =
                        connection.prepareStatement("UPDATE accounts SET balance = balance + ? WHERE id = ?");
                PreparedStatement branch =
                        connection.prepareStatement("UPDATE branches SET balance = balance + ? WHERE id = ?");
                PreparedStatement history = connection.prepareStatement(
                        "INSERT INTO history VALUES (?, ?, now(), repeat(md5(random()::text), 100) || nextval('numbers'))")) {
            connection.setAutoCommit(false);
            while (!stop.get()) {
                int delta = random.nextInt(-5000, 5000);
                int id = random.nextInt(1, ACCOUNTS + 1);
                update(account, delta, id);
                update(branch, delta, id % 10 + 1);
                update(history, id, delta);
                connection.commit();
                transactions.incrementAndGet();
            }
        }
    }

    private static void update(PreparedStatement statement, int first, int second) throws SQLException {
        statement.setInt(1, first);
        statement.setInt(2, second);
        statement.executeUpdate();
    }

    /** Waits until so many more have been committed; fails when a client has failed. */
    public void awaitTransactions(int more) {
        long target = transactions.get() + more;
        await().atMost(PATIENCE)
                .until(() -> transactions.get() >= target || clients.stream().anyMatch(CompletableFuture::isDone));
        assertThat(transactions.get()).as("transactions of %s", clients).isGreaterThanOrEqualTo(target);
    }

    @Override
    public void close() {
        stop.set(true);
        clients.forEach(CompletableFuture::join);
    }
}
