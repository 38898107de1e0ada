package io.tidemark.it.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.cli.workload.VariedWorkload;
import io.tidemark.pageserver.basedata.BackupImport;
import io.tidemark.pageserver.basedata.BaseData;
import io.tidemark.pageserver.ingest.FakeTimelineHead;
import io.tidemark.pageserver.ingest.WalIngest;
import io.tidemark.pageserver.receiver.Connections;
import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.WalFlavour;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Imports a server that is being written to, catches up, and compares everything with its files once it has been stopped. */
class BackupImportTest {
    private static final Logger log = LoggerFactory.getLogger(BackupImportTest.class);
    private static final Duration STOP_DEADLINE = Duration.ofMinutes(1);
    private static final Lsn EVERYTHING = Lsn.of(Long.MAX_VALUE);
    private static final int ROWS = 300;

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void aRunningServerBecomesATimeline(int major) throws Exception {
        try (IngestedCluster cluster = new IngestedCluster();
                EventLoops loops = new EventLoops("import");
                PostgresServer server = PostgresServer.create(
                        PostgresArchives.configured().require(major),
                        ServerUser.current(),
                        cluster.dataDir(),
                        // Checksums in half of the versions: they change what is logged.
                        new InitDbOptions("postgres", java.util.Optional.empty(), major % 2 == 0, 16))) {
            Map<String, String> settings = new HashMap<>(VariedWorkload.SETTINGS);
            settings.putAll(Map.of("fsync", "off", "wal_keep_size", "8GB"));
            server.configure(settings);
            server.start();
            try (Connection first = connect(server);
                    Connection second = connect(server)) {
                new VariedWorkload(first, second, ROWS).withoutTablespaces().run();
            }
            RedoRules rules = new RedoRules(major, WalFlavour.STOCK, true);
            FakeTimelineHead head = new FakeTimelineHead(rules);
            PgClientConfig address = PgClientConfig.of(server.host(), server.port(), "postgres");
            BaseData base;
            Lsn end;
            try (Writer writer = new Writer(server);
                    BackupImport backup = BackupImport.open(new Connections(loops), address, "tidemark_import", head)) {
                writer.awaitProgress();
                base = backup.copy();
                // The server estimates before it copies, and writes meanwhile.
                assertThat(backup.totalBytes()).isBetween(backup.copiedBytes() / 2, backup.copiedBytes() * 2);
                writer.awaitProgress();
                end = backup.catchUp(base, new WalIngest(head, rules));
            }
            assertThat(base.dataChecksums()).isEqualTo(major % 2 == 0);
            assertThat(base.readableLsn()).isGreaterThan(base.startLsn());
            assertThat(end).isGreaterThanOrEqualTo(base.readableLsn());
            server.stop(PostgresServer.Shutdown.FAST, STOP_DEADLINE);
            Lsn last = IngestedCluster.ingest(cluster.dataDir(), major, end, EVERYTHING, new WalIngest(head, rules));
            assertThat(last).isGreaterThan(end);
            ClusterComparison comparison = new ClusterComparison(head, cluster.dataDir(), major).withEmptyLeftovers();
            List<String> findings = comparison.run();
            log.info(
                    "PostgreSQL {}: copied at {} to {}; {}",
                    major,
                    base.startLsn(),
                    base.readableLsn(),
                    comparison.summary());
            assertThat(findings).as(comparison.summary()).isEmpty();
        }
    }

    private static Connection connect(PostgresServer server) throws SQLException {
        return DriverManager.getConnection(server.jdbcUrl("postgres"), "postgres", "");
    }

    /** Changes, extends, truncates, creates and drops tables for as long as it is open. */
    private static final class Writer implements AutoCloseable {
        private final AtomicBoolean stop = new AtomicBoolean();
        private final AtomicInteger rounds = new AtomicInteger();
        private final CompletableFuture<Void> done = new CompletableFuture<>();

        Writer(PostgresServer server) {
            Thread.ofVirtual().start(() -> {
                try (Connection connection = connect(server);
                        Statement statement = connection.createStatement()) {
                    statement.execute("CREATE TABLE busy (id int PRIMARY KEY, v text)");
                    while (!stop.get()) {
                        round(statement, rounds.get());
                        rounds.incrementAndGet();
                    }
                    done.complete(null);
                } catch (SQLException | RuntimeException e) {
                    done.completeExceptionally(e);
                }
            });
        }

        private static void round(Statement statement, int n) throws SQLException {
            statement.execute("INSERT INTO busy SELECT g, repeat('x', 100) FROM generate_series(" + 1000 * n + ", "
                    + (1000 * n + 999) + ") g");
            statement.execute("UPDATE busy SET v = v || 'y' WHERE id % 7 = 3");
            statement.execute("CREATE TABLE fleeting_" + n + " AS SELECT * FROM busy LIMIT 500");
            statement.execute("DELETE FROM busy WHERE id < " + (1000 * n - 3000));
            statement.execute("VACUUM busy");
            if (n > 0) {
                statement.execute("DROP TABLE fleeting_" + (n - 1));
            }
        }

        void awaitProgress() {
            int now = rounds.get();
            Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> rounds.get() > now + 1 || done.isDone());
            assertThat(done).isNotCompleted();
        }

        @Override
        public void close() {
            stop.set(true);
            done.join();
        }
    }
}
