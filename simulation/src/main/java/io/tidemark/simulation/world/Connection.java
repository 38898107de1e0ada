package io.tidemark.simulation.world;

import org.jspecify.annotations.Nullable;

/**
 * One connection like TCP's: two ordered streams of whole messages between a client and a server. Each side has its own idea of
 * whether the connection lives; what is under way may still arrive long after the sender has given the connection up.
 */
public final class Connection {
    private final long id;
    private final Host client;
    private final Host server;
    final Stream toServer;
    final Stream toClient;
    /** How many times longer than others its messages take. */
    final long slowness;

    Connection(long id, Host client, Host server, Stream toServer, Stream toClient, long slowness) {
        this.id = id;
        this.client = client;
        this.server = server;
        this.toServer = toServer;
        this.toClient = toClient;
        this.slowness = slowness;
    }

    /** Unique in this simulation. */
    public long id() {
        return id;
    }

    public Host client() {
        return client;
    }

    public Host server() {
        return server;
    }

    /** True while the client believes in it. */
    public boolean isOpenAtClient() {
        return toClient.receiver != null;
    }

    /** True while the server believes in it. */
    public boolean isOpenAtServer() {
        return toServer.receiver != null;
    }

    @Override
    public String toString() {
        return "#" + id + "(" + client + "-" + server + ")";
    }

    /** Who gets what arrives at one end. */
    public interface Receiver {
        void message(Connection connection, byte[] bytes);

        /** The other side, or something between, ended the connection. */
        void closed(Connection connection, String reason);
    }

    /** One direction: messages in order, the last one perhaps the end of the stream. */
    static final class Stream {
        final Host from;
        final Host to;
        final java.util.ArrayDeque<Parcel> underWay = new java.util.ArrayDeque<>();
        /** Null once this end has closed. */
        @Nullable
        Receiver receiver;

        long lastArrivalMicros;
        boolean pumping;
        /** Stuck somewhere on the way, until somebody lets it go on. */
        boolean held;

        boolean ended;

        Stream(Host from, Host to, Receiver receiver) {
            this.from = from;
            this.to = to;
            this.receiver = receiver;
        }
    }

    /** A message, or the end of the stream when {@code bytes} is null. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Parcel(byte @Nullable [] bytes, String reason, long arrivalMicros) {}
}
