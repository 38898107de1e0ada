package io.tidemark.shim.stock;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.tidemark.shim.libpq.Sockets;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run of a stock PostgreSQL that only reads: a timeline as it was at an LSN, beside whoever writes it. Over when {@link #finished}
 * completes.
 *
 * <p>It is a hot standby without anything to follow: it finds a shut down cluster whose checkpoint is at the LSN, is consistent there
 * at once, and waits for WAL that does not come. Refusing writes is PostgreSQL's own business then. It has all its data, and asks storage
 * for nothing; the lease is kept so that it can be built again at the same LSN.
 */
public final class StockReader implements StockRun {
    private static final Logger log = LoggerFactory.getLogger(StockReader.class);
    private static final Duration WATCH = Duration.ofMillis(100);
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

    /** What is held of storage as long as it runs: a thread to ask on, and the lease. */
    private static final class Storage implements AutoCloseable {
        private final EventLoopGroup group =
                new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("reader"), Sockets.ioHandlerFactory());
        private final LsnLease lease;

        Storage(StockComputeConfig config, Lsn at) throws IOException, InterruptedException {
            PgClientConfig pageserver = StoragePosition.pageserver(config.pageserver());
            boolean done = false;
            try {
                lease = LsnLease.take(group.next(), pageserver, config.timeline(), at);
                done = true;
            } finally {
                if (!done) {
                    shutDown();
                }
            }
        }

        private void shutDown() {
            group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
        }

        @Override
        public void close() {
            lease.close();
            shutDown();
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
        Stopwatch watch = new Stopwatch(listener);
        DirectoryBuild build = new DirectoryBuild(config, binaries, user, listener);
        build.removeLast();
        Storage storage = new Storage(config, at);
        boolean done = false;
        try {
            watch.finished(StartPhase.LEASE, "until " + storage.lease.validUntil() + ", and renewed");
            long bytes = build.fetch(storage.group.next(), at, StandbyMark::put);
            watch.finished(StartPhase.BUILD, (bytes >> 20) + " MB at " + at);
            Map<String, String> settings = ServerLimits.read(config.dataDir());
            settings.putAll(config.settings());
            settings.put("hot_standby", "on");
            settings.put("primary_conninfo", "");
            settings.put("synchronous_standby_names", "");
            PostgresServer postgres = build.boot(settings);
            StandbyMark.forbidPromotion(config.dataDir());
            watch.finished(StartPhase.BOOT, "port " + postgres.port());
            StockReader reader = new StockReader(at, postgres, storage);
            reader.watch();
            done = true;
            return reader;
        } finally {
            if (!done) {
                storage.close();
            }
        }
    }

    /** Notices when it ends by itself, or is promoted. */
    private void watch() {
        Thread.ofVirtual().name("reader-watch").start(() -> {
            try {
                while (!stopping) {
                    boolean runs = postgres.isRunning();
                    if (StandbyMark.isGone(postgres.server().dataDir())) {
                        log.error("{}", PROMOTED);
                        end(Ending.PROMOTED);
                    } else if (!runs && !stopping) {
                        log.error(
                                "PostgreSQL has ended by itself; its log is {}",
                                postgres.server().logFile());
                        end(Ending.POSTGRES_ENDED);
                    }
                    TimeUnit.NANOSECONDS.sleep(WATCH.toNanos());
                }
            } catch (IOException e) {
                log.error("cannot tell whether PostgreSQL runs", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private void end(Ending ending) {
        stopping = true;
        postgres.killOrLog();
        storage.close();
        finished.complete(ending);
    }

    @Override
    public Lsn startLsn() {
        return startLsn;
    }

    /** Until when the pageserver has promised to keep the LSN; moves on as long as this runs. */
    public Instant leasedUntil() {
        return storage.lease.validUntil();
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
        try {
            postgres.kill();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            storage.close();
            finished.complete(Ending.STOPPED);
        }
    }

    @Override
    public void close() throws IOException {
        stopping = true;
        try {
            postgres.stop();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            storage.close();
            finished.complete(Ending.STOPPED);
        }
    }
}
