package io.tidemark.bench.start;

import io.tidemark.bench.cluster.PgbenchDatabase;
import io.tidemark.bench.cluster.StorageCluster;
import io.tidemark.bench.harness.BenchOptions;
import io.tidemark.bench.harness.Contender;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.bench.harness.Target;
import io.tidemark.bench.wal.WalSample;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidemark bench start}: from nothing to the first answer of a PostgreSQL, and what a branch costs. */
@Command(
        name = "start",
        mixinStandardHelpOptions = true,
        description = {
            "Time from nothing to the first answer: a compute on storage, a branch with its compute, pg_basebackup, cp -a;",
            "and the time to make a branch, beside CREATE DATABASE ... TEMPLATE."
        },
        footer = {
            "",
            "One database of pgbench, PostgreSQL with fsync off everywhere. The compute is what tidemark compute start runs: a new JVM",
            "elects, waits for the pageserver, fetches the data directory, starts PostgreSQL and streams. pg_basebackup copies a running",
            "server (-c fast, -X stream, --no-sync) and starts; cp copies a stopped one and starts. Safekeepers and pageserver are",
            "processes of their own that run all the time. What is dirty is synced before each turn.",
            "A branch is made at the head of another one, without a compute; the copy of the database is STRATEGY file_copy.",
            "Needs about 2.3 times the size on disk."
        })
public final class StartCommand implements Callable<Integer> {
    private static final double DISK_FACTOR = 2.3;

    @Mixin
    BenchOptions options = new BenchOptions();

    @Option(
            names = "--size-mb",
            paramLabel = "N,...",
            split = ",",
            description = "About how large the data directory is, one run each (default ${DEFAULT-VALUE}).")
    List<Integer> sizesMegabytes = List.of(100);

    @Option(
            names = "--branches",
            paramLabel = "N",
            description =
                    "Branches that one turn makes, one after the other; 0: only starts (default ${DEFAULT-VALUE}).")
    int branches = 30;

    @Override
    public Integer call() throws Exception {
        PostgresBinaries binaries = PostgresArchives.configured().require(WalSample.PG_MAJOR);
        for (int megabytes : sizesMegabytes) {
            try (ScratchDirectory scratch = options.scratch()) {
                requireSpace(scratch.path(), megabytes);
                measure(binaries, scratch, megabytes);
            }
        }
        return 0;
    }

    private static void requireSpace(Path directory, int megabytes) throws IOException {
        double free = Files.getFileStore(directory).getUsableSpace() / 1e6;
        if (free < DISK_FACTOR * megabytes) {
            throw new IOException("%d MB need %.0f MB of disk, and %.0f MB are free; --dir names another one"
                    .formatted(megabytes, DISK_FACTOR * megabytes, free));
        }
    }

    private void measure(PostgresBinaries binaries, ScratchDirectory scratch, int megabytes) throws Exception {
        options.say("loading about " + megabytes + " MB");
        try (PostgresServer source = PgbenchDatabase.create(
                        binaries,
                        scratch.resolve("source"),
                        options.pgTool("pgbench"),
                        PgbenchDatabase.scaleOf(megabytes),
                        Starts.SETTINGS);
                StorageCluster storage = StorageCluster.start(scratch.resolve("storage"))) {
            options.say("importing it");
            storage.importStopped(Starts.MAIN, source.dataDir());
            String size = "%.0f MB of files".formatted(PgbenchDatabase.bytes(source.dataDir()) / 1e6);
            source.start();
            Starts starts = new Starts(storage, source, options.pgTool("pg_basebackup"), scratch.resolve("copy"));
            options.compare(
                    "start, " + size,
                    List.of(
                            Contender.of(Starts.BASE_BACKUP, starts::baseBackup),
                            Contender.of(Starts.COPY, starts::copy),
                            Contender.of(Starts.COMPUTE, starts::compute),
                            Contender.of(Starts.BRANCH, starts::branch)),
                    List.of());
            if (branches > 0) {
                BranchCreation creation = new BranchCreation(storage, source, branches);
                options.compare(
                        "branch creation, " + size + ", " + branches + " a turn",
                        List.of(
                                Contender.of(BranchCreation.TEMPLATE, creation::template),
                                Contender.of(BranchCreation.BRANCH, creation::branches)),
                        List.<Target>of());
            }
        }
    }
}
