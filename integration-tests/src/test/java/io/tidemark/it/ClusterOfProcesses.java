package io.tidemark.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterDirectory;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.cli.cluster.ProcessCluster;
import io.tidemark.cli.cluster.SafekeeperProbe;
import io.tidemark.cli.cluster.WalEquality;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A local cluster of separate processes in a scratch directory, with what a test wants to ask it. When it is closed everything is
 * stopped and deleted; its logs go to {@code target/clusters/<name>}.
 */
final class ClusterOfProcesses implements AutoCloseable {
    private static final Duration LEVEL_DEADLINE = Duration.ofSeconds(90);
    private static final Path KEPT_LOGS = Path.of("target", "clusters");

    private final String name;
    private final Path scratch;
    private final ProcessCluster processes;
    private final PostgresProbe sql;

    private ClusterOfProcesses(String name, Path scratch, ProcessCluster processes) {
        this.name = name;
        this.scratch = scratch;
        this.processes = processes;
        this.sql = new PostgresProbe(processes.postgres());
    }

    /** Makes a cluster; nothing runs yet. */
    static ClusterOfProcesses create(String name, ClusterOptions options) throws Exception {
        Path scratch = ServerUser.current().scratchDirectory("tidemark-it-" + name + "-");
        return new ClusterOfProcesses(
                name,
                scratch,
                new ProcessCluster(ClusterDirectory.openOrCreate(scratch.resolve("cluster"), options.withAnyPorts())));
    }

    ProcessCluster processes() {
        return processes;
    }

    ClusterDirectory directory() {
        return processes.directory();
    }

    PostgresProbe sql() {
        return sql;
    }

    /** A directory that PostgreSQL can reach, gone with the cluster. */
    Path scratch() {
        return scratch;
    }

    void execute(String statement) throws SQLException {
        try (Connection connection = sql.connect();
                var jdbc = connection.createStatement()) {
            jdbc.execute(statement);
        }
    }

    SafekeeperProbe.TimelineStatus timeline(long safekeeper) throws IOException {
        return processes
                .probe(safekeeper)
                .timeline(directory().config().timeline())
                .orElseThrow(() -> new IOException("safekeeper " + safekeeper + " does not have the timeline"));
    }

    /** Waits until a safekeeper knows that everything up to {@code target} is committed. */
    SafekeeperProbe.TimelineStatus awaitCommit(long safekeeper, Lsn target) {
        return await("commit_lsn of safekeeper " + safekeeper + " reaches " + target)
                .atMost(LEVEL_DEADLINE)
                .ignoreExceptions()
                .until(() -> timeline(safekeeper), status -> status.commitLsn().isAtLeast(target));
    }

    /** Every safekeeper gets all that PostgreSQL has flushed now, and its WAL is PostgreSQL's, byte for byte. */
    void requireWalEqualEverywhere() throws Exception {
        Lsn target = sql.flushLsn();
        for (SafekeeperPlace place : directory().config().safekeepers()) {
            requireWalEqual(place.id(), awaitCommit(place.id(), target));
        }
    }

    /** The WAL of a safekeeper is PostgreSQL's, byte for byte, from where the timeline begins to its commit_lsn. */
    long requireWalEqual(long safekeeper, SafekeeperProbe.TimelineStatus status) throws Exception {
        int segmentSizeBytes =
                Integer.parseInt(sql.require("SELECT setting FROM pg_settings WHERE name = 'wal_segment_size'"));
        assertThat(status.commitLsn()).isGreaterThan(status.timelineStartLsn());
        return new WalEquality(directory().postgresWal(), directory().safekeeperWal(safekeeper), segmentSizeBytes)
                .requireEqual(status.timelineStartLsn(), status.commitLsn());
    }

    /** Copies the data directory of the PostgreSQL that has been shut down. */
    Path copyPostgres(String copyName) throws IOException {
        Path from = directory().layout().postgresDir();
        Path to = scratch.resolve(copyName);
        try (Stream<Path> paths = Files.walk(from)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                Files.copy(path, to.resolve(from.relativize(path)), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
        return to;
    }

    /**
     * Starts a stock PostgreSQL standby on a copy of the data directory, fed by one safekeeper alone, and waits until it has replayed
     * everything up to {@code target}.
     */
    PostgresServer standby(Path dataDir, long safekeeper, Lsn target) throws Exception {
        ServerUser user = ServerUser.current();
        PostgresServer standby = PostgresServer.adopt(processes.postgres().binaries(), user, dataDir);
        standby.configure(Map.of(
                "primary_conninfo", standbyConninfo(safekeeper),
                "synchronous_standby_names", "",
                "hot_standby", "on",
                "wal_retrieve_retry_interval", "200ms"));
        Path signal = dataDir.resolve("standby.signal");
        Files.writeString(signal, "");
        user.own(signal);
        try {
            standby.start();
            PostgresProbe probe = new PostgresProbe(standby);
            await("the standby of safekeeper " + safekeeper + " replays up to " + target)
                    .atMost(LEVEL_DEADLINE)
                    .until(
                            () -> Lsn.parse(probe.require("SELECT coalesce(pg_last_wal_replay_lsn(), '0/0')::text")),
                            replayed -> replayed.isAtLeast(target));
            return standby;
        } catch (Exception | AssertionError e) {
            standby.close();
            throw e;
        }
    }

    private String standbyConninfo(long safekeeper) {
        SafekeeperPlace place = directory().config().safekeepers().get((int) safekeeper - 1);
        return "host=127.0.0.1 port=" + place.pgPort() + " user=standby application_name=replica sslmode=disable"
                + " options='-c timeline_id=" + directory().config().timelineId() + " tenant_id="
                + directory().config().tenantId() + "'";
    }

    @Override
    public void close() throws Exception {
        try {
            processes.stop();
        } finally {
            keepLogs();
            deleteTree(scratch);
        }
    }

    private void keepLogs() throws IOException {
        Path kept = KEPT_LOGS.resolve(name);
        Files.createDirectories(kept);
        try (Stream<Path> paths = Files.walk(scratch, 3)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                if (path.toString().endsWith(".log")) {
                    Files.copy(path, kept.resolve(path.getFileName()), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }

    private static void deleteTree(Path directory) throws IOException {
        try (Stream<Path> paths = Files.walk(directory)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
