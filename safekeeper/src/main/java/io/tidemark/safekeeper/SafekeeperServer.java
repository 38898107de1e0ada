package io.tidemark.safekeeper;

import io.tidemark.runtime.auth.Gate;
import io.tidemark.runtime.auth.Scope;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DiskLockedException;
import io.tidemark.runtime.durable.RealDisk;
import io.tidemark.runtime.http.HttpEdge;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.runtime.net.TcpEdge;
import io.tidemark.runtime.owner.OwnerThreads;
import io.tidemark.runtime.time.TimeSource;
import io.tidemark.safekeeper.http.SafekeeperApi;
import io.tidemark.safekeeper.metrics.MeteredDisk;
import io.tidemark.safekeeper.metrics.SafekeeperMetrics;
import io.tidemark.safekeeper.server.EdgeContext;
import io.tidemark.safekeeper.server.PgEdge;
import io.tidemark.safekeeper.timeline.Connections;
import io.tidemark.safekeeper.timeline.TimelineMetrics;
import io.tidemark.safekeeper.timeline.TimelineRegistry;
import io.tidemark.wire.id.NodeId;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running safekeeper: made by {@link #start}, until {@link #close}. */
public final class SafekeeperServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SafekeeperServer.class);

    /** How many timelines can wait for the disk at the same time. */
    private static final int OWNER_THREADS = 32;

    /** How many connections have an event loop to themselves. */
    private static final int OWN_LOOPS = 32;

    private final Closeable lock;
    private final NodeId nodeId;
    private final OwnerThreads ownerThreads;
    private final TimelineRegistry registry;
    private final EventLoops eventLoops;
    private final TcpEdge pgEdge;
    private final HttpEdge httpEdge;
    private final AtomicBoolean ready;

    private SafekeeperServer(
            Closeable lock,
            NodeId nodeId,
            OwnerThreads ownerThreads,
            TimelineRegistry registry,
            EventLoops eventLoops,
            TcpEdge pgEdge,
            HttpEdge httpEdge,
            AtomicBoolean ready) {
        this.lock = lock;
        this.nodeId = nodeId;
        this.ownerThreads = ownerThreads;
        this.registry = registry;
        this.eventLoops = eventLoops;
        this.pgEdge = pgEdge;
        this.httpEdge = httpEdge;
        this.ready = ready;
    }

    /**
     * Loads all timelines and starts to listen.
     *
     * @throws IOException with a sentence for the operator: the directory is locked, belongs to another id, can't be read; an address is
     *     taken
     */
    public static SafekeeperServer start(SafekeeperConfig config) throws IOException {
        Files.createDirectories(config.dataDir());
        Disk realDisk = new RealDisk(config.dataDir());
        SafekeeperMetrics metrics = new SafekeeperMetrics();
        Disk disk = new MeteredDisk(config.sync() ? realDisk : new UnsyncedDisk(realDisk), metrics);
        Closeable lock = lock(disk, config.dataDir());
        Startup startup = new Startup(lock);
        try {
            NodeId id = SafekeeperId.settle(disk, config.nodeId());
            OwnerThreads ownerThreads = startup.closing(new OwnerThreads("timeline", OWNER_THREADS));
            TimelineRegistry registry = startup.closing(TimelineRegistry.open(
                    disk, id, ownerThreads, metrics, TimeSource.system(), config.controlFileSaveInterval()));
            TimelineMetrics.register(registry, metrics);
            Gate gate = gate(config, metrics);
            Connections connections = new Connections();
            Map<String, String> settings = config.settings();
            settings.put("id", id.toString());
            AtomicBoolean ready = new AtomicBoolean();
            EventLoops eventLoops = startup.closing(EventLoops.withOwnLoops("edge", OWN_LOOPS));
            TcpEdge pgEdge = startup.closing(PgEdge.bind(
                    config.listenPg().toSocketAddress(),
                    config.idleTimeout(),
                    new EdgeContext(eventLoops, registry, connections, settings, metrics, gate)));
            HttpEdge httpEdge = startup.closing(HttpEdge.bind(
                    eventLoops.group(),
                    eventLoops.serverChannel(),
                    config.listenHttp().toSocketAddress(),
                    new SafekeeperApi(registry, connections, settings, disk, metrics, ready::get, gate).router(),
                    metrics));
            ready.set(true);
            LOG.info(
                    "safekeeper {} listens on {} (PostgreSQL protocol) and {} (HTTP), {} timelines in {}",
                    id,
                    pgEdge.address(),
                    httpEdge.address(),
                    registry.count(),
                    config.dataDir());
            return new SafekeeperServer(lock, id, ownerThreads, registry, eventLoops, pgEdge, httpEdge, ready);
        } catch (IOException | RuntimeException e) {
            startup.undo();
            throw e;
        }
    }

    private static Gate gate(SafekeeperConfig config, SafekeeperMetrics metrics) throws IOException {
        if (config.authPublicKey().isEmpty()) {
            LOG.warn(
                    "authentication is off: whoever reaches the ports may do everything (--auth-public-key turns it on)");
            return Gate.open();
        }
        return Gate.of(config.authPublicKey().get(), Scope.SAFEKEEPERDATA, TimeSource.system(), metrics::refused);
    }

    private static Closeable lock(Disk disk, Path dataDir) throws IOException {
        try {
            return disk.lock(Path.of("safekeeper.lock"));
        } catch (DiskLockedException e) {
            throw new IOException(
                    "another safekeeper is running on the data directory " + dataDir + ": stop it, or choose another",
                    e);
        }
    }

    public NodeId nodeId() {
        return nodeId;
    }

    /** Where the PostgreSQL protocol is spoken. */
    public InetSocketAddress pgAddress() {
        return pgEdge.address();
    }

    public InetSocketAddress httpAddress() {
        return httpEdge.address();
    }

    /**
     * Goes down in order: accepts nobody, makes durable what has arrived, saves the LSNs, closes. Nothing that was acknowledged
     * depends on it.
     */
    @Override
    public void close() {
        ready.set(false);
        pgEdge.stopAccepting();
        registry.close();
        pgEdge.close();
        httpEdge.close();
        eventLoops.close();
        ownerThreads.close();
        try {
            lock.close();
        } catch (IOException e) {
            LOG.warn("giving the data directory back: {}", e.toString());
        }
        LOG.info("safekeeper {} is down", nodeId);
    }
}
