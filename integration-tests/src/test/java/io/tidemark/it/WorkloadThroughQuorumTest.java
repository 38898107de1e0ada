package io.tidemark.it;

import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.workload.VariedWorkload;
import java.sql.Connection;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The varied workload, committed through the quorum, on every major version: the WAL of each safekeeper is then the server's
 * {@code pg_wal}, byte for byte, from where the timeline begins to commit_lsn.
 */
class WorkloadThroughQuorumTest {
    private static final int ROWS = 500;

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void everySafekeeperHasTheServersWal(int major) throws Exception {
        ClusterOptions options =
                ClusterOptions.defaults().withPgMajor(major).withPostgresSettings(VariedWorkload.SETTINGS);
        try (ClusterOfProcesses cluster = ClusterOfProcesses.create("workload-" + major, options)) {
            cluster.processes().start();
            try (Connection first = cluster.sql().connect();
                    Connection second = cluster.sql().connect()) {
                new VariedWorkload(first, second, ROWS).run();
            }
            cluster.requireWalEqualEverywhere();
        }
    }
}
