package io.tidemark.cli.demo;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * An append-only table and clients that insert into it, one row per transaction, and remember which COMMITs have returned.
 *
 * <p>A row is (client, number). A client counts up and never uses a number twice, so a transaction whose fate is unknown, because its
 * connection broke, is nobody's: only what has returned must be there.
 *
 * <p>No statement is ever cancelled: PostgreSQL answers a cancelled wait for the quorum with success and a warning.
 */
public final class Ledger {
    /** Where connections come from; each is closed by who asked for it. */
    @FunctionalInterface
    public interface Connector {
        Connection connect() throws SQLException;
    }

    private static final long RECONNECT_NANOS = 10_000_000;

    private final Connector connector;
    private final String table;
    private final List<Client> clients = new ArrayList<>();
    private final AtomicBoolean stopping = new AtomicBoolean();

    /** @param table a plain lower-case name; made by {@link #create} */
    public Ledger(Connector connector, String table) {
        this.connector = connector;
        this.table = table;
    }

    public void create() throws SQLException {
        try (Connection connection = connector.connect();
                Statement statement = connection.createStatement()) {
            statement.execute(
                    "CREATE TABLE " + table + " (client int, number int, note text, PRIMARY KEY (client, number))");
        }
    }

    /** One who inserts, on a thread of its own; reconnects when its connection breaks. */
    private final class Client implements Runnable {
        private final int id;
        // Written by the client's thread; read after it has ended, or for a count that may be a little old.
        private final BitSet acknowledged = new BitSet();
        private final AtomicLong count = new AtomicLong();
        private final Thread thread;
        private int next;

        Client(int id) {
            this.id = id;
            this.thread = Thread.ofVirtual().name("ledger-" + id).unstarted(this);
        }

        @Override
        public void run() {
            while (!stopping.get()) {
                try (Connection connection = connector.connect()) {
                    insertUntilStopped(connection);
                } catch (SQLException broken) {
                    LockSupport.parkNanos(RECONNECT_NANOS);
                }
            }
        }

        private void insertUntilStopped(Connection connection) throws SQLException {
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO " + table + " VALUES (?, ?, repeat('x', ?))")) {
                while (!stopping.get()) {
                    int number = next++;
                    insert.setInt(1, id);
                    insert.setInt(2, number);
                    insert.setInt(3, number % 500);
                    insert.executeUpdate();
                    acknowledged.set(number);
                    count.incrementAndGet();
                }
            }
        }
    }

    /** Starts clients, on top of those that run. */
    public void start(int howMany) {
        for (int i = 0; i < howMany; i++) {
            Client client = new Client(clients.size());
            clients.add(client);
            client.thread.start();
        }
    }

    /** Lets every client finish its transaction, however long the quorum takes, and waits for that. */
    public void stop() throws InterruptedException {
        stopping.set(true);
        for (Client client : clients) {
            client.thread.join();
        }
    }

    /** How many COMMITs have returned so far. */
    public long acknowledged() {
        return clients.stream().mapToLong(client -> client.count.get()).sum();
    }

    /**
     * The acknowledged rows that a server does not have; call it after {@link #stop}.
     *
     * @param connection to the server that is asked, which may be another one
     */
    public List<String> missing(Connection connection) throws SQLException {
        List<String> missing = new ArrayList<>();
        for (Client client : clients) {
            BitSet lost = (BitSet) client.acknowledged.clone();
            try (PreparedStatement select =
                    connection.prepareStatement("SELECT number FROM " + table + " WHERE client = ?")) {
                select.setInt(1, client.id);
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        lost.clear(rows.getInt(1));
                    }
                }
            }
            lost.stream().forEach(number -> missing.add("client " + client.id + " row " + number));
        }
        return missing;
    }
}
