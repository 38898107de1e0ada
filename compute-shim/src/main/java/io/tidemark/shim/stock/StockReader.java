package io.tidemark.shim.stock;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.tidemark.shim.datadir.DirectoryRequest;
import io.tidemark.shim.libpq.Sockets;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run of a stock PostgreSQL that only reads, beside whoever writes the timeline. Over when {@link #finished} completes.
 *
 * <pre>
 *   at an LSN   a hot standby without anything to follow: it finds a shut down cluster whose checkpoint is at the LSN, is consistent
 *               there at once, and waits for WAL that does not come. The lease is kept so that it can be built again at the same LSN
 *   a replica   a hot standby as if from a backup of a standby: it begins with the last checkpoint in the timeline's WAL, replays up
 *               to the LSN of its pages, takes sessions, and goes on; all of that WAL comes from a safekeeper, and only what is committed
 * </pre>
 *
 * <p>Refusing writes is PostgreSQL's own business. It has all its data, and asks the pageserver for nothing any more.
 */
public final class StockReader implements StockRun {
    private static final Logger log = LoggerFactory.getLogger(StockReader.class);
    private static final Duration WATCH = Duration.ofMillis(100);
    /** Without it the writer's VACUUM removes what a query on a replica still needs, and the query is cancelled. */
    private static final Map<String, String> FEEDBACK = Map.of("hot_standby_feedback", "on");

    /** A safekeeper says something each second; one that is silent, or gone, is left for the next one. */
    private static final Map<String, String> FOLLOWING = Map.of(
            "wal_receiver_timeout",
            "10s",
            "wal_retrieve_retry_interval",
            "500ms",
            "wal_receiver_status_interval",
            "1s");

    private static final String PROMOTED =
            "PostgreSQL was promoted by hand and has been stopped: what was written to it" + " since is in no storage";

    private final Lsn startLsn;
    private final OwnedPostgres postgres;
    private final Storage storage;
    private final CompletableFuture<Ending> finished = new CompletableFuture<>();
    private volatile boolean stopping;

    private StockReader(Lsn startLsn, PostgresServer postgres, Storage storage) {
        this.startLsn = startLsn;
        this.postgres = new OwnedPostgres(postgres);
        this.storage = storage;
    }

    /** What is held of storage as long as it runs: a thread to ask on, and the lease where there is one. */
    private static final class Storage implements AutoCloseable {
        private final EventLoopGroup group =
                new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("reader"), Sockets.ioHandlerFactory());
        private @Nullable LsnLease lease;
        private @Nullable FeedWatch feed;

        EventLoop loop() {
            return group.next();
        }

        @Override
        public void close() {
            if (lease != null) {
                lease.close();
            }
            if (feed != null) {
                feed.close();
            }
            group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    /**
     * Starts one at an LSN and waits until it can be read.
     *
     * @param at the end of a record, at or behind the timeline's start
     * @throws IOException with what to do when a phase fails; nothing is left running then
     */
    public static StockReader at(
            Lsn at, StockComputeConfig config, PostgresBinaries binaries, ServerUser user, StartListener listener)
            throws IOException, InterruptedException {
        return start(new DirectoryBuild(config, binaries, user, listener), config, (build, storage) -> {
            Stopwatch watch = new Stopwatch(listener);
            PgClientConfig pageserver = StoragePosition.pageserver(config.pageserver());
            storage.lease = LsnLease.take(storage.loop(), pageserver, config.timeline(), at);
            watch.finished(StartPhase.LEASE, "until " + storage.lease.validUntil() + ", and renewed");
            long bytes =
                    build.fetch(storage.loop(), new DirectoryRequest(config.timeline(), at, false), StandbyMark::put);
            watch.finished(StartPhase.BUILD, (bytes >> 20) + " MB at " + at);
            PostgresServer postgres = build.boot(settings(config, Map.of("primary_conninfo", "")));
            watch.finished(StartPhase.BOOT, "port " + postgres.port());
            return new StockReader(at, postgres, storage);
        });
    }

    /**
     * Starts a replica and waits until it can be read, and shows all that was committed when it was asked for.
     *
     * @throws IOException as {@link #at}; also when the timeline has no checkpoint in its own WAL yet
     */
    public static StockReader replica(
            StockComputeConfig config, PostgresBinaries binaries, ServerUser user, StartListener listener)
            throws IOException, InterruptedException {
        return start(new DirectoryBuild(config, binaries, user, listener), config, (build, storage) -> {
            Stopwatch watch = new Stopwatch(listener);
            StreamSources sources = new StreamSources(storage.loop(), config);
            Lsn at;
            try (StoragePosition position = new StoragePosition(config)) {
                position.awaitIngested(sources.committedByNow());
                at = position.ingested().lastRecordLsn();
            }
            watch.finished(StartPhase.INGEST, "the pageserver is at " + at);
            long bytes =
                    build.fetch(storage.loop(), new DirectoryRequest(config.timeline(), at, true), StandbyMark::put);
            Lsn redo = StreamSources.redo(config.dataDir());
            List<StreamSources.Source> having = sources.having(redo);
            watch.finished(StartPhase.BUILD, (bytes >> 20) + " MB at " + at + ", WAL from " + redo);
            Map<String, String> settings = new HashMap<>();
            settings.put("primary_conninfo", sources.conninfo(having));
            FOLLOWING.forEach(settings::put);
            PostgresServer postgres = build.boot(settings(config, settings));
            watch.finished(StartPhase.BOOT, "port " + postgres.port());
            StockReader replica = new StockReader(at, postgres, storage);
            storage.feed = FeedWatch.start(storage.loop(), sources, replica.postgres, config.user());
            return replica;
        });
    }

    private interface Start {
        StockReader run(DirectoryBuild build, Storage storage) throws IOException, InterruptedException;
    }

    private static StockReader start(DirectoryBuild build, StockComputeConfig config, Start start)
            throws IOException, InterruptedException {
        build.removeLast();
        Storage storage = new Storage();
        StockReader reader = null;
        try {
            reader = start.run(build, storage);
            StandbyMark.forbidPromotion(config.dataDir());
            reader.watch();
            return reader;
        } catch (IOException | InterruptedException | RuntimeException e) {
            if (reader != null) {
                reader.postgres.killOrLog();
            }
            storage.close();
            throw e;
        }
    }

    /** The limits of the server that wrote, then what the user wants, then what makes it a standby of this kind. */
    private static Map<String, String> settings(StockComputeConfig config, Map<String, String> ours)
            throws IOException {
        Map<String, String> settings = ServerLimits.read(config.dataDir());
        FEEDBACK.forEach(settings::putIfAbsent);
        settings.putAll(config.settings());
        settings.put("hot_standby", "on");
        settings.put("synchronous_standby_names", "");
        settings.putAll(ours);
        return settings;
    }

    /** Notices when it ends by itself, or is promoted. */
    private void watch() {
        Thread.ofVirtual().name("reader-watch").start(() -> {
            try {
                while (!stopping) {
                    boolean runs = postgres.isRunning();
                    boolean promoted = StandbyMark.isGone(postgres.server().dataDir());
                    // Asked last: who stops it may remove its directory next, and then nothing above is true any more.
                    notice(stopping, runs, promoted).ifPresent(this::end);
                    TimeUnit.NANOSECONDS.sleep(WATCH.toNanos());
                }
            } catch (IOException e) {
                log.error("cannot tell whether PostgreSQL runs", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    /** What a look at it says; empty: it goes on, or is being stopped, whatever else there is to see. */
    static Optional<Ending> notice(boolean stopping, boolean runs, boolean promoted) {
        if (stopping || (runs && !promoted)) {
            return Optional.empty();
        }
        return Optional.of(promoted ? Ending.PROMOTED : Ending.POSTGRES_ENDED);
    }

    private void end(Ending ending) {
        log.error(
                "{}; its log is {}",
                ending == Ending.PROMOTED ? PROMOTED : "PostgreSQL has ended by itself",
                postgres.server().logFile());
        stopping = true;
        postgres.killOrLog();
        storage.close();
        finished.complete(ending);
    }

    @Override
    public Lsn startLsn() {
        return startLsn;
    }

    /** Until when the pageserver has promised to keep the LSN; moves on as long as this runs. Empty for a replica. */
    public Optional<Instant> leasedUntil() {
        return Optional.ofNullable(storage.lease).map(LsnLease::validUntil);
    }

    @Override
    public PostgresServer postgres() {
        return postgres.server();
    }

    @Override
    public CompletableFuture<Ending> finished() {
        return finished.copy();
    }

    @Override
    public String problem() {
        return finished.getNow(Ending.STOPPED) == Ending.PROMOTED ? PROMOTED : "";
    }

    @Override
    public void kill() throws IOException {
        stopping = true;
        postgres.killAndThen(this::stopped);
    }

    @Override
    public void close() throws IOException {
        stopping = true;
        postgres.stopAndThen(this::stopped);
    }

    private void stopped() {
        storage.close();
        finished.complete(Ending.STOPPED);
    }
}
