package io.tidemark.it.compute;

import static io.tidemark.it.compute.ScratchCluster.connect;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.workload.VariedWorkload;
import io.tidemark.it.compute.PgPrograms.Dump;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import io.tidemark.wire.id.Lsn;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * pg_dump and pg_amcheck as judges, with servers of 14 and 15: a branch of a past LSN dumps as the database did at that moment, and a compute that
 * was killed as it did before. {@link BranchComputeTest} and {@link StockComputeTest} ask the same by {@link SqlDigest} of all versions.
 */
class PgDumpTest {
    private static final String MAIN = StorageDirectory.MAIN;
    private static final int ROWS = 60;
    private static final int SEQUENCE_AHEAD = 32;
    private static final long ENDING_SECONDS = 60;
    private static final Map<String, String> SETTINGS = settings();

    @RegisterExtension
    final ScratchCluster cluster = new ScratchCluster("dump");

    private static Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>(VariedWorkload.SETTINGS);
        settings.put("autovacuum", "off");
        return settings;
    }

    @BeforeEach
    void requirePrograms() {
        assumeTrue(PgPrograms.areInstalled(), "pg_dump and pg_amcheck of PostgreSQL 15 are not installed");
    }

    private record Moment(Lsn lsn, Dump dump) {}

    @Test
    void branchesDumpAsTheDatabaseDidThen() throws Exception {
        branchAtMoments(15, 2);
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15})
    @Tag("slow")
    void branchesAtTwentyMomentsDumpAsTheDatabaseDidThen(int major) throws Exception {
        branchAtMoments(major, 20);
    }

    private void branchAtMoments(int major, int count) throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(major)) {
            StockCompute main = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            List<Moment> moments = new ArrayList<>();
            try (Connection first = connect(main.postgres());
                    Connection second = connect(main.postgres())) {
                new VariedWorkload(first, second, ROWS).withoutTablespaces().run();
                SqlDigest.run(first, "CREATE TABLE account (id serial PRIMARY KEY, note text)");
                for (int i = 0; i < count; i++) {
                    step(first, i);
                    Lsn lsn = Lsn.parse(SqlDigest.one(first, "SELECT pg_current_wal_lsn()"));
                    moments.add(new Moment(lsn, PgPrograms.dump(main.postgres(), "postgres")));
                }
                SqlDigest.run(first, "DROP TABLE account");
            }
            for (int i = 0; i < count; i++) {
                String name = "at_" + i;
                new Branches(storage.directory()).create(name, MAIN, new BranchTime.AtLsn(moments.get(i).lsn));
                StockCompute branch = storage.startCompute(name, 0, SETTINGS, StartListener.NONE);
                requireSame(branch.postgres(), moments.get(i).dump);
                storage.killCompute(name);
            }
        }
    }

    private static void step(Connection connection, int number) throws Exception {
        SqlDigest.run(
                connection,
                "INSERT INTO account (note) SELECT repeat(md5(n::text), n % 120) FROM generate_series(1, 300) AS n",
                "UPDATE account SET note = 'step " + number + "' WHERE id % 7 = " + number % 7,
                "DELETE FROM account WHERE id % 11 = " + number % 11,
                "CREATE TABLE made_" + number + " AS SELECT * FROM account ORDER BY id LIMIT 10",
                "CREATE VIEW seen_" + number + " AS SELECT count(*) FROM made_" + number,
                "COMMENT ON TABLE account IS 'after step " + number + "'",
                "SELECT lo_from_bytea(0, convert_to('object " + number + "', 'UTF8'))");
        if (number % 3 == 2) {
            SqlDigest.run(
                    connection, "VACUUM FULL account", "ALTER TABLE account ADD COLUMN c" + number + " int DEFAULT 7");
        }
    }

    private static void requireSame(PostgresServer server, Dump expected) throws Exception {
        Dump dump = PgPrograms.dump(server, "postgres");
        assertThat(dump.text()).isEqualTo(expected.text());
        assertThat(dump.sequences().keySet())
                .isEqualTo(expected.sequences().keySet())
                .isNotEmpty();
        // WAL has a sequence ahead of its value (SEQ_LOG_VALS), so it goes on there, as after any crash.
        dump.sequences()
                .forEach((name, value) -> assertThat(value)
                        .as(name)
                        .isBetween(
                                expected.sequences().get(name),
                                expected.sequences().get(name) + SEQUENCE_AHEAD));
        PgPrograms.amcheck(server, "postgres");
    }

    @Test
    void aKilledComputeDumpsAsBefore() throws Exception {
        killAndCompare(15);
    }

    @Test
    @Tag("slow")
    void aKilledComputeOf14DumpsAsBefore() throws Exception {
        killAndCompare(14);
    }

    private void killAndCompare(int major) throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(major)) {
            StockCompute compute = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            Dump before;
            try (Connection first = connect(compute.postgres());
                    Connection second = connect(compute.postgres())) {
                new VariedWorkload(first, second, ROWS).withoutTablespaces().run();
                before = PgPrograms.dump(compute.postgres(), "postgres");
                second.setAutoCommit(false);
                SqlDigest.run(second, "CREATE TABLE never_committed (n int)");
                compute.postgres().kill();
            }
            assertThat(compute.finished().get(ENDING_SECONDS, TimeUnit.SECONDS))
                    .isEqualTo(StockCompute.Ending.POSTGRES_ENDED);
            StockCompute again = storage.startCompute(MAIN, 0, SETTINGS, StartListener.NONE);
            requireSame(again.postgres(), before);
        }
    }
}
