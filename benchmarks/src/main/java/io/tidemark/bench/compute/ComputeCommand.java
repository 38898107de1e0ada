package io.tidemark.bench.compute;

import io.tidemark.bench.cluster.PgbenchDatabase;
import io.tidemark.bench.cluster.ReceiveWal;
import io.tidemark.bench.cluster.StorageCluster;
import io.tidemark.bench.compute.Turn.Kind;
import io.tidemark.bench.harness.BenchOptions;
import io.tidemark.bench.harness.Contender;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.bench.wal.WalSample;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidemark bench compute}: pgbench on a compute, beside stock servers. */
@Command(
        name = "compute",
        mixinStandardHelpOptions = true,
        description = {
            "pgbench, TPC-B and select-only: a compute on storage, beside a stock PostgreSQL with fsync, and one with",
            "pg_receivewal --synchronous; each also with full_page_writes the other way, for WAL per transaction."
        },
        footer = {
            "",
            "All begin with the same data, have the same settings and synchronous_commit=on. A compute is what tidemark compute start",
            "makes: fsync off and full_page_writes off there, three safekeepers and the pageserver as processes that fsync, all on the",
            "disk of --dir. Before a turn storage has become quiet, a CHECKPOINT is done and the disk is synced; within a turn there is",
            "no checkpoint. \"CPU of what keeps the WAL\" is that of shim, safekeepers and pageserver, or of pg_receivewal.",
            "A stock server with full_page_writes off would lose data in a crash; it is there to be compared with.",
            "Safekeepers keep all WAL of the run: some GB on disk with the defaults."
        })
public final class ComputeCommand implements Callable<Integer> {
    private static final String ALONE = "stock, fsync";
    private static final String ALONE_WITHOUT_FULL_PAGES = "stock, fsync, full_page_writes=off";
    private static final String RECEIVEWAL = "stock, pg_receivewal --synchronous";
    private static final String COMPUTE = "compute";
    private static final String COMPUTE_WITH_FULL_PAGES = "compute, full_page_writes=on";
    private static final String MAIN = "plain";
    private static final String FULL = "fullpages";

    /** Of every PostgreSQL here. */
    private static final Map<String, String> SETTINGS = Map.of(
            "shared_buffers", "512MB",
            "max_wal_size", "8GB",
            "checkpoint_timeout", "1h",
            // Vacuum comes when it likes, which is not in the same turn of each round.
            "autovacuum", "off");

    @Mixin
    BenchOptions options = new BenchOptions();

    @Option(
            names = "--clients",
            paramLabel = "N,...",
            split = ",",
            description = "pgbench's clients, one comparison each (default ${DEFAULT-VALUE}).")
    List<Integer> clients = List.of(1, 4, 16);

    @Option(names = "--seconds", paramLabel = "N", description = "How long each turn takes (default ${DEFAULT-VALUE}).")
    int seconds = 15;

    @Option(names = "--scale", paramLabel = "N", description = "pgbench's scale (default ${DEFAULT-VALUE}).")
    int scale = 20;

    @Option(
            names = "--settle",
            paramLabel = "N",
            description = "Seconds of the same before them that are not counted (default ${DEFAULT-VALUE}).")
    int settle = 3;

    @Option(
            names = "--only",
            paramLabel = "KIND",
            description = "One of ${COMPLETION-CANDIDATES} only (default: both).")
    List<Kind> kinds = List.of(Kind.values());

    @Override
    public Integer call() throws Exception {
        try (ScratchDirectory scratch = options.scratch();
                PostgresServer source = PgbenchDatabase.create(
                        PostgresArchives.configured().require(WalSample.PG_MAJOR),
                        scratch.resolve("source"),
                        options.pgTool("pgbench"),
                        scale,
                        SETTINGS);
                StorageCluster storage = StorageCluster.start(scratch.resolve("storage"))) {
            storage.importStopped(MAIN, source.dataDir());
            storage.branches().create(FULL, MAIN, new BranchTime.Head());
            StorageCompute plain = StorageCompute.start(storage, MAIN, SETTINGS, false);
            StorageCompute fullPages = StorageCompute.start(storage, FULL, SETTINGS, true);
            source.start();
            try (StockServer stock = new StockServer(
                    source, new ReceiveWal(source, options.pgTool("pg_receivewal"), scratch.resolve("receivewal")))) {
                for (Kind kind : kinds) {
                    for (int count : clients) {
                        Turn turn = new Turn(options.pgTool("pgbench"), kind, count, seconds, settle);
                        compare(turn, stock, plain, fullPages);
                    }
                }
            }
        }
        return 0;
    }

    private void compare(Turn turn, StockServer stock, StorageCompute plain, StorageCompute fullPages)
            throws Exception {
        String title = "compute, %s, %d %s, %d s per turn"
                .formatted(
                        turn.kind() == Kind.TPC_B ? "TPC-B" : "select-only",
                        turn.clients(),
                        turn.clients() == 1 ? "client" : "clients",
                        seconds);
        Contender alone = Contender.of(ALONE, () -> stock.alone(turn, true));
        Contender compute = Contender.of(COMPUTE, () -> plain.take(turn));
        options.compare(
                title,
                turn.kind() == Kind.SELECT_ONLY
                        ? List.of(alone, compute)
                        : List.of(
                                alone,
                                Contender.of(RECEIVEWAL, () -> stock.withReceivewal(turn)),
                                compute,
                                Contender.of(COMPUTE_WITH_FULL_PAGES, () -> fullPages.take(turn)),
                                Contender.of(ALONE_WITHOUT_FULL_PAGES, () -> stock.alone(turn, false))),
                List.of());
    }
}
