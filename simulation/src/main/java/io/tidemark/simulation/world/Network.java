package io.tidemark.simulation.world;

import io.tidemark.simulation.world.Connection.Parcel;
import io.tidemark.simulation.world.Connection.Receiver;
import io.tidemark.simulation.world.Connection.Stream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Hosts and what is under way between them. Streams keep their order, connections don't: a message of a connection that its
 * client gave up long ago may arrive after those of its successor. A cut link holds messages back until it heals, as TCP's
 * retransmission would; a connection learns of its end only when the news can travel.
 */
public final class Network {
    private static final long LATENCY_MIN_MICROS = 100;
    /** Some connections are slower than others for good, so that safekeepers get ahead of each other. */
    private static final double SLOW_CONNECTIONS = 0.3;

    private static final int MAX_SLOWNESS = 40;

    private final EventQueue queue;
    private final Dice dice;
    private final EventLog log;
    private final List<Connection> connections = new ArrayList<>();
    private final Set<Long> cuts = new HashSet<>();
    private final Set<Integer> withoutPower = new HashSet<>();
    private long nextConnection = 1;
    private long latencyMaxMicros = 20_000;

    public Network(EventQueue queue, Dice dice, EventLog log) {
        this.queue = queue;
        this.dice = dice;
        this.log = log;
    }

    /** From now on messages take up to this long, most of them far less. */
    public void setLatencyMax(long micros) {
        latencyMaxMicros = Math.max(LATENCY_MIN_MICROS, micros);
    }

    /** How long one message takes now, in microseconds. */
    public long latency() {
        return dice.longTail(LATENCY_MIN_MICROS, latencyMaxMicros);
    }

    /** What a server answers to a new connection; null refuses it. */
    public interface Listener {
        @Nullable
        Receiver accept(Connection connection);
    }

    /** How an attempt to connect ends. */
    public interface Attempt {
        void connected(Connection connection);

        void failed(String reason);
    }

    /**
     * Tries to connect; the outcome comes later. {@code listener} is asked at the time the attempt arrives, so a server that is
     * down then refuses.
     */
    public void connect(Host client, Host server, Listener listener, Receiver clientSide, Attempt attempt) {
        queue.after(latency(), () -> {
            if (isCut(client, server) || isCut(server, client) || withoutPower.contains(server.number())) {
                queue.after(dice.between(500_000L, 3_000_000L), () -> attempt.failed("no route"));
                return;
            }
            Receiver refused = new Refused();
            Connection connection = new Connection(
                    nextConnection++,
                    client,
                    server,
                    new Stream(client, server, refused),
                    new Stream(server, client, clientSide),
                    dice.chance(SLOW_CONNECTIONS) ? dice.between(5, MAX_SLOWNESS) : 1);
            Receiver serverSide = listener.accept(connection);
            if (serverSide == null) {
                queue.after(latency(), () -> attempt.failed("refused"));
                return;
            }
            connection.toServer.receiver = serverSide;
            connections.add(connection);
            queue.after(latency(), () -> attempt.connected(connection));
        });
    }

    public void sendToServer(Connection connection, byte[] bytes) {
        send(connection, connection.toServer, bytes, "");
    }

    public void sendToClient(Connection connection, byte[] bytes) {
        send(connection, connection.toClient, bytes, "");
    }

    private void send(Connection connection, Stream stream, byte @Nullable [] bytes, String reason) {
        if (stream.ended) {
            return;
        }
        stream.ended = bytes == null;
        stream.lastArrivalMicros =
                Math.max(stream.lastArrivalMicros, queue.nowMicros() + latency() * connection.slowness);
        stream.underWay.addLast(new Parcel(bytes, reason, stream.lastArrivalMicros));
        pump(connection, stream);
    }

    private void pump(Connection connection, Stream stream) {
        Parcel head = stream.underWay.peekFirst();
        if (head == null || stream.pumping || stream.held || isCut(stream.from, stream.to)) {
            return;
        }
        stream.pumping = true;
        queue.at(Math.max(head.arrivalMicros(), queue.nowMicros()), () -> arrive(connection, stream));
    }

    private void arrive(Connection connection, Stream stream) {
        stream.pumping = false;
        if (stream.held || isCut(stream.from, stream.to)) {
            return;
        }
        Parcel parcel = stream.underWay.peekFirst();
        if (parcel == null || parcel.arrivalMicros() > queue.nowMicros()) {
            pump(connection, stream);
            return;
        }
        stream.underWay.removeFirst();
        Receiver receiver = stream.receiver;
        if (withoutPower.contains(stream.to.number())) {
            // Nobody is there to answer: not even a reset goes back.
            log.note("net", connection + " lost a message to a host without power");
        } else if (receiver != null) {
            deliver(connection, stream, parcel, receiver);
        } else if (parcel.bytes() != null) {
            // Data for a connection this end no longer has: the answer is a reset.
            endFrom(
                    connection,
                    stream == connection.toServer ? connection.toClient : connection.toServer,
                    "reset by peer");
        }
        pump(connection, stream);
        forgetIfOver(connection);
    }

    private static void deliver(Connection connection, Stream stream, Parcel parcel, Receiver receiver) {
        byte[] bytes = parcel.bytes();
        if (bytes != null) {
            receiver.message(connection, bytes);
        } else {
            stream.receiver = null;
            receiver.closed(connection, parcel.reason());
        }
    }

