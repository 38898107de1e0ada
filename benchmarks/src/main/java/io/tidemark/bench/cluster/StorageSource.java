package io.tidemark.bench.cluster;

import io.tidemark.bench.wal.WalSample;
import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterDirectory;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.cli.cluster.ProcessCluster;
import io.tidemark.cli.cluster.SafekeeperProbe.TimelineStatus;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** A PostgreSQL 15 and one safekeeper that has all of its WAL, as separate processes: what pageservers and standbys are fed from. */
public final class StorageSource implements AutoCloseable {
    private static final long SAFEKEEPER_ID = 1;
    private static final Duration STOP_DEADLINE = Duration.ofMinutes(5);
    private static final Duration LEVEL_DEADLINE = Duration.ofMinutes(10);
    private static final Duration POLL = Duration.ofMillis(50);

    /** Nothing here has to survive a crash; pages come from records, as for a compute of ours. */
    private static final Map<String, String> SETTINGS = Map.of(
            "fsync", "off",
            "synchronous_commit", "off",
            "full_page_writes", "off",
            "autovacuum", "off",
            "shared_buffers", "512MB",
            "wal_keep_size", "64GB",
            "max_wal_size", "64GB",
            "checkpoint_timeout", "1h");

    private final ProcessCluster cluster;

    private StorageSource(ProcessCluster cluster) {
        this.cluster = cluster;
    }

    /**
     * Starts everything.
     *
     * @param further settings of PostgreSQL
     */
    public static StorageSource start(Path directory, Map<String, String> further)
            throws IOException, InterruptedException {
        Map<String, String> settings = new LinkedHashMap<>(SETTINGS);
        settings.putAll(further);
        ProcessCluster cluster = new ProcessCluster(ClusterDirectory.openOrCreate(
                directory,
                new ClusterOptions(Optional.of(WalSample.PG_MAJOR), Optional.empty(), 0, 1, settings, false)));
        cluster.start();
        return new StorageSource(cluster);
    }

    public PostgresServer postgres() {
        return cluster.postgres();
    }

    public TenantTimelineId timelineId() {
        return cluster.directory().config().timeline();
    }

    private SafekeeperPlace place() {
        return cluster.directory().config().safekeepers().getFirst();
    }

    /** For {@code tidemark pageserver}. */
    public String safekeepers() {
        return place().pgAddress();
    }

    /** For a standby's {@code primary_conninfo}. */
    public String conninfo() {
        return "host=127.0.0.1 port=" + place().pgPort() + " user=standby application_name=replica sslmode=disable"
                + " options='-c timeline_id=" + timelineId().timelineId() + " tenant_id="
                + timelineId().tenantId() + "'";
    }

    public void stopPostgres() throws IOException, InterruptedException {
        postgres().stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
    }

    /** Starts PostgreSQL again, and waits until its WAL goes out. */
    public void startPostgres() throws IOException, InterruptedException {
        postgres().start();
        cluster.awaitStreaming();
    }

    /** Where the WAL of the running PostgreSQL ends now; waits until the safekeeper knows that all of it is committed. */
    public Lsn awaitLevel() throws IOException, InterruptedException, SQLException {
        Lsn end = new PostgresProbe(postgres()).flushLsn();
        long deadline = System.nanoTime() + LEVEL_DEADLINE.toNanos();
        while (true) {
            Optional<TimelineStatus> status = cluster.probe(SAFEKEEPER_ID).timeline(timelineId());
            if (status.isPresent() && status.get().commitLsn().isAtLeast(end)) {
                return end;
            }
            if (System.nanoTime() > deadline) {
                throw new IOException("the safekeeper does not reach " + end + ": " + status);
            }
            Thread.sleep(POLL);
        }
    }

    /** Copies a data directory of a server that does not run, with its owner. */
    public static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> paths = Files.walk(from)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                Files.copy(path, to.resolve(from.relativize(path)), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    @Override
    public void close() throws IOException {
        try {
            cluster.stop();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
