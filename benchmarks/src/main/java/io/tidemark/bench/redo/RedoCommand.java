package io.tidemark.bench.redo;

import io.tidemark.bench.harness.BenchOptions;
import io.tidemark.bench.harness.Contender;
import io.tidemark.bench.harness.Metric;
import io.tidemark.bench.harness.Sample;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.bench.harness.Target;
import io.tidemark.bench.wal.WalSample;
import io.tidemark.cli.wal.SegmentFiles;
import io.tidemark.pageserver.pgcontrol.ControlFile;
import io.tidemark.pageserver.pgcontrol.InvalidControlFileException;
import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.pageserver.verify.OpcodeCounts;
import io.tidemark.pageserver.verify.RelationFiles;
import io.tidemark.pageserver.verify.WalVerifier;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import io.tidemark.wire.wal.WalRecordReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidemark bench redo}: our redo beside PostgreSQL's crash recovery. */
@Command(
        name = "redo",
        mixinStandardHelpOptions = true,
        description = "Apply the same WAL to the same pages with our redo and with PostgreSQL's crash recovery.",
        footer = {
            "",
            "PostgreSQL: what its startup process says it used between the first and the last record; fsync off, buffers of 1 GB.",
            "Ours: one thread of this process, which reads WAL from files, decodes it, and applies every block reference to pages",
            "that it reads from the same files when they are first touched. With two threads each decodes all records and applies",
            "those of its own pages. PostgreSQL's redo also keeps the state of transactions (one record in seven here), which",
            "ours does in ingest: see 'bench ingest'."
        })
public final class RedoCommand implements Callable<Integer> {
    private static final Metric SPEED = new Metric("WAL per CPU second", "MB/s", 1);
    private static final Metric RECORDS = new Metric("records per CPU second", "thousands/s", 0);
    private static final Metric PER_SECOND = new Metric("WAL per second", "MB/s", 1);
    private static final Metric ELAPSED = new Metric("elapsed", "s", 2);
    private static final String PEER = "PostgreSQL's startup process";
    private static final String OURS = "ours, one thread";
    private static final int THREAD_COUNT = 2;
    private static final String ALL = "ours, two threads";
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    @Mixin
    BenchOptions options = new BenchOptions();

    @Option(
            names = "--scale",
            paramLabel = "N",
            description = "pgbench's scale; a unit is about 15 MB of pages, which must fit the heap (default"
                    + " ${DEFAULT-VALUE}).")
    int scale = 10;

    @Option(
            names = "--transactions",
            paramLabel = "N",
            description = "TPC-B transactions; 100000 are about 50 MB of WAL (default ${DEFAULT-VALUE}).")
    int transactions = 400_000;

    @Override
    public Integer call() throws Exception {
        try (ScratchDirectory scratch = options.scratch()) {
            options.say("making WAL: scale " + scale + ", " + transactions + " transactions");
            CrashedServer server = CrashedServer.make(options.pgTool("pgbench"), scratch.path(), scale, transactions);
            Pass first = pass(server, _ -> true);
            options.compare(
                    "redo, %.0f MB of WAL, %,d records, %,d block changes"
                            .formatted(first.bytes() / 1e6, first.records(), first.changes()),
                    List.of(
                            Contender.of(PEER, () -> {
                                CrashedServer.Recovery recovery = server.recover(scratch.resolve("recovery"));
                                return sample(first, recovery.cpuSeconds(), recovery.elapsedSeconds());
                            }),
                            Contender.of(OURS, () -> {
                                Pass pass = pass(server, _ -> true);
                                return sample(pass, pass.cpuSeconds(), pass.elapsedSeconds());
                            }),
                            Contender.of(ALL, () -> {
                                Pass pass = allThreads(server, THREAD_COUNT);
                                if (pass.changes() != first.changes()) {
                                    throw new IOException("the threads together made " + pass.changes() + " changes");
                                }
                                return sample(pass, pass.cpuSeconds(), pass.elapsedSeconds());
                            })),
                    List.of(new Target(OURS, PEER, SPEED, 1), new Target(ALL, PEER, PER_SECOND, 2)));
            return 0;
        }
    }

    private static Sample sample(Pass pass, double cpuSeconds, double elapsedSeconds) {
        return Sample.of(SPEED, pass.bytes() / 1e6 / cpuSeconds)
                .and(RECORDS, pass.records() / 1e3 / cpuSeconds)
                .and(PER_SECOND, pass.bytes() / 1e6 / elapsedSeconds)
                .and(ELAPSED, elapsedSeconds);
    }

    private static Pass allThreads(CrashedServer server, int threads) throws Exception {
        long begun = System.nanoTime();
        List<FutureTask<Pass>> shares = new ArrayList<>();
        for (int share = 0; share < threads; share++) {
            int mine = share;
            FutureTask<Pass> task = new FutureTask<>(() -> pass(server, block -> shareOf(block, threads) == mine));
            shares.add(task);
            Thread.ofPlatform().name("redo-" + share).start(task);
        }
        Pass one = shares.getFirst().get();
        long changes = 0;
        double cpu = 0;
        for (FutureTask<Pass> share : shares) {
            changes += share.get().changes();
            cpu += share.get().cpuSeconds();
        }
        return new Pass(one.bytes(), one.records(), changes, cpu, (System.nanoTime() - begun) / 1e9);
    }

    private static int shareOf(BlockReference block, int threads) {
        int hash = (block.relation() * 31 + block.block()) * 0x9E3779B9;
        return Integer.remainderUnsigned(hash >>> 8, threads);
    }

    /** One replay. */
    private record Pass(long bytes, long records, long changes, double cpuSeconds, double elapsedSeconds) {}

    private static Pass pass(CrashedServer server, Predicate<BlockReference> mine)
            throws IOException, InvalidWalException, InvalidControlFileException {
        Lsn start = ControlFile.read(
                        Files.readAllBytes(server.base().resolve("global").resolve("pg_control")), WalSample.PG_MAJOR)
                .checkPoint()
                .redo();
        try (SegmentFiles wal = SegmentFiles.at(server.wal());
                RelationFiles base = RelationFiles.of(server.base())) {
            long cpuNanos = THREADS.getCurrentThreadCpuTime();
            long begun = System.nanoTime();
            WalVerifier replay =
                    new WalVerifier(base, new RedoRules(WalSample.PG_MAJOR, WalFlavour.STOCK, false), false, 1);
            WalRecordReader reader = new WalRecordReader(wal, WalSample.PG_MAJOR, wal.segmentSizeBytes(), start);
            long records = 0;
            while (reader.position().isBefore(server.end())) {
                WalRecord record = reader.next();
                if (record == null) {
                    break;
                }
                replay.accept(record, mine);
                records++;
            }
            double cpu = (THREADS.getCurrentThreadCpuTime() - cpuNanos) / 1e9;
            double elapsed = (System.nanoTime() - begun) / 1e9;
            long unsupported = replay.report().total(OpcodeCounts::unsupported);
            if (unsupported > 0) {
                throw new IOException(unsupported + " block changes are not supported");
            }
            return new Pass(
                    reader.position().minus(start),
                    records,
                    replay.report().total(OpcodeCounts::unchecked),
                    cpu,
                    elapsed);
        }
    }
}
