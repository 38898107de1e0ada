package io.tidemark.it.pageserver;

import io.tidemark.cli.cluster.ClusterDirectory;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.EmbeddedCluster;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** A PostgreSQL that commits through three safekeepers, in a scratch directory that goes with it; for pageservers to stream from. */
final class ServedCluster implements AutoCloseable {
    private static final Duration STOP_DEADLINE = Duration.ofMinutes(1);

    private final Path scratch;
    private final EmbeddedCluster running;

    private ServedCluster(Path scratch, EmbeddedCluster running) {
        this.scratch = scratch;
        this.running = running;
    }

    /** Starts it, then shuts PostgreSQL down in order: what the quorum and its files agree on is where a pageserver can begin. */
    static ServedCluster startAndStopPostgres(int major, Map<String, String> settings) throws Exception {
        Path scratch = ServerUser.current().scratchDirectory("tidemark-served-");
        ClusterDirectory directory = ClusterDirectory.openOrCreate(
                scratch.resolve("cluster"),
                new ClusterOptions(Optional.of(major), Optional.empty(), 0, 3, settings, false));
        ServedCluster cluster = new ServedCluster(scratch, EmbeddedCluster.start(directory));
        cluster.stopPostgres();
        return cluster;
    }

    /** Gone with the cluster. */
    Path scratch() {
        return scratch;
    }

    PostgresServer postgres() {
        return running.directory().postgres();
    }

    TenantTimelineId timelineId() {
        return running.directory().config().timeline();
    }

    List<HostPort> safekeepers() {
        return Arrays.stream(running.directory().config().safekeeperList().split(",", -1))
                .map(HostPort::parse)
                .toList();
    }

    void stopPostgres() throws Exception {
        postgres().stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
    }

    Connection connect() throws SQLException {
        return DriverManager.getConnection(postgres().jdbcUrl("postgres"), "postgres", "");
    }

    /** Up to where PostgreSQL, which runs, has flushed its WAL. */
    Lsn flushLsn() throws SQLException {
        return new PostgresProbe(postgres()).flushLsn();
    }

    /** What the quorum has committed. */
    Lsn commitLsn() {
        return running.status().commitLsn();
    }

    @Override
    public void close() throws Exception {
        try {
            running.close();
        } finally {
            try (Stream<Path> paths = Files.walk(scratch)) {
                paths.sorted(Comparator.reverseOrder())
                        .forEach(path -> path.toFile().delete());
            }
        }
    }
}
