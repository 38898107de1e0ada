package io.tidemark.bench.cluster;

import io.tidemark.bench.harness.CpuClock;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.bench.wal.WalSample;
import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.ServerProcess;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.ComputeStatus;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.storage.StorageProcesses;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.shim.pager.PageClient;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.page.PageRequest;
import io.tidemark.wire.page.PageResponse;
import io.tidemark.wire.page.PagestreamVersion;
import io.tidemark.wire.page.RequestHeader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Storage as a user has it: three safekeepers and a pageserver as {@code tidemark start} starts them, computes as {@code tidemark compute
 * start} does, each a process of its own.
 */
public final class StorageCluster implements AutoCloseable {
    private static final Duration PAGESERVER_PATIENCE = Duration.ofMinutes(5);
    private static final Duration QUIET_DEADLINE = Duration.ofMinutes(2);
    private static final Duration QUIET_WINDOW = Duration.ofMillis(500);
    private static final double QUIET_SHARE = 0.05;

    private final StorageDirectory directory;
    private final StorageProcesses processes;
    private final Computes computes;

    private StorageCluster(StorageDirectory directory) {
        this.directory = directory;
        this.processes = new StorageProcesses(directory);
        this.computes = new Computes(directory);
    }

    /** Starts storage, without any branch. */
    public static StorageCluster start(Path path) throws IOException, InterruptedException {
        StorageCluster cluster = new StorageCluster(StorageDirectory.openOrCreate(
                path, ClusterOptions.defaults().withAnyPorts().withPgMajor(WalSample.PG_MAJOR)));
        boolean done = false;
        try {
            cluster.processes.start();
            done = true;
            return cluster;
        } finally {
            if (!done) {
                cluster.close();
            }
        }
    }

    public Branches branches() {
        return new Branches(directory);
    }

    /** Makes a branch of the data directory of a server that was shut down, and waits until it is in layer files. */
    public void importStopped(String branch, Path dataDir) throws IOException, InterruptedException {
        branches().importStopped(branch, WalSample.PG_MAJOR, dataDir);
        directory.pageserver().checkpoint(directory.branches().require(branch).timelineId());
        awaitQuiet();
    }

    /** Starts a compute; returns when commits go through. */
    public ComputeStatus startCompute(String branch, Map<String, String> settings)
            throws IOException, InterruptedException {
        return computes.start(branch, 0, settings, phase -> {});
    }

    /** The PostgreSQL of a compute that runs. */
    public PostgresServer postgres(String branch) throws IOException, InterruptedException {
        return PostgresServer.open(directory.binaries(WalSample.PG_MAJOR), ServerUser.current(), dataDir(branch));
    }

    private Path dataDir(String branch) {
        return directory.layout().computeDir(branch).resolve("data");
    }

    /** Stops a compute and deletes its data directory. */
    public void stopCompute(String branch) throws IOException, InterruptedException {
        computes.stop(branch);
        ScratchDirectory.deleteTree(dataDir(branch));
    }

    /** What databases of a branch have in relations, as the page service answers; databases by their oids. */
    public long databaseBytes(String branch, List<Integer> databases) throws IOException, InterruptedException {
        TenantTimelineId timeline = new TenantTimelineId(
                directory.config().tenantId(),
                directory.branches().require(branch).timelineId());
        HostPort address = directory.config().pageserverPg();
        long bytes = 0;
        try (EventLoops loops = new EventLoops("size");
                PageClient client = PageClient.connect(
                        loops.group().next(),
                        PgClientConfig.of(address.host(), address.port(), "tidemark"),
                        timeline,
                        PagestreamVersion.V3,
                        PAGESERVER_PATIENCE)) {
            for (int database : databases) {
                var request = new PageRequest.DbSize(new RequestHeader(1, RequestHeader.LATEST, Lsn.INVALID), database);
                PageResponse answer = client.ask(request, PAGESERVER_PATIENCE);
                if (!(answer instanceof PageResponse.DbSize size)) {
                    throw new IOException("no size of database " + database + ": " + answer);
                }
                bytes += size.sizeBytes();
            }
        }
        return bytes;
    }

    /** CPU time so far of the safekeepers, the pageserver, and a branch's shim. */
    public Duration cpu(String branch) throws IOException {
        List<ServerProcess> all = servers();
        all.add(computes.process(branch));
        Duration sum = Duration.ZERO;
        for (ServerProcess each : all) {
            sum = sum.plus(cpu(each));
        }
        return sum;
    }

    private static Duration cpu(ServerProcess process) throws IOException {
        return CpuClock.ofProcess(process.handle()
                .orElseThrow(() -> new IOException(process.name() + " has ended; its log: " + process.logFile()))
                .pid());
    }

    private List<ServerProcess> servers() {
        List<ServerProcess> servers = new ArrayList<>(List.of(processes.pageserver()));
        for (SafekeeperPlace place : directory.config().safekeepers()) {
            servers.add(processes.safekeeper(place.id()));
        }
        return servers;
    }

    /** Waits until the servers have done what a turn has left them, or the next turn would pay for it; some minutes at most. */
    public void awaitQuiet() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + QUIET_DEADLINE.toNanos();
        Duration before = serverCpu();
        while (System.nanoTime() < deadline) {
            Thread.sleep(QUIET_WINDOW);
            Duration now = serverCpu();
            if (now.minus(before).toNanos() <= QUIET_WINDOW.toNanos() * QUIET_SHARE) {
                return;
            }
            before = now;
        }
    }

    private Duration serverCpu() throws IOException {
        Duration sum = Duration.ZERO;
        for (ServerProcess server : servers()) {
            sum = sum.plus(cpu(server));
        }
        return sum;
    }

    /** Stops all of it. */
    @Override
    public void close() throws IOException {
        try {
            for (var branch : directory.branches().all()) {
                computes.stop(branch.name());
            }
            processes.stop();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
