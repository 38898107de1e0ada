package io.tidemark.cli.storage;

import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StartPhase;
import io.tidemark.shim.stock.StockCompute;
import io.tidemark.shim.stock.StockComputeConfig;
import io.tidemark.shim.stock.StockReader;
import io.tidemark.shim.stock.StockRun;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The compute of a branch, in this process, until it is told to stop or fenced. When PostgreSQL crashes it is built anew and started
 * again. Says how it is in {@link ComputeStatus}.
 */
public final class ComputeRun {
    private static final Logger log = LoggerFactory.getLogger(ComputeRun.class);
    private static final int MAX_CRASHES_IN_A_ROW = 5;
    private static final Duration LONG_ENOUGH = Duration.ofMinutes(1);
    private static final long BACKOFF_MILLIS = 500;

    private final Path computeDir;
    private final StockComputeConfig config;
    private final PostgresBinaries binaries;
    private final @Nullable Reader reader;
    private final List<ComputeStatus.Phase> phases = new ArrayList<>();
    private final Object lock = new Object();
    private @Nullable StockRun current;
    private boolean stopped;

    /**
     * A compute that has not started yet.
     *
     * @param pgBin PostgreSQL's programs; null: those that came with the build, or that the cluster was made with
     * @param port PostgreSQL's; 0: any free one
     */
    public ComputeRun(
            StorageDirectory directory, Branch branch, @Nullable Path pgBin, int port, Map<String, String> settings)
            throws IOException, InterruptedException {
        this(
                directory.layout().computeDir(branch.name()),
                config(directory, branch.name(), branch.timelineId(), port, settings),
                binaries(directory, pgBin, branch.pgMajor()),
                null);
    }

    /** The same for one that only reads. */
    public ComputeRun(
            StorageDirectory directory, Reader reader, @Nullable Path pgBin, int port, Map<String, String> settings)
            throws IOException, InterruptedException {
        this(
                directory.layout().computeDir(reader.id()),
                config(directory, reader.id(), reader.timelineId(), port, settings),
                binaries(directory, pgBin, reader.pgMajor()),
                reader);
    }

    private ComputeRun(Path computeDir, StockComputeConfig config, PostgresBinaries binaries, @Nullable Reader reader)
            throws IOException {
        this.computeDir = computeDir;
        this.config = config;
        this.binaries = binaries;
        this.reader = reader;
        Files.createDirectories(computeDir);
    }

    private static StockComputeConfig config(
            StorageDirectory directory, String compute, TimelineId timeline, int port, Map<String, String> settings) {
        return directory.computeConfig(
                timeline, directory.layout().computeDir(compute).resolve("data"), port, settings);
    }

    private static PostgresBinaries binaries(StorageDirectory directory, @Nullable Path pgBin, int major)
            throws IOException, InterruptedException {
        return pgBin == null ? directory.binaries(major) : PostgresBinaries.at(pgBin);
    }

    private final class Phases implements StartListener {
        @Override
        public void finished(StartPhase phase, Duration took, String detail) {
            String name = phase.name().toLowerCase(Locale.ROOT);
            log.info("{}: {} ms, {}", name, took.toMillis(), detail);
            phases.add(new ComputeStatus.Phase(name, took.toMillis(), detail));
            say(ComputeStatus.State.STARTING, "");
        }

        @Override
        public void built(long bytes) {
            // The log is for phases.
        }
    }

    /** Lives the compute's life; returns how it ended. */
    public ComputeStatus.State run() throws InterruptedException {
        int crashes = 0;
        while (true) {
            long begun = System.nanoTime();
            StockRun.Ending ending;
            try {
                ending = runOnce();
            } catch (IOException e) {
                log.error("the compute does not start", e);
                say(ComputeStatus.State.FAILED, String.valueOf(e.getMessage()));
                return ComputeStatus.State.FAILED;
            }
            switch (ending) {
                case STOPPED -> {
                    say(ComputeStatus.State.STOPPED, "");
                    return ComputeStatus.State.STOPPED;
                }
                case FENCED -> {
                    say(ComputeStatus.State.FENCED, problem());
                    return ComputeStatus.State.FENCED;
                }
                case PROMOTED -> {
                    say(ComputeStatus.State.PROMOTED, problem());
                    return ComputeStatus.State.PROMOTED;
                }
                case REFUSED -> {
                    say(ComputeStatus.State.FAILED, problem());
                    return ComputeStatus.State.FAILED;
                }
                case POSTGRES_ENDED -> {
                    crashes = System.nanoTime() - begun > LONG_ENOUGH.toNanos() ? 1 : crashes + 1;
                    if (crashes > MAX_CRASHES_IN_A_ROW) {
                        say(ComputeStatus.State.FAILED, "PostgreSQL ended " + crashes + " times in a row");
                        return ComputeStatus.State.FAILED;
                    }
                    log.warn("PostgreSQL has ended; building its data directory anew");
                    TimeUnit.MILLISECONDS.sleep(BACKOFF_MILLIS);
                }
            }
        }
    }

    private StockRun.Ending runOnce() throws IOException, InterruptedException {
        phases.clear();
        say(ComputeStatus.State.STARTING, "");
        StockRun compute = start();
        synchronized (lock) {
            current = compute;
            if (stopped) {
                compute.close();
            }
        }
        say(ComputeStatus.State.RUNNING, "");
        return compute.finished().join();
    }

    private StockRun start() throws IOException, InterruptedException {
        Reader reads = reader;
        if (reads == null) {
            return StockCompute.start(config, binaries, ServerUser.current(), new Phases());
        }
        return reads.follows()
                ? StockReader.replica(config, binaries, ServerUser.current(), new Phases())
                : StockReader.at(reads.startLsn(), config, binaries, ServerUser.current(), new Phases());
    }

    private String problem() {
        StockRun compute = current;
        return compute == null ? "" : compute.problem();
    }

    /** Ends it in order; from another thread. */
    public void stop() throws IOException {
        synchronized (lock) {
            stopped = true;
            if (current != null) {
                current.close();
            }
        }
    }

    private void say(ComputeStatus.State state, String problem) {
        StockRun compute = current;
        try {
            new ComputeStatus(
                            state,
                            ProcessHandle.current().pid(),
                            compute == null ? config.port() : compute.postgres().port(),
                            compute == null ? "" : compute.startLsn().toString(),
                            phases,
                            problem)
                    .write(computeDir);
        } catch (IOException e) {
            log.warn("could not say how the compute is: {}", e.toString());
        }
    }
}
