package io.tidemark.cli.cluster;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.safekeeper.SafekeeperConfig;
import io.tidemark.safekeeper.SafekeeperServer;
import io.tidemark.wire.id.NodeId;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The safekeepers of a cluster, as far as they run in this process. Owner: one thread. */
public final class EmbeddedSafekeepers implements AutoCloseable {
    private final ClusterLayout layout;
    private final List<SafekeeperPlace> places;
    private final Map<Long, SafekeeperServer> running = new LinkedHashMap<>();

    /** None of them runs yet. */
    public EmbeddedSafekeepers(ClusterLayout layout, List<SafekeeperPlace> places) {
        this.layout = layout;
        this.places = places;
    }

    /** Starts those that do not run. */
    public void startAll() throws IOException {
        for (SafekeeperPlace place : places) {
            if (!isRunning(place.id())) {
                start(place.id());
            }
        }
    }

    public boolean isRunning(long id) {
        return running.containsKey(id);
    }

    /** Whether enough of them run for commits. */
    public boolean areQuorum() {
        return running.size() > places.size() / 2;
    }

    /**
     * Starts a safekeeper that does not run.
     *
     * @throws ClusterException when it runs, or there is no such safekeeper
     */
    public void start(long id) throws IOException {
        SafekeeperPlace place = places.stream()
                .filter(candidate -> candidate.id() == id)
                .findFirst()
                .orElseThrow(() -> new ClusterException("there is no safekeeper " + id));
        if (isRunning(id)) {
            throw new ClusterException("safekeeper " + id + " runs already");
        }
        SafekeeperConfig config = SafekeeperConfig.of(new NodeId(id), layout.safekeeperDir(id))
                .listeningOn(HostPort.parse(place.pgAddress()), HostPort.parse(place.httpAddress()));
        running.put(id, SafekeeperServer.start(config));
    }

    /**
     * Stops a safekeeper, in order.
     *
     * @throws ClusterException when it does not run
     */
    public void stop(long id) throws IOException {
        SafekeeperServer server = running.remove(id);
        if (server == null) {
            throw new ClusterException("safekeeper " + id + " does not run");
        }
        server.close();
    }

    /** Stops all of them, also when one fails to. */
    @Override
    public void close() {
        List<SafekeeperServer> all = List.copyOf(running.values());
        running.clear();
        RuntimeException failure = null;
        for (SafekeeperServer server : all) {
            try {
                server.close();
            } catch (RuntimeException e) {
                failure = failure == null ? e : failure;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
