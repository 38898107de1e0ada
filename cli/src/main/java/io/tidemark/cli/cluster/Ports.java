package io.tidemark.cli.cluster;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Chooses ports on 127.0.0.1 that nobody listens on now, never the same one twice. Who gets one binds it seconds later, so it is none of
 * those that the system gives to connections as they are made: from 32768 on, where nobody has set it otherwise.
 */
public final class Ports {
    private static final int PREFERRED_SAFEKEEPER_PG_PORT = 5454;
    private static final int PREFERRED_SAFEKEEPER_HTTP_PORT = 7676;

    private static final int FIRST = 20_000;
    private static final int END = 32_768;
    private static final int TRIES = 1_000;

    private final boolean usual;
    private final Set<Integer> given = new HashSet<>();

    /** {@code usual} false: preferences do not count. */
    public Ports(boolean usual) {
        this.usual = usual;
    }

    /** The preferred port when it is free, else any other. */
    public int choose(int preferred) throws IOException {
        if (usual && preferred != 0 && !given.contains(preferred) && isFree(preferred)) {
            given.add(preferred);
            return preferred;
        }
        for (int i = 0; i < TRIES; i++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST, END);
            if (!given.contains(port) && isFree(port)) {
                given.add(port);
                return port;
            }
        }
        throw new IOException("no port of 127.0.0.1 from " + FIRST + " to " + (END - 1) + " is free");
    }

    /** Safekeepers with ids from 1 on, each at two ports. */
    public List<SafekeeperPlace> safekeepers(int count) throws IOException {
        List<SafekeeperPlace> places = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            places.add(new SafekeeperPlace(
                    i + 1, choose(PREFERRED_SAFEKEEPER_PG_PORT + i), choose(PREFERRED_SAFEKEEPER_HTTP_PORT + i)));
        }
        return places;
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port), 1);
            return true;
        } catch (IOException taken) {
            return false;
        }
    }
}
