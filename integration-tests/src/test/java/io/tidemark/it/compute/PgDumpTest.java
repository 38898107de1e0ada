package io.tidemark.it.compute;

import static io.tidemark.it.compute.ScratchCluster.connect;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ServerProcess;
import io.tidemark.cli.storage.Branch;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.Computes;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.storage.StorageProcesses;
import io.tidemark.cli.workload.VariedWorkload;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import io.tidemark.wire.id.Lsn;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * pg_dump and amcheck as judges: a database whose every process was killed dumps as it did before, and a branch of a past LSN as the database did
 * at that moment, byte for byte.
 *
 * <p>A pg_dump reads no newer servers: those are skipped, with a line. {@link BranchComputeTest} and {@link StockComputeTest} ask the same by
 * {@link SqlDigest} of all versions.
 */
@Timeout(600)
class PgDumpTest {
    private static final String MAIN = StorageDirectory.MAIN;
    private static final String POSTGRES = "postgres";
    private static final String BENCH = "bench";
    private static final int BENCH_TRANSACTIONS = 400;
    private static final Map<String, String> SETTINGS = settings();

    @RegisterExtension
    final ScratchCluster cluster = new ScratchCluster("dump");

    private static Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>(VariedWorkload.SETTINGS);
        settings.put("autovacuum", "off");
        return settings;
    }

    /** A moment, and what the database was then. */
    private record Moment(Lsn lsn, Path dump) {}

    @Test
    void whatWasKilledAndTwoBranchesDumpAsBefore() throws Exception {
        compare(15, 2);
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    @Tag("slow")
    void whatWasKilledAndTwentyBranchesDumpAsBefore(int major) throws Exception {
        compare(major, 20);
    }

    private void compare(int major, int count) throws Exception {
        PgDump pgDump = requireOneFor(major);
        long begun = System.nanoTime();
        StorageDirectory directory = cluster.make(major);
        StorageProcesses storage = new StorageProcesses(directory);
        storage.start();
        new Branches(directory).createMain();
        PostgresServer server = startMain(directory);
        DumpedDatabase.fill(server);
        List<Moment> moments = moments(pgDump, server, count);

        boolean withBench = PgPrograms.have("pgbench") && PgPrograms.have("psql");
        if (withBench) {
            pgbench(server);
            PgPrograms.psql(
                    server, BENCH, "CREATE TABLE by_psql AS SELECT n, md5(n::text) FROM generate_series(1, 1000) AS n");
        }
        List<String> databases = withBench ? List.of(POSTGRES, BENCH) : List.of(POSTGRES);
        for (String database : databases) {
            pgDump.dump(server, database, file("before " + database));
        }
        try (Connection unfinished = connect(server)) {
            unfinished.setAutoCommit(false);
            SqlDigest.run(
                    unfinished,
                    "CREATE TABLE never_committed AS SELECT n FROM generate_series(1, 5000) AS n",
                    "DELETE FROM item");
            killAll(directory, server);
        }
        storage.start();
        server = startMain(directory);
        for (String database : databases) {
            Path after = file("after " + database);
            pgDump.dump(server, database, after);
            PgDump.requireSame("database " + database + " after the kill", file("before " + database), after);
        }
        if (withBench) {
            assertThat(PgPrograms.psql(server, BENCH, "SELECT count(*), sum(n) FROM by_psql"))
                    .isEqualTo("1000|500500");
        }
        amcheck(server);
        for (Moment moment : moments) {
            compareBranch(pgDump, directory, moment);
        }
        requireThatOneRowIsSeen(pgDump, server);
        System.out.printf(
                "%s, server of %d: databases %s after kill -9 and start, and %d branches (%d bytes the last) dump as before; %d s%n",
                pgDump,
                major,
                databases,
                count,
                Files.size(moments.getLast().dump),
                (System.nanoTime() - begun) / 1_000_000_000);
    }

    private static PgDump requireOneFor(int major) throws Exception {
        Optional<PgDump> found = PgDump.find();
        if (found.isPresent() && found.get().reads(major)) {
            return found.get();
        }
        String why = "no pg_dump for servers of " + major
                + found.map(it -> ", only " + it).orElse("") + "; " + PgDump.HOW_TO_GET_ONE;
        System.out.println("SKIPPED: " + why);
        return abort(why);
    }

    private PostgresServer startMain(StorageDirectory directory) throws Exception {
        new Computes(directory).start(MAIN, 0, SETTINGS, phase -> {});
        return PostgresServer.open(
                directory.binaries(directory.config().pgMajor()),
                ServerUser.current(),
                directory.layout().computeDir(MAIN).resolve("data"));
    }

    private Path file(String name) {
        return cluster.resolve(name + ".sql");
    }

    private List<Moment> moments(PgDump pgDump, PostgresServer server, int count) throws Exception {
        List<Moment> moments = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Moment moment = new Moment(DumpedDatabase.step(server, i), file("moment " + i));
            pgDump.dump(server, POSTGRES, moment.dump);
            moments.add(moment);
        }
        DumpedDatabase.requireVaried(moments.getFirst().dump);
        try (Connection connection = connect(server)) {
            SqlDigest.run(connection, "DROP TABLE account CASCADE");
        }
        return moments;
    }

    private static void pgbench(PostgresServer server) throws Exception {
        try (Connection connection = connect(server)) {
            SqlDigest.run(connection, "CREATE DATABASE " + BENCH);
        }
        PgPrograms.pgbench(server, BENCH, BENCH_TRANSACTIONS);
    }

    /** {@code kill -9} of all there is: the compute before its PostgreSQL, which it would start anew. */
    private static void killAll(StorageDirectory directory, PostgresServer server) throws Exception {
        StorageProcesses storage = new StorageProcesses(directory);
        List<ServerProcess> all = new ArrayList<>(List.of(new Computes(directory).process(MAIN), storage.pageserver()));
        for (SafekeeperPlace place : directory.config().safekeepers()) {
            all.add(storage.safekeeper(place.id()));
        }
        for (ServerProcess process : all) {
            process.kill();
        }
        server.kill();
        for (ServerProcess process : all) {
            assertThat(process.isRunning()).as(process.name()).isFalse();
        }
    }

    /** That what is compared here can differ. */
    private void requireThatOneRowIsSeen(PgDump pgDump, PostgresServer server) throws Exception {
        DumpedDatabase.changeOneRow(server);
        Path changed = file("changed");
        pgDump.dump(server, POSTGRES, changed);
        assertThatThrownBy(() -> PgDump.requireSame("one row", file("before " + POSTGRES), changed))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("one row dumps differently in line");
    }

    private static void amcheck(PostgresServer server) throws Exception {
        if (PgPrograms.amchecks(server.binaries().major())) {
            PgPrograms.amcheck(server, POSTGRES);
            return;
        }
        try (Connection connection = connect(server)) {
            assertThat(SqlDigest.amcheck(connection)).isEmpty();
        }
    }

    private void compareBranch(PgDump pgDump, StorageDirectory directory, Moment moment) throws Exception {
        Branches branches = new Branches(directory);
        String name = "at-" + moment.lsn.toString().replace('/', '-').toLowerCase(Locale.ROOT);
        Branch branch =
                branches.create(name, MAIN, new BranchTime.AtLsn(moment.lsn)).branch();
        StockCompute compute = StockCompute.start(
                directory.computeConfig(
                        branch.timelineId(), directory.layout().computeDir(name).resolve("data"), 0, SETTINGS),
                directory.binaries(branch.pgMajor()),
                ServerUser.current(),
                StartListener.NONE);
        try {
            Path dump = file(name);
            pgDump.dump(compute.postgres(), POSTGRES, dump);
            PgDump.requireSame("the branch at " + moment.lsn, moment.dump, dump);
            amcheck(compute.postgres());
            Files.delete(dump);
        } finally {
            compute.kill();
        }
        branches.delete(name);
    }
}
