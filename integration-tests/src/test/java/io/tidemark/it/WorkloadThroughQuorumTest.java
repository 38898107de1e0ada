package io.tidemark.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.cli.cluster.ClusterConfig;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.wal.WalCommand;
import io.tidemark.cli.workload.VariedWorkload;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import tools.jackson.databind.json.JsonMapper;

/**
 * The varied workload, committed through the quorum, on every major version: the WAL of each safekeeper is then the server's
 * {@code pg_wal}, byte for byte, from where the timeline begins to commit_lsn, and {@code tidemark wal dump} prints the same of both.
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
            aDumpOfASafekeeperIsTheDumpOfTheServersFiles(cluster);
        }
    }

    private static void aDumpOfASafekeeperIsTheDumpOfTheServersFiles(ClusterOfProcesses cluster) throws Exception {
        ClusterConfig config = cluster.directory().config();
        var status = cluster.timeline(2);
        String start = status.timelineStartLsn().toString();
        String end = status.commitLsn().toString();
        List<String> remote = List.of(
                "--safekeeper=" + config.safekeepers().get(1).pgAddress(),
                "--tenant-id=" + config.tenantId(),
                "--timeline-id=" + config.timelineId());

        Dump ofServer = Dump.of(
                List.of(cluster.directory().postgresWal().toString()), "--start", start, "--end", end, "--json");
        Dump ofSafekeeper = Dump.of(remote, "--end", end, "--json");
        assertThat(ofServer.code()).as(ofServer.err()).isZero();
        assertThat(ofSafekeeper.code()).as(ofSafekeeper.err()).isZero();
        assertThat(ofSafekeeper.lines()).hasSizeGreaterThan(1000).isEqualTo(ofServer.lines());

        // A range that begins in the middle, and what is not committed yet.
        List<String> latter = ofServer.lines()
                .subList(ofServer.lines().size() / 2, ofServer.lines().size());
        String middle =
                JsonMapper.shared().readTree(latter.getFirst()).get("start_lsn").asString();
        Dump tail = Dump.of(remote, "--start", middle, "--end", end, "--json");
        assertThat(tail.lines()).as(tail.err()).isEqualTo(latter);
        Dump beyond = Dump.of(remote, "--start", middle, "--end", "FF/0", "--quiet");
        assertThat(beyond.code()).isEqualTo(1);
        assertThat(beyond.err()).contains("before the requested end FF/0");
        Dump unknown = Dump.of(List.of(remote.get(0), remote.get(1), "--timeline-id=0123456789abcdef0123456789abcdef"));
        assertThat(unknown.code()).isEqualTo(1);
        assertThat(unknown.err()).contains("was not found");
    }

    /** What {@code tidemark wal dump} prints. */
    private record Dump(int code, List<String> lines, String err) {
        static Dump of(List<String> source, String... options) {
            StringWriter out = new StringWriter();
            StringWriter err = new StringWriter();
            List<String> arguments = new ArrayList<>(List.of("dump"));
            arguments.addAll(source);
            arguments.addAll(List.of(options));
            int code = new CommandLine(new WalCommand())
                    .setOut(new PrintWriter(out))
                    .setErr(new PrintWriter(err, true))
                    .execute(arguments.toArray(String[]::new));
            return new Dump(code, out.toString().lines().toList(), err.toString());
        }
    }
}