    private void endFrom(Connection connection, Stream news, String reason) {
        send(connection, news, null, reason);
    }

    /** The client closes: it hears nothing more; the server hears of it after everything that was sent before. */
    public void closeAtClient(Connection connection, String reason) {
        connection.toClient.receiver = null;
        endFrom(connection, connection.toServer, reason);
        forgetIfOver(connection);
    }

    /** The server closes: it hears nothing more; the client hears of it after everything that was sent before. */
    public void closeAtServer(Connection connection, String reason) {
        connection.toServer.receiver = null;
        endFrom(connection, connection.toClient, reason);
        forgetIfOver(connection);
    }

    /** A host without power answers nothing at all. */
    public void setPower(Host host, boolean on) {
        if (on) {
            withoutPower.remove(host.number());
        } else {
            withoutPower.add(host.number());
        }
    }

    /** The client's host loses power or the process vanishes without a word: the server goes on believing in the connection. */
    public void vanishClient(Connection connection) {
        connection.toClient.receiver = null;
        queue.after(
                dice.between(1_000_000L, 90_000_000L),
                () -> endFrom(connection, connection.toServer, "keepalive timeout"));
    }

    /** The server's host loses power: the client goes on believing until it times out, or until its data meets the new process. */
    public void vanishServer(Connection connection) {
        connection.toServer.receiver = null;
        connection.toClient.ended = false;
    }

    /** What is under way to the server now arrives this much later, and everything that is sent behind it. */
    public void delayToServer(Connection connection, long micros) {
        List<Parcel> parcels = new ArrayList<>(connection.toServer.underWay);
        connection.toServer.underWay.clear();
        for (Parcel parcel : parcels) {
            connection.toServer.underWay.addLast(
                    new Parcel(parcel.bytes(), parcel.reason(), parcel.arrivalMicros() + micros));
        }
        connection.toServer.lastArrivalMicros =
                Math.max(connection.toServer.lastArrivalMicros, queue.nowMicros()) + micros;
    }

    /** What is under way to the server now, and what is sent from now on, gets stuck until {@link #letGo}. */
    public void holdToServer(Connection connection) {
        connection.toServer.held = true;
    }

    /** Everything that was stuck on its way to this host goes on, at once. */
    public void letGo(Host server) {
        for (Connection connection : open()) {
            if (connection.server().equals(server) && connection.toServer.held) {
                log.note("net", "lets " + connection + " go on");
                connection.toServer.held = false;
                queue.after(0, () -> {
                    connection.toServer.lastArrivalMicros = queue.nowMicros();
                    pump(connection, connection.toServer);
                });
            }
        }
    }

    /** What the client has sent and the server has not got never arrives. */
    public void loseUnderWayToServer(Connection connection) {
        connection.toServer.underWay.clear();
    }

    /** The client is told that the connection ended; the server believes in it until it hears something else. */
    public void endAtClient(Connection connection, String reason) {
        Receiver receiver = connection.toClient.receiver;
        if (receiver != null) {
            connection.toClient.receiver = null;
            receiver.closed(connection, reason);
        }
    }

    /** The server is told that the connection ended; the client believes in it until its data is answered with a reset. */
    public void endAtServer(Connection connection, String reason) {
        Receiver receiver = connection.toServer.receiver;
        if (receiver != null) {
            connection.toServer.receiver = null;
            receiver.closed(connection, reason);
        }
    }

    /** Both ends learn of a reset, each at a time of its own; what was under way is lost. */
    public void reset(Connection connection) {
        connection.toServer.underWay.clear();
        connection.toClient.underWay.clear();
        endFrom(connection, connection.toServer, "connection reset");
        endFrom(connection, connection.toClient, "connection reset");
    }

    /** Connections at least one end believes in, oldest first. */
    public List<Connection> open() {
        return List.copyOf(connections);
    }

    private void forgetIfOver(Connection connection) {
        if (!connection.isOpenAtClient()
                && !connection.isOpenAtServer()
                && connection.toServer.underWay.isEmpty()
                && connection.toClient.underWay.isEmpty()) {
            connections.remove(connection);
        }
    }

    private static long link(Host from, Host to) {
        return (long) from.number() << 32 | to.number();
    }

    public boolean isCut(Host from, Host to) {
        return cuts.contains(link(from, to));
    }

    /** Nothing gets from one host to the other until {@link #heal}; the other direction is another link. */
    public void cut(Host from, Host to) {
        if (cuts.add(link(from, to))) {
            log.note("net", "cut " + from + " -> " + to);
        }
    }

    public void heal(Host from, Host to) {
        if (cuts.remove(link(from, to))) {
            log.note("net", "heal " + from + " -> " + to);
            pumpAll();
        }
    }

    public void healAll() {
        cuts.clear();
        connections.forEach(c -> c.toServer.held = false);
        log.note("net", "heal everything");
        pumpAll();
    }

    private void pumpAll() {
        for (Connection connection : open()) {
            pump(connection, connection.toServer);
            pump(connection, connection.toClient);
        }
    }

    /** The receiver of a connection nobody has accepted yet. */
    private static final class Refused implements Receiver {
        @Override
        public void message(Connection connection, byte[] bytes) {
            throw new IllegalStateException("a message on a connection that was never accepted");
        }

        @Override
        public void closed(Connection connection, String reason) {}
    }
}
