package io.tidemark.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterDirectory;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.PostgresProbe;
import io.tidemark.cli.cluster.ProcessCluster;
import io.tidemark.cli.cluster.SafekeeperProbe.TimelineStatus;
import io.tidemark.cli.cluster.WalEquality;
import io.tidemark.it.workload.VariedWorkload;
import io.tidemark.wire.id.Lsn;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A stock PostgreSQL of every supported major runs the varied workload with each COMMIT waiting for three safekeeper processes;
 * then what every safekeeper has equals the server's pg_wal byte for byte.
 */
class QuorumWalTest {
    private static final Duration LEVEL = Duration.ofSeconds(60);
    private static final int ROWS = 2_000;

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void everySafekeeperHasTheServersWalByteForByte(int pgMajor) throws Exception {
        Path root = Files.createTempDirectory("tidemark-quorum-" + pgMajor);
        Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxr-xr-x"));
        Map<String, String> settings = new HashMap<>(VariedWorkload.SETTINGS);
        settings.put("wal_keep_size", "4GB");
        ClusterOptions options = ClusterOptions.defaults().withPgMajor(pgMajor).withPostgresSettings(settings);
        ProcessCluster cluster = new ProcessCluster(ClusterDirectory.openOrCreate(root.resolve("cluster"), options));
        try {
            cluster.start();
            PostgresProbe postgres = new PostgresProbe(cluster.postgres());
            try (Connection first = postgres.connect();
                    Connection second = postgres.connect()) {
                new VariedWorkload(first, second, ROWS).run();
            }
            Lsn flushed = postgres.flushLsn();
            int segmentSize = Integer.parseInt(
                    postgres.require("SELECT setting FROM pg_settings WHERE name = 'wal_segment_size'"));
            for (SafekeeperPlace place : cluster.directory().config().safekeepers()) {
                TimelineStatus status = await().atMost(LEVEL)
                        .until(
                                () -> cluster.probe(place.id())
                                        .timeline(cluster.directory().config().timeline())
                                        .orElseThrow(),
                                s -> s.commitLsn().isAtLeast(flushed));
                long compared = new WalEquality(
                                cluster.directory().postgresWal(),
                                cluster.directory().safekeeperWal(place.id()),
                                segmentSize)
                        .requireEqual(status.timelineStartLsn(), status.commitLsn());
                assertThat(compared).isEqualTo(status.commitLsn().minus(status.timelineStartLsn()));
                assertThat(compared).as("WAL of the workload, in bytes").isGreaterThan(4 << 20);
            }
        } finally {
            cluster.stop();
        }
    }
}
