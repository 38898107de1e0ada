package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.cluster.JvmCommand;
import io.tidemark.cli.cluster.Ports;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.cli.cluster.ServerProcess;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The computes of a storage cluster, each a process of its own with its PostgreSQL; at most one per branch. */
public final class Computes {
    private static final Logger log = LoggerFactory.getLogger(Computes.class);
    // Of all that commits it changes the least: a record that nobody reads.
    private static final String EMPTY_MESSAGE = "SELECT pg_logical_emit_message(true, 'tidemark', '')";
    private static final int PREFERRED_PORT = 54321;
    private static final Duration STOP_DEADLINE = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(20);

    private final StorageDirectory directory;

    public Computes(StorageDirectory directory) {
        this.directory = directory;
    }

    /** The process of a branch's compute, whether or not it runs. */
    public ServerProcess process(String branch) {
        return new ServerProcess("compute-" + branch, directory.layout());
    }

    /** What the compute last said of itself; empty when there was never one. */
    public Optional<ComputeStatus> status(String branch) throws IOException {
        return ComputeStatus.read(directory.layout().computeDir(branch));
    }

    public boolean isRunning(String branch) throws IOException {
        return process(branch).isRunning();
    }

    /**
     * Starts the compute of a branch and waits until commits go through.
     *
     * @param port PostgreSQL's; 0: the one it had before, or any free one
     * @param settings PostgreSQL's configuration parameters
     * @param progress told each phase as it ends
     * @throws ClusterException when it runs already, or does not come up
     */
    public ComputeStatus start(
            String name, int port, Map<String, String> settings, Consumer<ComputeStatus.Phase> progress)
            throws IOException, InterruptedException {
        Branch branch = directory.branches().require(name);
        ServerProcess process = process(name);
        if (process.isRunning()) {
            throw new ClusterException("the compute of branch " + name + " runs already (pid "
                    + process.handle().map(ProcessHandle::pid).orElse(0L) + ")");
        }
        int chosen = port != 0 ? port : choosePort(branch);
        if (chosen != branch.computePort()) {
            directory.branches().replace(name, old -> old.withComputePort(chosen));
        }
        Path computeDir = directory.layout().computeDir(name);
        Files.createDirectories(computeDir);
        Files.deleteIfExists(ComputeStatus.file(computeDir));
        List<String> arguments = new ArrayList<>(List.of(
                "run",
                "--dir=" + directory.layout().root(),
                "--branch=" + name,
                "--port=" + chosen,
                "--pg-bin=" + directory.binaries(branch.pgMajor()).binDir()));
        settings.forEach((key, value) -> arguments.add("--pg-config=" + key + "=" + value));
        process.start(JvmCommand.of("compute", arguments));
        return awaitRunning(process, computeDir, progress);
    }

    private static ComputeStatus awaitRunning(
            ServerProcess process, Path computeDir, Consumer<ComputeStatus.Phase> progress)
            throws IOException, InterruptedException {
        int told = 0;
        while (true) {
            boolean alive = process.isRunning();
            Optional<ComputeStatus> status = ComputeStatus.read(computeDir);
            if (status.isPresent()) {
                List<ComputeStatus.Phase> phases = status.get().phases();
                while (told < phases.size()) {
                    progress.accept(phases.get(told++));
                }
                switch (status.get().state()) {
                    case RUNNING -> {
                        return status.get();
                    }
                    case FAILED, FENCED, STOPPED ->
                        throw new ClusterException(
                                process.name() + ": " + status.get().problem());
                    case STARTING -> {}
                }
            }
            if (!alive) {
                throw new ClusterException(process.name() + " has ended:\n" + process.logTail());
            }
            Thread.sleep(POLL);
        }
    }

    private int choosePort(Branch branch) throws IOException {
        Set<Integer> taken = new HashSet<>();
        for (Branch other : directory.branches().all()) {
            if (!other.name().equals(branch.name())) {
                taken.add(other.computePort());
            }
        }
        Ports ports = new Ports(true);
        int port = ports.choose(
                branch.computePort() != 0
                        ? branch.computePort()
                        : branch.name().equals(StorageDirectory.MAIN) ? PREFERRED_PORT : 0);
        while (taken.contains(port)) {
            port = ports.choose(0);
        }
        return port;
    }

    /**
     * Makes a compute that runs commit something, and so everything before it, which PostgreSQL may have only in memory: it does not flush
     * for pg_create_restore_point.
     *
     * @return where that is in its WAL; empty when there is no compute, or it does not take commits
     */
    Optional<Lsn> flush(Branch branch) throws IOException {
        Path dataDir = directory.layout().computeDir(branch.name()).resolve("data");
        if (PostgresServer.majorOf(dataDir).isEmpty()) {
            return Optional.empty();
        }
        try {
            PostgresServer postgres =
                    PostgresServer.open(directory.binaries(branch.pgMajor()), ServerUser.current(), dataDir);
            return postgres.isRunning()
                    ? Optional.of(Lsn.parse(new PostgresProbe(postgres).require(EMPTY_MESSAGE)))
                    : Optional.empty();
        } catch (SQLException e) {
            log.warn("the compute of branch {} does not commit: {}", branch.name(), e.getMessage());
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    /**
     * Stops the compute of a branch, and a PostgreSQL of it that has outlived its shim.
     *
     * @return whether it ended in order; when not, nothing acknowledged is lost
     */
    public boolean stop(String name) throws IOException, InterruptedException {
        boolean orderly = process(name).stop(STOP_DEADLINE);
        Path dataDir = directory.layout().computeDir(name).resolve("data");
        if (PostgresServer.majorOf(dataDir).isPresent()) {
            Branch branch = directory.branches().require(name);
            PostgresServer postgres =
                    PostgresServer.open(directory.binaries(branch.pgMajor()), ServerUser.current(), dataDir);
            if (postgres.isRunning()) {
                postgres.kill();
                orderly = false;
            }
        }
        return orderly;
    }
}
