package io.tidemark.cli.cluster;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.shim.postgres.PostgresException;
import io.tidemark.shim.postgres.PostgresServer;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A local cluster as separate processes: safekeepers, PostgreSQL, shim. They go on when this object and this process are gone; a
 * later one finds them by their pid files.
 *
 * <p>Up: safekeepers, PostgreSQL, shim. Down: PostgreSQL first, whose fast shutdown waits until the shim has confirmed its last
 * WAL, then the shim, then the safekeepers.
 */
public final class ProcessCluster {
    static final String SHIM = "shim";

    private static final Duration SAFEKEEPER_DEADLINE = Duration.ofSeconds(60);
    private static final Duration SHIM_DEADLINE = Duration.ofSeconds(60);
    private static final Duration STOP_DEADLINE = Duration.ofSeconds(20);
    private static final Duration POLL = Duration.ofMillis(50);

    private final ClusterDirectory directory;
    private final Map<Long, ServerProcess> safekeepers = new LinkedHashMap<>();
    private final ServerProcess shim;

    public ProcessCluster(ClusterDirectory directory) {
        this.directory = directory;
        for (SafekeeperPlace place : directory.config().safekeepers()) {
            safekeepers.put(
                    place.id(), new ServerProcess(ClusterLayout.safekeeperName(place.id()), directory.layout()));
        }
        this.shim = new ServerProcess(SHIM, directory.layout());
    }

    public ClusterDirectory directory() {
        return directory;
    }

    /** The process of a safekeeper by its node id. */
    public ServerProcess safekeeper(long id) {
        ServerProcess process = safekeepers.get(id);
        if (process == null) {
            throw new IllegalArgumentException("there is no safekeeper " + id);
        }
        return process;
    }

    public ServerProcess shim() {
        return shim;
    }

    public PostgresServer postgres() {
        return directory.postgres();
    }

    /**
     * Starts everything and waits until commits go through.
     *
     * @throws ClusterException when something runs already, or does not come up; then all is stopped again
     */
    public void start() throws IOException, InterruptedException {
        directory.requireNothingRuns();
        try {
            for (SafekeeperPlace place : directory.config().safekeepers()) {
                launchSafekeeper(place.id());
            }
            for (SafekeeperPlace place : directory.config().safekeepers()) {
                awaitSafekeeper(place.id());
            }
            postgres().start();
            startShim();
            awaitStreaming();
        } catch (IOException | InterruptedException e) {
            stop();
            throw e;
        }
    }

    /** Starts one safekeeper and waits until it answers. */
    public void startSafekeeper(long id) throws IOException, InterruptedException {
        launchSafekeeper(id);
        awaitSafekeeper(id);
    }

    private SafekeeperPlace place(long id) {
        return directory.config().safekeepers().stream()
                .filter(candidate -> candidate.id() == id)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no safekeeper " + id));
    }

    /** Starts one safekeeper and does not wait for it. */
    public void launchSafekeeper(long id) throws IOException {
        safekeeper(id).start(JvmCommand.of("safekeeper", place(id).arguments(directory.layout())));
    }

    /** Waits until a launched safekeeper answers. */
    public void awaitSafekeeper(long id) throws IOException, InterruptedException {
        ServerProcess process = safekeeper(id);
        SafekeeperProbe probe = probe(id);
        long deadline = System.nanoTime() + SAFEKEEPER_DEADLINE.toNanos();
        while (!probe.isUp()) {
            requireAlive(process);
            if (System.nanoTime() > deadline) {
                throw new ClusterException(process.name() + " does not answer within " + SAFEKEEPER_DEADLINE.toSeconds()
                        + " s:\n" + process.logTail());
            }
            Thread.sleep(POLL);
        }
    }

    /** Starts the shim; it goes on by itself, see {@link #awaitStreaming}. */
    public void startShim() throws IOException {
        startShim(shim, List.of());
    }

    /**
     * Starts another shim beside the first one, on the same PostgreSQL and timeline, as a takeover would: whichever is elected last owns
     * the timeline.
     *
     * @param slot a replication slot of its own
     */
    public ServerProcess startRivalShim(String name, String slot) throws IOException {
        ServerProcess rival = new ServerProcess(name, directory.layout());
        startShim(rival, List.of("--slot=" + slot));
        return rival;
    }

    private void startShim(ServerProcess process, List<String> further) throws IOException {
        ClusterConfig config = directory.config();
        List<String> arguments = new ArrayList<>(List.of(
                "--postgres=postgres://postgres@127.0.0.1:" + config.postgresPort() + "/postgres",
                "--safekeepers=" + config.safekeeperList(),
                "--tenant-id=" + config.tenantId(),
                "--timeline-id=" + config.timelineId(),
                "--application-name=" + ClusterDirectory.STANDBY_NAME));
        arguments.addAll(further);
        process.start(JvmCommand.of(SHIM, arguments));
    }

    /** Waits until PostgreSQL counts the shim as its synchronous standby: from then on commits return. */
    public void awaitStreaming() throws IOException, InterruptedException {
        PostgresProbe probe = new PostgresProbe(postgres());
        long deadline = System.nanoTime() + SHIM_DEADLINE.toNanos();
        String last = "PostgreSQL has not seen it";
        while (true) {
            try {
                Optional<PostgresProbe.ShimView> view = probe.shim();
                if (view.isPresent() && view.get().syncState().equals("sync")) {
                    return;
                }
            } catch (SQLException e) {
                last = String.valueOf(e.getMessage());
            }
            requireAlive(shim);
            if (System.nanoTime() > deadline) {
                throw new ClusterException("the shim does not stream within " + SHIM_DEADLINE.toSeconds() + " s ("
                        + last + "):\n" + shim.logTail());
            }
            Thread.sleep(POLL);
        }
    }

    private static void requireAlive(ServerProcess process) throws IOException {
        if (!process.isRunning()) {
            throw new ClusterException(process.name() + " has ended:\n" + process.logTail());
        }
    }

    /**
     * Stops everything that runs.
     *
     * @return what did not stop in order and had to be killed, by name
     */
    public List<String> stop() throws IOException, InterruptedException {
        List<String> killed = new ArrayList<>();
        try {
            postgres().stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
        } catch (PostgresException slow) {
            // Without a quorum its last WAL is never confirmed, and it would wait for ever.
            killed.add("postgres");
            postgres().stop(PostgresServer.Shutdown.IMMEDIATE, STOP_DEADLINE);
        }
        if (!shim.stop(STOP_DEADLINE)) {
            killed.add(SHIM);
        }
        for (ServerProcess safekeeper : safekeepers.values()) {
            if (!safekeeper.stop(STOP_DEADLINE)) {
                killed.add(safekeeper.name());
            }
        }
        return killed;
    }

    public SafekeeperProbe probe(long id) {
        return new SafekeeperProbe(place(id).httpAddress());
    }
}
