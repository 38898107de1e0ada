package io.tidemark.bench.decode;

import io.tidemark.bench.harness.BenchOptions;
import io.tidemark.bench.harness.Contender;
import io.tidemark.bench.harness.Metric;
import io.tidemark.bench.harness.Program;
import io.tidemark.bench.harness.Sample;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.bench.harness.Target;
import io.tidemark.bench.wal.WalSample;
import io.tidemark.cli.cluster.JvmCommand;
import io.tidemark.cli.wal.SegmentFiles;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalSource;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidemark bench decode}: our WAL decoder beside pg_waldump, by CPU time. */
@Command(
        name = "decode",
        mixinStandardHelpOptions = true,
        description = "Decode the same WAL with pg_waldump --stats and with ours.",
        footer = {
            "",
            "Speed is WAL divided by CPU time (user and system), so other work on the machine matters less. pg_waldump and",
            "'wal dump' are whole processes, the start of the JVM and its compilation included; 'in process' is the thread of one",
            "pass in a JVM that has made some already, from files or from the heap."
        })
public final class DecodeCommand implements Callable<Integer> {
    private static final Metric SPEED = new Metric("WAL per CPU second", "MB/s", 0);
    private static final Metric RECORDS = new Metric("records per CPU second", "millions/s", 2);
    private static final Metric WALL = new Metric("elapsed", "s", 2);
    private static final Duration DEADLINE = Duration.ofMinutes(10);
    private static final String PEER = "pg_waldump --stats";
    private static final String FROM_FILES = "in process, files";
    private static final int WARM_PASSES = 10;

    @Mixin
    BenchOptions options = new BenchOptions();

    @Option(
            names = "--wal",
            paramLabel = "DIR",
            description = "Decode these segments of PostgreSQL 15 (default: let pgbench make some).")
    @Nullable
    Path wal;

    @Option(
            names = "--scale",
            paramLabel = "N",
            description = "pgbench's scale, for the first part of the WAL (default ${DEFAULT-VALUE}).")
    int scale = 10;

    @Option(
            names = "--transactions",
            paramLabel = "N",
            description = "TPC-B transactions, for the rest of the WAL (default ${DEFAULT-VALUE}).")
    int transactions = 200_000;

    @Option(names = "--jmh", description = "Run the JMH benchmark too, after the comparison.")
    boolean jmh;

    @Override
    public Integer call() throws Exception {
        try (ScratchDirectory scratch = options.scratch()) {
            WalSample sample = wal != null
                    ? WalSample.at(wal)
                    : WalSample.create(options.pgTool("pgbench"), scratch.path(), scale, transactions);
            try (SegmentFiles files = SegmentFiles.at(sample.directory())) {
                MemoryWal heap = MemoryWal.of(sample.directory(), sample.startLsn());
                warmUp(sample, files, heap);
                options.compare(
                        "decode, " + sample.describe(),
                        List.of(
                                Contender.of(PEER, () -> process(sample, waldump(sample))),
                                Contender.of("tidemark wal dump --stats", () -> process(sample, walDump(sample))),
                                Contender.of(FROM_FILES, () -> pass(sample, files)),
                                Contender.of("in process, heap", () -> pass(sample, heap))),
                        List.of(new Target(FROM_FILES, PEER, SPEED, 2)));
            }
            if (jmh) {
                new Runner(new OptionsBuilder()
                                .include(WalDecodeJmh.class.getName())
                                .param("wal", sample.directory().toString())
                                .build())
                        .run();
            }
            return 0;
        }
    }

    private void warmUp(WalSample sample, WalSource files, WalSource heap) throws IOException, InvalidWalException {
        options.say("warming up with " + sample.describe());
        for (int i = 0; i < WARM_PASSES; i++) {
            pass(sample, files);
            pass(sample, heap);
        }
    }

    private List<String> waldump(WalSample sample) throws IOException {
        return List.of(
                options.pgTool("pg_waldump"),
                "--quiet",
                "--stats",
                "--path=" + sample.directory(),
                "--start=" + sample.startLsn(),
                "--end=" + sample.endLsn());
    }

    private static List<String> walDump(WalSample sample) throws IOException {
        return JvmCommand.of(
                "wal",
                List.of(
                        "dump",
                        "--stats",
                        "--end=" + sample.endLsn(),
                        sample.directory().toString()));
    }

    private static Sample process(WalSample sample, List<String> command) throws IOException, InterruptedException {
        Program done = Program.run(command, DEADLINE);
        return sample(sample.sizeBytes(), sample.records(), Program.seconds(done.cpu()), Program.seconds(done.wall()));
    }

    private static Sample pass(WalSample sample, WalSource source) throws IOException, InvalidWalException {
        long cpuBefore = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        long begun = System.nanoTime();
        long records = new DecodePass().run(source, 16 << 20, sample.startLsn());
        return sample(
                sample.sizeBytes(),
                records,
                (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - cpuBefore) / 1e9,
                (System.nanoTime() - begun) / 1e9);
    }

    private static Sample sample(long bytes, long records, double cpuSeconds, double wallSeconds) {
        return Sample.of(SPEED, bytes / 1e6 / cpuSeconds)
                .and(RECORDS, records / 1e6 / cpuSeconds)
                .and(WALL, wallSeconds);
    }
}
