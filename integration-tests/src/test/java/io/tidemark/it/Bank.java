package io.tidemark.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.cli.demo.Ledger.Connector;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Accounts, and clients that move money between two of them and write a line about it, in one transaction. The sum never changes; every
 * transfer whose COMMIT has returned has its line.
 */
public final class Bank {
    private static final int ACCOUNTS = 40;
    private static final int OPENING_BALANCE = 1_000;

    private final Connector connector;
    private final long seed;
    private final List<Teller> tellers = new ArrayList<>();
    private final AtomicBoolean stopping = new AtomicBoolean();

    /** Nothing runs yet. */
    public Bank(Connector connector, long seed) {
        this.connector = connector;
        this.seed = seed;
    }

    public void create() throws SQLException {
        try (Connection connection = connector.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL)");
            statement.execute(
                    "CREATE TABLE transfers (teller int, number int, amount int, PRIMARY KEY (teller, number))");
            statement.execute("INSERT INTO accounts SELECT id, " + OPENING_BALANCE + " FROM generate_series(1, "
                    + ACCOUNTS + ") id");
        }
    }

    private final class Teller implements Runnable {
        private final int id;
        private final Random random;
        private final BitSet acknowledged = new BitSet();
        private final AtomicLong count = new AtomicLong();
        private final Thread thread;
        private int next;

        Teller(int id) {
            this.id = id;
            this.random = new Random(seed + id);
            this.thread = Thread.ofVirtual().name("teller-" + id).unstarted(this);
        }

        @Override
        public void run() {
            while (!stopping.get()) {
                try (Connection connection = connector.connect()) {
                    connection.setAutoCommit(false);
                    while (!stopping.get()) {
                        int number = next++;
                        transfer(connection, number);
                        connection.commit();
                        acknowledged.set(number);
                        count.incrementAndGet();
                    }
                } catch (SQLException broken) {
                    Thread.onSpinWait();
                }
            }
        }

        private void transfer(Connection connection, int number) throws SQLException {
            int from = 1 + random.nextInt(ACCOUNTS);
            int to = 1 + (from + random.nextInt(ACCOUNTS - 1)) % ACCOUNTS;
            int amount = random.nextInt(100);
            // In the order of the ids, so that two tellers never wait for each other.
            update(connection, Math.min(from, to), from < to ? -amount : amount);
            update(connection, Math.max(from, to), from < to ? amount : -amount);
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO transfers VALUES (?, ?, ?)")) {
                insert.setInt(1, id);
                insert.setInt(2, number);
                insert.setInt(3, amount);
                insert.executeUpdate();
            }
        }

        private void update(Connection connection, int account, int delta) throws SQLException {
            try (PreparedStatement update =
                    connection.prepareStatement("UPDATE accounts SET balance = balance + ? WHERE id = ?")) {
                update.setInt(1, delta);
                update.setInt(2, account);
                update.executeUpdate();
            }
        }
    }

    public void start(int howMany) {
        for (int i = 0; i < howMany; i++) {
            Teller teller = new Teller(i);
            tellers.add(teller);
            teller.thread.start();
        }
    }

    /** Lets every teller finish, however long the quorum takes. */
    public void stop() throws InterruptedException {
        stopping.set(true);
        for (Teller teller : tellers) {
            teller.thread.join();
        }
    }

    public long acknowledged() {
        return tellers.stream().mapToLong(teller -> teller.count.get()).sum();
    }

    /** The books of a server: no money made or lost, every acknowledged transfer written down. */
    public void audit(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet sum = statement.executeQuery("SELECT sum(balance) FROM accounts")) {
            assertThat(sum.next()).isTrue();
            assertThat(sum.getLong(1)).as("sum of all balances").isEqualTo((long) ACCOUNTS * OPENING_BALANCE);
        }
        for (Teller teller : tellers) {
            BitSet lost = (BitSet) teller.acknowledged.clone();
            try (PreparedStatement select =
                    connection.prepareStatement("SELECT number FROM transfers WHERE teller = ?")) {
                select.setInt(1, teller.id);
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        lost.clear(rows.getInt(1));
                    }
                }
            }
            assertThat(lost.stream().boxed())
                    .as("lost transfers of teller %d", teller.id)
                    .isEmpty();
        }
    }
}
