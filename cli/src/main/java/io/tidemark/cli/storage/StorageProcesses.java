package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.cluster.ClusterLayout;
import io.tidemark.cli.cluster.JvmCommand;
import io.tidemark.cli.cluster.SafekeeperProbe;
import io.tidemark.cli.cluster.ServerProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Safekeepers and pageserver of a storage cluster as separate processes. They go on when this object and this process are gone. */
public final class StorageProcesses {
    public static final String PAGESERVER = "pageserver";

    private static final Duration START_DEADLINE = Duration.ofSeconds(60);
    private static final Duration STOP_DEADLINE = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(50);

    private final StorageDirectory directory;

    public StorageProcesses(StorageDirectory directory) {
        this.directory = directory;
    }

    public StorageDirectory directory() {
        return directory;
    }

    /** The process of a safekeeper by its node id. */
    public ServerProcess safekeeper(long id) {
        return new ServerProcess(ClusterLayout.safekeeperName(place(id).id()), directory.layout());
    }

    public ServerProcess pageserver() {
        return new ServerProcess(PAGESERVER, directory.layout());
    }

    public SafekeeperProbe probe(long id) {
        return new SafekeeperProbe(place(id).httpAddress());
    }

    private SafekeeperPlace place(long id) {
        return directory.config().safekeepers().stream()
                .filter(candidate -> candidate.id() == id)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no safekeeper " + id));
    }

    /**
     * Starts what does not run and waits until all of it answers.
     *
     * @return whether anything had to be started
     */
    public boolean start() throws IOException, InterruptedException {
        boolean started = false;
        for (SafekeeperPlace place : directory.config().safekeepers()) {
            if (!safekeeper(place.id()).isRunning()) {
                launchSafekeeper(place.id());
                started = true;
            }
        }
        if (!pageserver().isRunning()) {
            launchPageserver();
            started = true;
        }
        for (SafekeeperPlace place : directory.config().safekeepers()) {
            awaitSafekeeper(place.id());
        }
        awaitPageserver();
        return started;
    }

    public void launchSafekeeper(long id) throws IOException {
        safekeeper(id).start(JvmCommand.of("safekeeper", place(id).arguments(directory.layout())));
    }

    public void launchPageserver() throws IOException {
        StorageConfig config = directory.config();
        pageserver()
                .start(JvmCommand.of(
                        PAGESERVER,
                        List.of(
                                "--data-dir=" + directory.layout().pageserverDir(),
                                "--listen-pg=" + config.pageserverPg(),
                                "--listen-http=" + config.pageserverHttp(),
                                "--safekeepers=" + config.safekeeperList())));
    }

    public void awaitSafekeeper(long id) throws IOException, InterruptedException {
        await(safekeeper(id), probe(id)::isUp);
    }

    public void awaitPageserver() throws IOException, InterruptedException {
        await(pageserver(), directory.pageserver()::isUp);
    }

    private static void await(ServerProcess process, BooleanSupplier isUp) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + START_DEADLINE.toNanos();
        while (!isUp.getAsBoolean()) {
            if (!process.isRunning()) {
                throw new ClusterException(process.name() + " has ended:\n" + process.logTail());
            }
            if (System.nanoTime() > deadline) {
                throw new ClusterException(process.name() + " does not answer within " + START_DEADLINE.toSeconds()
                        + " s:\n" + process.logTail());
            }
            Thread.sleep(POLL);
        }
    }

    /**
     * Stops what runs: the pageserver first, then the safekeepers. Computes are to be stopped before.
     *
     * @return what did not stop in order and had to be killed, by name
     */
    public List<String> stop() throws IOException, InterruptedException {
        List<ServerProcess> all = new ArrayList<>(List.of(pageserver()));
        for (SafekeeperPlace place : directory.config().safekeepers()) {
            all.add(safekeeper(place.id()));
        }
        List<String> killed = new ArrayList<>();
        for (ServerProcess process : all) {
            if (!process.stop(STOP_DEADLINE)) {
                killed.add(process.name());
            }
        }
        return killed;
    }
}
