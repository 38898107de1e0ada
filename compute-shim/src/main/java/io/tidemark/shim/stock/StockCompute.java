package io.tidemark.shim.stock;

import io.tidemark.shim.compute.FenceReport;
import io.tidemark.shim.compute.Shim;
import io.tidemark.shim.compute.ShimConfig;
import io.tidemark.shim.compute.ShimState;
import io.tidemark.shim.compute.ShimStatus;
import io.tidemark.shim.datadir.DataDirectoryDownload;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresException;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.source.PostgresAddress;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run of a stock PostgreSQL on a timeline, with its shim in this process. Made by {@link #start}; over when {@link #finished}
 * completes. Safe to use from any thread.
 */
public final class StockCompute implements AutoCloseable {
    /** Why a run is over. */
    public enum Ending {
        /** It was asked to stop. */
        STOPPED,
        /** Another compute owns the timeline. */
        FENCED,
        /** PostgreSQL and the timeline do not belong together (any more): build it anew. */
        REFUSED,
        /** PostgreSQL ended by itself: it crashed, or somebody stopped it. Nothing acknowledged is lost; start again. */
        POSTGRES_ENDED
    }

    private static final Logger log = LoggerFactory.getLogger(StockCompute.class);
    private static final Duration STOP_DEADLINE = Duration.ofSeconds(15);
    private static final Duration POLL = Duration.ofMillis(10);
    private static final Duration WATCH = Duration.ofMillis(100);

    private final StockComputeConfig config;
    private final Lsn startLsn;
    private final PostgresServer postgres;
    // PostgresServer is one thread's at a time: stopping, fencing and watching take turns.
    private final Object postgresLock = new Object();
    private final Shim shim;
    private final CompletableFuture<Ending> finished = new CompletableFuture<>();
    private volatile boolean stopping;

    private StockCompute(StockComputeConfig config, Lsn startLsn, PostgresServer postgres) {
        this.config = config;
        this.startLsn = startLsn;
        this.postgres = postgres;
        PostgresAddress address = PostgresAddress.parse(
                "postgres://" + config.user() + "@" + postgres.host() + ":" + postgres.port() + "/postgres");
        this.shim = Shim.start(
                ShimConfig.of(address, config.safekeepers(), config.timeline()).builtAt(startLsn), this::fenced);
    }

    /**
     * Starts a compute and waits until commits return.
     *
     * @throws IOException with what to do when a phase fails; nothing is left running then
     */
    public static StockCompute start(
            StockComputeConfig config, PostgresBinaries binaries, ServerUser user, StartListener listener)
            throws IOException, InterruptedException {
        Stopwatch watch = new Stopwatch(listener);
        Lsn startLsn;
        try (StoragePosition position = new StoragePosition(config)) {
            removeLast(config.dataDir(), binaries, user);
            startLsn = position.electAndLevel();
            watch.finished(StartPhase.ELECT, "committed WAL ends at " + startLsn);
            position.awaitIngested(startLsn);
            watch.finished(StartPhase.INGEST, "the pageserver has it");
            long[] bytes = {0};
            Path unfinished = unfinished(config.dataDir());
            Files.createDirectories(unfinished.toAbsolutePath().getParent());
            DataDirectoryDownload.run(
                    position.loop(),
                    StoragePosition.pageserver(config.pageserver()),
                    config.timeline(),
                    startLsn,
                    unfinished,
                    user,
                    done -> {
                        bytes[0] = done;
                        listener.built(done);
                    });
            PostgresServer.adopt(binaries, user, unfinished);
            Files.move(unfinished, config.dataDir());
            watch.finished(StartPhase.BUILD, (bytes[0] >> 20) + " MB");
        }
        PostgresServer postgres = PostgresServer.adopt(binaries, user, config.dataDir());
        postgres.configure(settings(config));
        if (config.port() != 0) {
            postgres.listenOn(config.port());
        }
        postgres.start();
        watch.finished(StartPhase.BOOT, "port " + postgres.port());
        StockCompute compute = new StockCompute(config, startLsn, postgres);
        try {
            compute.awaitStreaming();
        } catch (IOException | InterruptedException | RuntimeException e) {
            compute.abort();
            throw e;
        }
        watch.finished(StartPhase.STREAM, "term " + compute.status().term());
        compute.watch();
        return compute;
    }

    private static final class Stopwatch {
        private final StartListener listener;
        private long since = System.nanoTime();

        Stopwatch(StartListener listener) {
            this.listener = listener;
        }

        void finished(StartPhase phase, String detail) {
            long now = System.nanoTime();
            listener.finished(phase, Duration.ofNanos(now - since), detail);
            since = now;
        }
    }

    private static Path unfinished(Path dataDir) {
        return dataDir.resolveSibling(dataDir.getFileName() + ".unfinished");
    }

    /** The data directory of the run before; its PostgreSQL may have outlived its shim, and can commit nothing. */
    private static void removeLast(Path dataDir, PostgresBinaries binaries, ServerUser user)
            throws IOException, InterruptedException {
        deleteTree(unfinished(dataDir));
        if (Files.exists(dataDir)) {
            // Throws when it is not one of ours: that is not to be deleted.
            PostgresServer.open(binaries, user, dataDir).kill();
            deleteTree(dataDir);
        }
    }

    private static void deleteTree(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        List<Path> deepestFirst;
        try (Stream<Path> paths = Files.walk(directory)) {
            deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : deepestFirst) {
            Files.deleteIfExists(path);
        }
    }

    private static Map<String, String> settings(StockComputeConfig config) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("wal_level", "replica");
        settings.put("max_wal_senders", "10");
        settings.put("max_replication_slots", "10");
        settings.put("default_text_search_config", "pg_catalog.english");
        // The data directory is disposable: storage is what survives.
        settings.put("fsync", "off");
        settings.put("full_page_writes", "off");
        settings.put("restart_after_crash", "off");
        settings.putAll(config.settings());
        settings.put("synchronous_standby_names", StockComputeConfig.STANDBY_NAME);
        return settings;
    }

    private void awaitStreaming() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + config.patience().toNanos();
        while (true) {
            ShimStatus status = shim.status();
            if (status.state() == ShimState.STREAMING) {
                return;
            }
            if (status.state().isFinal()) {
                throw new IOException(status.problem());
            }
            if (System.nanoTime() > deadline) {
                throw new IOException("the shim does not stream within "
                        + config.patience().toSeconds() + " s: " + status.state() + " " + status.problem());
            }
            TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
        }
    }

    private void fenced(FenceReport report) {
        log.error("stopping PostgreSQL at once: {}", report);
        try {
            killPostgres();
        } catch (IOException e) {
            log.error("PostgreSQL could not be stopped; it can commit nothing", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void killPostgres() throws IOException, InterruptedException {
        synchronized (postgresLock) {
            postgres.kill();
        }
    }

    private void abort() throws IOException, InterruptedException {
        stopping = true;
        shim.close();
        killPostgres();
    }

    /** Notices what ends by itself. */
    private void watch() {
        var _ = shim.finished().whenComplete((status, error) -> {
            if (!stopping) {
                end(error == null && status.state() == ShimState.FENCED ? Ending.FENCED : Ending.REFUSED);
            }
        });
        Thread.ofVirtual().name("compute-watch").start(() -> {
            try {
                while (!finished.isDone() && isPostgresRunning()) {
                    TimeUnit.NANOSECONDS.sleep(WATCH.toNanos());
                }
                if (!stopping && !shim.status().state().isFinal()) {
                    log.error("PostgreSQL has ended by itself; its log is {}", postgres.logFile());
                    stopping = true;
                    shim.close();
                    end(Ending.POSTGRES_ENDED);
                }
            } catch (IOException e) {
                log.error("cannot tell whether PostgreSQL runs", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private boolean isPostgresRunning() throws IOException {
        synchronized (postgresLock) {
            return postgres.isRunning();
        }
    }

    private void end(Ending ending) {
        try {
            killPostgres();
        } catch (IOException e) {
            log.error("PostgreSQL could not be stopped; it can commit nothing", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        finished.complete(ending);
    }

    /** The LSN the data directory was built at. */
    public Lsn startLsn() {
        return startLsn;
    }

    /** PostgreSQL, to connect to; starting and stopping it is this object's business. */
    public PostgresServer postgres() {
        return postgres;
    }

    /** What the shim sees: the quorum's commit_lsn, and each safekeeper's LSN and term. */
    public ShimStatus status() {
        return shim.status();
    }

    /** Completes when the run is over, with the reason; PostgreSQL does not run any more then. */
    public CompletableFuture<Ending> finished() {
        return finished.copy();
    }

    /** Ends the run at once, as a crash would; nothing that was acknowledged is lost. */
    public void kill() throws IOException {
        stopping = true;
        try {
            killPostgres();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            shim.close();
            finished.complete(Ending.STOPPED);
        }
    }

    /**
     * Ends the run in order: PostgreSQL disconnects its clients, writes its shutdown checkpoint, and goes down when the quorum has that.
     * Without a quorum it is ended the hard way, which loses nothing that was acknowledged.
     */
    @Override
    public void close() throws IOException {
        stopping = true;
        try {
            synchronized (postgresLock) {
                try {
                    postgres.stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
                } catch (PostgresException slow) {
                    log.warn("PostgreSQL does not go down in order: {}", slow.getMessage());
                    postgres.kill();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            shim.close();
            finished.complete(Ending.STOPPED);
        }
    }
}
