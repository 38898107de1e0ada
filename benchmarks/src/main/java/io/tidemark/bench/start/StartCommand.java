package io.tidemark.bench.start;

import io.tidemark.bench.cluster.LinkedDatabases;
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
import java.util.ArrayList;
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
            "Needs about 2.3 times the size on disk. With --only-branches all beyond the first 5 GB are copies of that database whose files",
            "are hard links, before they are imported: it needs 10 GB and a third of the size."
        })
public final class StartCommand implements Callable<Integer> {
    private static final double DISK_FACTOR = 2.3;
    private static final double COPIED_FACTOR = 2;
    private static final double IMPORTED_FACTOR = 0.33;
    private static final int MAX_LOADED_MEGABYTES = 5000;

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

    @Option(
            names = "--only-branches",
            description =
                    "No starts; and beyond 5 GB nothing beside the branches, since no peer should have to copy that.")
    boolean onlyBranches;

    @Override
    public Integer call() throws Exception {
        PostgresBinaries binaries = PostgresArchives.configured().require(WalSample.PG_MAJOR);
        for (int megabytes : sizesMegabytes) {
            try (ScratchDirectory scratch = options.scratch()) {
                if (onlyBranches) {
                    double loaded = Math.min(megabytes, MAX_LOADED_MEGABYTES);
                    requireSpace(scratch.path(), megabytes, COPIED_FACTOR * loaded + IMPORTED_FACTOR * megabytes);
                    measureBranches(binaries, scratch, megabytes);
                } else {
                    requireSpace(scratch.path(), megabytes, DISK_FACTOR * megabytes);
                    measure(binaries, scratch, megabytes);
                }
            }
        }
        return 0;
    }

    private static void requireSpace(Path directory, int megabytes, double needed) throws IOException {
        double free = Files.getFileStore(directory).getUsableSpace() / 1e6;
        if (free < needed) {
            throw new IOException("%d MB need %.0f MB of disk, and %.0f MB are free; --dir names another one"
                    .formatted(megabytes, needed, free));
        }
    }

    private PostgresServer load(PostgresBinaries binaries, ScratchDirectory scratch, int megabytes) throws Exception {
        options.say("loading about " + megabytes + " MB");
        return PgbenchDatabase.create(
                binaries,
                scratch.resolve("source"),
                options.pgTool("pgbench"),
                PgbenchDatabase.scaleOf(megabytes),
                Starts.SETTINGS);
    }

    private void measureBranches(PostgresBinaries binaries, ScratchDirectory scratch, int megabytes) throws Exception {
        int databases = (megabytes + MAX_LOADED_MEGABYTES - 1) / MAX_LOADED_MEGABYTES;
        try (PostgresServer source = load(binaries, scratch, megabytes / databases);
                StorageCluster storage = StorageCluster.start(scratch.resolve("storage"))) {
            options.say("linking " + (databases - 1) + " copies");
            List<Integer> oids = LinkedDatabases.make(source, databases - 1);
            options.say("importing it");
            storage.importStopped(Starts.MAIN, source.dataDir());
            BranchCreation creation = new BranchCreation(storage, source, branches);
            List<Contender> contenders =
                    new ArrayList<>(List.of(Contender.of(BranchCreation.BRANCH, creation::branches)));
            if (databases == 1) {
                // With links it must not run again: what it writes to one database would be in all of them.
                source.start();
                contenders.addFirst(Contender.of(BranchCreation.TEMPLATE, creation::template));
            }
            options.compare(
                    "branch creation, %d databases that the pageserver says have %.0f MB on a branch, %d a turn"
                            .formatted(databases, creation.bytes(oids) / 1e6, branches),
                    contenders,
                    List.<Target>of());
        }
    }

    private void measure(PostgresBinaries binaries, ScratchDirectory scratch, int megabytes) throws Exception {
        try (PostgresServer source = load(binaries, scratch, megabytes);
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
