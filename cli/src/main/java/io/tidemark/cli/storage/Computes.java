package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.cluster.JvmCommand;
import io.tidemark.cli.cluster.Ports;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.cli.cluster.ServerProcess;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StandbyMark;
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
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The computes of a storage cluster, each a process of its own with its PostgreSQL: at most one per branch that writes, named as the
 * branch is, and any number that only read, named {@code branch@name}.
 */
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

    /** The process of a compute, whether or not it runs. */
    public ServerProcess process(String compute) {
        return new ServerProcess("compute-" + compute, directory.layout());
    }

    /** What the compute last said of itself; empty when there was never one. */
    public Optional<ComputeStatus> status(String compute) throws IOException {
        return ComputeStatus.read(directory.layout().computeDir(compute));
    }

    public boolean isRunning(String compute) throws IOException {
        return process(compute).isRunning();
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
        FollowedSource.requireNone(directory.layout(), name);
        requireStopped(name);
        endLeftOver(name, branch.pgMajor(), progress);
        int preferred = name.equals(StorageDirectory.MAIN) ? PREFERRED_PORT : 0;
        int chosen = port != 0 ? port : choosePort(name, branch.computePort() != 0 ? branch.computePort() : preferred);
        if (chosen != branch.computePort()) {
            directory.branches().replace(name, old -> old.withComputePort(chosen));
        }
        return launch(name, List.of("--branch=" + name), branch.pgMajor(), chosen, settings, progress);
    }

    /** Starts a compute that only reads, and waits until it can be read; the rest as for one that writes. */
    public ComputeStatus start(
            Reader reader, int port, Map<String, String> settings, Consumer<ComputeStatus.Phase> progress)
            throws IOException, InterruptedException {
        requireStopped(reader.id());
        endLeftOver(reader.id(), reader.pgMajor(), progress);
        int chosen = port != 0 ? port : choosePort(reader.id(), reader.port());
        new Readers(directory).save(reader.withPort(chosen));
        return launch(
                reader.id(),
                List.of("--branch=" + reader.branch(), "--name=" + reader.name()),
                reader.pgMajor(),
                chosen,
                settings,
                progress);
    }

    private void requireStopped(String compute) throws IOException {
        Optional<ProcessHandle> process = process(compute).handle();
        if (process.isPresent()) {
            throw new ClusterException(
                    "compute " + compute + " runs already (pid " + process.get().pid() + ")");
        }
    }

    private ComputeStatus launch(
            String compute,
            List<String> which,
            int pgMajor,
            int port,
            Map<String, String> settings,
            Consumer<ComputeStatus.Phase> progress)
            throws IOException, InterruptedException {
        Path computeDir = directory.layout().computeDir(compute);
        Files.createDirectories(computeDir);
        Files.deleteIfExists(ComputeStatus.file(computeDir));
        List<String> arguments =
                new ArrayList<>(List.of("run", "--dir=" + directory.layout().root()));
        arguments.addAll(which);
        arguments.add("--port=" + port);
        arguments.add("--pg-bin=" + directory.binaries(pgMajor).binDir());
        settings.forEach((key, value) -> arguments.add("--pg-config=" + key + "=" + value));
        ServerProcess process = process(compute);
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
                    case FAILED, FENCED, STOPPED, PROMOTED ->
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

    private int choosePort(String compute, int preferred) throws IOException {
        Set<Integer> taken = new HashSet<>();
        for (Branch other : directory.branches().all()) {
            if (!other.name().equals(compute)) {
                taken.add(other.computePort());
            }
        }
        for (Reader other : new Readers(directory).all()) {
            if (!other.id().equals(compute)) {
                taken.add(other.port());
            }
        }
        Ports ports = new Ports(true);
        int port = ports.choose(preferred);
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
        try {
            Optional<PostgresServer> postgres = postgres(branch.name(), branch.pgMajor());
            return postgres.isPresent() && postgres.get().isRunning()
                    ? Optional.of(Lsn.parse(new PostgresProbe(postgres.get()).require(EMPTY_MESSAGE)))
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
     * Stops the compute of a branch that writes, and a PostgreSQL of it that has outlived its shim.
     *
     * @return whether it ended in order; when not, nothing acknowledged is lost
     */
    public boolean stop(String name) throws IOException, InterruptedException {
        boolean orderly = process(name).stop(STOP_DEADLINE);
        return killLeftOver(name, directory.branches().require(name).pgMajor()) && orderly;
    }

    /** The same for one that only reads. */
    public boolean stop(Reader reader) throws IOException, InterruptedException {
        boolean orderly = process(reader.id()).stop(STOP_DEADLINE);
        return killLeftOver(reader.id(), reader.pgMajor()) && orderly;
    }

    /** Ends a PostgreSQL that has outlived its compute's process; answers whether there was none. */
    boolean killLeftOver(String compute, int pgMajor) throws IOException, InterruptedException {
        Optional<PostgresServer> postgres = leftOver(compute, pgMajor);
        if (postgres.isEmpty()) {
            return true;
        }
        postgres.get().kill();
        return false;
    }

    /**
     * A PostgreSQL whose compute's process was killed: it can commit nothing, and what it has is of no use to anybody. Ended before a port is
     * chosen, so that the next one gets the port that clients know.
     */
    private void endLeftOver(String compute, int pgMajor, Consumer<ComputeStatus.Phase> progress)
            throws IOException, InterruptedException {
        Optional<PostgresServer> postgres = leftOver(compute, pgMajor);
        if (postgres.isPresent()) {
            long begun = System.nanoTime();
            long pid = postgres.get().pid();
            postgres.get().kill();
            progress.accept(new ComputeStatus.Phase(
                    "clear",
                    (System.nanoTime() - begun) / 1_000_000,
                    "ended PostgreSQL " + pid + " on port " + postgres.get().port()
                            + ", which had outlived its compute"));
        }
    }

    private Optional<PostgresServer> leftOver(String compute, int pgMajor) throws IOException, InterruptedException {
        Optional<PostgresServer> postgres = postgres(compute, pgMajor);
        return postgres.isPresent() && postgres.get().isRunning() ? postgres : Optional.empty();
    }

    /** The process id of a PostgreSQL that goes on although its compute's process was killed; empty when there is none. */
    public OptionalLong leftOverPid(String compute, int pgMajor) throws IOException, InterruptedException {
        if (isRunning(compute)) {
            return OptionalLong.empty();
        }
        Optional<PostgresServer> postgres = leftOver(compute, pgMajor);
        return postgres.isPresent() ? OptionalLong.of(postgres.get().pid()) : OptionalLong.empty();
    }

    /** Empty when there is no data directory. */
    private Optional<PostgresServer> postgres(String compute, int pgMajor) throws IOException, InterruptedException {
        Path dataDir = directory.layout().computeDir(compute).resolve("data");
        return PostgresServer.majorOf(dataDir).isEmpty()
                ? Optional.empty()
                : Optional.of(PostgresServer.open(directory.binaries(pgMajor), ServerUser.current(), dataDir));
    }

    /** Whether the PostgreSQL of one that was to read only takes writes, because nobody of ours was there to stop it. */
    public boolean isPromoted(Reader reader) throws IOException, InterruptedException {
        Optional<PostgresServer> postgres = postgres(reader.id(), reader.pgMajor());
        return postgres.isPresent() && StandbyMark.isPromoted(postgres.get());
    }
}
