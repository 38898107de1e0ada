package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.cluster.EmbeddedSafekeepers;
import io.tidemark.pageserver.PageserverConfig;
import io.tidemark.pageserver.PageserverServer;
import io.tidemark.pageserver.timeline.RetentionConfig;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.shim.compute.ShimStatus;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import io.tidemark.shim.stock.StockComputeConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A storage cluster whose safekeepers, pageserver and shims run in this process; each PostgreSQL is a process of its own, as always. They
 * talk through sockets, as anywhere.
 *
 * <p>Stopping a server here is orderly. To see one die, run {@link StorageProcesses}. Owner: one thread.
 */
public final class EmbeddedStorage implements AutoCloseable {
    private final StorageDirectory directory;
    private final EmbeddedSafekeepers safekeepers;
    private final Map<String, StockCompute> computes = new LinkedHashMap<>();
    private @Nullable PageserverServer pageserver;

    private EmbeddedStorage(StorageDirectory directory) {
        this.directory = directory;
        this.safekeepers =
                new EmbeddedSafekeepers(directory.layout(), directory.config().safekeepers());
    }

    /**
     * Starts safekeepers and pageserver, and makes branch main when there is none.
     *
     * @throws IOException when something of it runs already, or does not come up; then all is stopped again
     */
    public static EmbeddedStorage start(StorageDirectory directory) throws IOException, InterruptedException {
        return start(directory, RetentionConfig.DEFAULT);
    }

    /** The same, with a pageserver that keeps more or less of the past. */
    public static EmbeddedStorage start(StorageDirectory directory, RetentionConfig retention)
            throws IOException, InterruptedException {
        EmbeddedStorage storage = new EmbeddedStorage(directory);
        boolean done = false;
        try {
            storage.safekeepers.startAll();
            StorageConfig config = directory.config();
            storage.pageserver = PageserverServer.start(PageserverConfig.of(
                            directory.layout().pageserverDir(),
                            config.safekeepers().stream()
                                    .map(place -> HostPort.parse(place.pgAddress()))
                                    .toList())
                    .listeningOn(config.pageserverPg(), config.pageserverHttp())
                    .withRetention(retention));
            Branches branches = new Branches(directory);
            branches.sweep();
            branches.createMain();
            done = true;
            return storage;
        } finally {
            if (!done) {
                storage.close();
            }
        }
    }

    public StorageDirectory directory() {
        return directory;
    }

    /** Those that run here; each can be stopped and started. */
    public EmbeddedSafekeepers safekeepers() {
        return safekeepers;
    }

    /** Starts the compute of a branch, and ends the one that ran here before. */
    public StockCompute startCompute(String name, int port, StartListener listener)
            throws IOException, InterruptedException {
        return startCompute(name, port, Map.of(), listener);
    }

    /** The same, with configuration parameters of PostgreSQL. */
    public StockCompute startCompute(String name, int port, Map<String, String> settings, StartListener listener)
            throws IOException, InterruptedException {
        Branch branch = directory.branches().require(name);
        FollowedSource.requireNone(directory.layout(), name);
        StockCompute before = computes.remove(name);
        if (before != null) {
            before.close();
        }
        StockComputeConfig config = directory.computeConfig(
                branch.timelineId(), directory.layout().computeDir(name).resolve("data"), port, settings);
        StockCompute compute =
                StockCompute.start(config, directory.binaries(branch.pgMajor()), ServerUser.current(), listener);
        computes.put(name, compute);
        int chosen = compute.postgres().port();
        directory.branches().replace(name, old -> old.withComputePort(chosen));
        return compute;
    }

    /** Stops the compute of a branch, in order; throws when it does not run. */
    public void stopCompute(String name) throws IOException {
        StockCompute compute = computes.remove(name);
        if (compute == null) {
            throw new ClusterException("the compute of branch " + name + " does not run");
        }
        compute.close();
    }

    /** Ends the compute of a branch the hard way, for one whose branch is of no use any more; does nothing when it does not run. */
    public void killCompute(String name) throws IOException {
        StockCompute compute = computes.remove(name);
        if (compute != null) {
            compute.kill();
        }
    }

    /** The computes that were started here, by branch. */
    public Map<String, StockCompute> computes() {
        return Map.copyOf(computes);
    }

    /** What the shim of a branch sees; throws when its compute does not run. */
    public ShimStatus status(String name) throws IOException {
        StockCompute compute = computes.get(name);
        if (compute == null) {
            throw new ClusterException("the compute of branch " + name + " does not run");
        }
        return compute.status();
    }

    /** Stops all of it: computes, whose fast shutdown needs the quorum, then the pageserver, then the safekeepers. */
    @Override
    public void close() throws IOException {
        List<AutoCloseable> all = new ArrayList<>(computes.values());
        if (pageserver != null) {
            all.add(pageserver);
        }
        all.add(safekeepers);
        computes.clear();
        pageserver = null;
        IOException failure = null;
        for (AutoCloseable each : all) {
            try {
                each.close();
            } catch (Exception e) {
                failure = failure == null ? new ClusterException("stopping: " + e.getMessage(), e) : failure;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
