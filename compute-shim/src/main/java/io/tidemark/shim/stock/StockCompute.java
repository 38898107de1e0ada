package io.tidemark.shim.stock;

import io.tidemark.shim.compute.FenceReport;
import io.tidemark.shim.compute.Shim;
import io.tidemark.shim.compute.ShimConfig;
import io.tidemark.shim.compute.ShimState;
import io.tidemark.shim.compute.ShimStatus;
import io.tidemark.shim.datadir.DirectoryRequest;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.source.PostgresAddress;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run of a stock PostgreSQL on a timeline, with its shim in this process. Made by {@link #start}; over when {@link #finished}
 * completes. Safe to use from any thread.
 */
public final class StockCompute implements StockRun {
    private static final Logger log = LoggerFactory.getLogger(StockCompute.class);
    private static final Duration POLL = Duration.ofMillis(10);
    private static final Duration WATCH = Duration.ofMillis(100);

    private final StockComputeConfig config;
    private final Lsn startLsn;
    private final OwnedPostgres postgres;
    private final Shim shim;
    private final CompletableFuture<Ending> finished = new CompletableFuture<>();
    private volatile boolean stopping;

    private StockCompute(StockComputeConfig config, Lsn startLsn, PostgresServer postgres) {
        this.config = config;
        this.startLsn = startLsn;
        this.postgres = new OwnedPostgres(postgres);
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
        DirectoryBuild build = new DirectoryBuild(config, binaries, user, listener);
        Lsn startLsn;
        try (StoragePosition position = new StoragePosition(config)) {
            build.removeLast();
            startLsn = position.electAndLevel();
            watch.finished(StartPhase.ELECT, "committed WAL ends at " + startLsn);
            position.awaitIngested(startLsn);
            watch.finished(StartPhase.INGEST, "the pageserver has it");
            long bytes = build.fetch(
                    position.loop(), new DirectoryRequest(config.timeline(), startLsn, false), dataDir -> {});
            watch.finished(StartPhase.BUILD, (bytes >> 20) + " MB");
        }
        PostgresServer postgres = build.boot(settings(config));
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

    private static Map<String, String> settings(StockComputeConfig config) {
        Map<String, String> settings = new LinkedHashMap<>(config.settings());
        settings.put("synchronous_standby_names", StockComputeConfig.STANDBY_NAME);
        return settings;
    }

    private void awaitStreaming() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + config.patience().toNanos();
        while (true) {
            ShimStatus status = shim.status();
            // The first record is committed as well, so a replica that is started next finds where to begin.
            if (status.state() == ShimState.STREAMING && status.commitLsn().isAfter(startLsn)) {
                return;
            }
            if (status.state().isFinal()) {
                throw new IOException(status.problem());
            }
            if (System.nanoTime() > deadline) {
                throw new IOException("nothing is committed within "
                        + config.patience().toSeconds() + " s: " + status.state() + " " + status.problem());
            }
            TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
        }
    }

    private void fenced(FenceReport report) {
        log.error("stopping PostgreSQL at once: {}", report);
        postgres.killOrLog();
    }

    private void abort() throws IOException, InterruptedException {
        stopping = true;
        shim.close();
        postgres.kill();
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
                while (!finished.isDone() && postgres.isRunning()) {
                    TimeUnit.NANOSECONDS.sleep(WATCH.toNanos());
                }
                if (!stopping && !shim.status().state().isFinal()) {
                    log.error(
                            "PostgreSQL has ended by itself; its log is {}",
                            postgres.server().logFile());
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

    private void end(Ending ending) {
        postgres.killOrLog();
        finished.complete(ending);
    }

    @Override
    public Lsn startLsn() {
        return startLsn;
    }

    @Override
    public PostgresServer postgres() {
        return postgres.server();
    }

    /** What the shim sees: the quorum's commit_lsn, and each safekeeper's LSN and term. */
    public ShimStatus status() {
        return shim.status();
    }

    @Override
    public CompletableFuture<Ending> finished() {
        return finished.copy();
    }

    @Override
    public String problem() {
        return shim.status().problem();
    }

    @Override
    public void kill() throws IOException {
        stopping = true;
        postgres.killAndThen(this::stopped);
    }

    /**
     * Ends the run in order: PostgreSQL disconnects its clients, writes its shutdown checkpoint, and goes down when the quorum has that.
     * Without a quorum it is ended the hard way, which loses nothing that was acknowledged.
     */
    @Override
    public void close() throws IOException {
        stopping = true;
        postgres.stopAndThen(this::stopped);
    }

    private void stopped() {
        shim.close();
        finished.complete(Ending.STOPPED);
    }
}
