package io.tidemark.pageserver;

import io.tidemark.pageserver.http.PageserverApi;
import io.tidemark.pageserver.http.TimelineCreation;
import io.tidemark.pageserver.metrics.PageserverMetrics;
import io.tidemark.pageserver.receiver.Connections;
import io.tidemark.pageserver.server.EdgeContext;
import io.tidemark.pageserver.server.PageEdge;
import io.tidemark.pageserver.timeline.BaseDataImports;
import io.tidemark.pageserver.timeline.StorageTuning;
import io.tidemark.pageserver.timeline.TimelineBranches;
import io.tidemark.pageserver.timeline.TimelineMaintenance;
import io.tidemark.pageserver.timeline.TimelineRegistry;
import io.tidemark.runtime.auth.Gate;
import io.tidemark.runtime.auth.Scope;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DiskLockedException;
import io.tidemark.runtime.durable.RealDisk;
import io.tidemark.runtime.http.HttpEdge;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.runtime.net.TcpEdge;
import io.tidemark.runtime.time.TimeSource;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running pageserver: made by {@link #start}, until {@link #close}. */
public final class PageserverServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PageserverServer.class);

    /** What was opened, the last first: the order of closing. */
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    private final AtomicBoolean ready = new AtomicBoolean();
    private final TimelineRegistry timelines;
    private final BaseDataImports imports;
    private final TimelineBranches branches;
    private final PageserverMetrics metrics = new PageserverMetrics();
    private final TcpEdge pageEdge;
    private final HttpEdge httpEdge;

    /**
     * Opens all timelines and starts to listen.
     *
     * @throws IOException with a sentence for the operator: the directory is locked, can't be read; an address is taken
     */
    public static PageserverServer start(PageserverConfig config) throws IOException {
        return start(config, StorageTuning.DEFAULT);
    }

    /** With layers of other sizes than usual. */
    public static PageserverServer start(PageserverConfig config, StorageTuning tuning) throws IOException {
        return new PageserverServer(config, tuning);
    }

    private PageserverServer(PageserverConfig config, StorageTuning tuning) throws IOException {
        boolean started = false;
        try {
            Files.createDirectories(config.dataDir());
            Disk disk = new RealDisk(config.dataDir());
            closing(lock(disk, config.dataDir()));
            EventLoops loops = closing(new EventLoops("page"));
            WalReceivers receivers =
                    new WalReceivers(config.safekeepers(), config.auth().safekeeperToken(), loops, metrics);
            timelines = closing(TimelineRegistry.open(disk, tuning, config.pageCacheBytes(), receivers, metrics));
            imports = new BaseDataImports(timelines, new Connections(loops));
            branches = new TimelineBranches(timelines);
            TimelineMaintenance maintenance =
                    new TimelineMaintenance(timelines, config.retention(), TimeSource.system());
            collectGarbageEvery(config, maintenance);
            Map<String, String> settings = config.settings();
            Gate gate = gate(config.auth());
            pageEdge = closing(PageEdge.bind(
                    loops,
                    config.listenPg().toSocketAddress(),
                    new EdgeContext(timelines, maintenance, metrics, settings, config.waitLsnTimeout(), gate)));
            PageserverApi api = new PageserverApi(
                    config.id(),
                    timelines,
                    PageserverApi.timelineRoutes(
                            timelines, new TimelineCreation(imports, branches, config.waitLsnTimeout()), maintenance),
                    settings,
                    metrics,
                    ready::get,
                    gate);
            httpEdge = closing(HttpEdge.bind(
                    loops.group(),
                    loops.serverChannel(),
                    config.listenHttp().toSocketAddress(),
                    api.router(),
                    metrics));
            ready.set(true);
            started = true;
            LOG.info(
                    "pageserver listens on {} (page service) and {} (HTTP), {} timelines in {}",
                    pageEdge.address(),
                    httpEdge.address(),
                    timelines.all().size(),
                    config.dataDir());
        } finally {
            if (!started) {
                closeAll();
            }
        }
    }

    private Gate gate(PageserverAuth auth) throws IOException {
        if (auth.publicKey().isEmpty()) {
            LOG.warn(
                    "authentication is off: whoever reaches the ports may do everything (--auth-public-key turns it on)");
            return Gate.open();
        }
        return Gate.of(auth.publicKey().get(), Scope.PAGESERVERAPI, TimeSource.system(), metrics::refused);
    }

    private void collectGarbageEvery(PageserverConfig config, TimelineMaintenance maintenance) {
        if (config.gcPeriod().isZero()) {
            return;
        }
        ScheduledExecutorService gc = closing(Executors.newSingleThreadScheduledExecutor(
                task -> Thread.ofPlatform().daemon().name("gc-cutoff").unstarted(task)));
        long seconds = config.gcPeriod().toSeconds();
        var _ = gc.scheduleWithFixedDelay(
                () -> {
                    try {
                        maintenance.moveCutoffs();
                    } catch (RuntimeException e) {
                        LOG.error("moving the gc cutoffs failed; trying again in {} s", seconds, e);
                    }
                },
                seconds,
                seconds,
                TimeUnit.SECONDS);
    }

    private <T extends AutoCloseable> T closing(T resource) {
        opened.push(resource);
        return resource;
    }

    private static Closeable lock(Disk disk, Path dataDir) throws IOException {
        try {
            return disk.lock(Path.of("pageserver.lock"));
        } catch (DiskLockedException e) {
            throw new IOException(
                    "another pageserver is running on the data directory " + dataDir + ": stop it, or choose another",
                    e);
        }
    }

    /** Where the page service is. */
    public InetSocketAddress pgAddress() {
        return pageEdge.address();
    }

    public InetSocketAddress httpAddress() {
        return httpEdge.address();
    }

    public TimelineRegistry timelines() {
        return timelines;
    }

    /** Makes timelines from clusters that exist. */
    public BaseDataImports imports() {
        return imports;
    }

    /** Makes timelines that begin where others were. */
    public TimelineBranches branches() {
        return branches;
    }

    public PageserverMetrics metrics() {
        return metrics;
    }

    /** Goes down: accepts nobody, stops ingesting, closes. What is not in a layer file is streamed again after the next start. */
    @Override
    public void close() {
        ready.set(false);
        pageEdge.stopAccepting();
        closeAll();
        LOG.info("the pageserver is down");
    }

    private void closeAll() {
        while (!opened.isEmpty()) {
            try {
                opened.pop().close();
            } catch (Exception e) {
                LOG.warn("closing: {}", e.toString());
            }
        }
    }
}
