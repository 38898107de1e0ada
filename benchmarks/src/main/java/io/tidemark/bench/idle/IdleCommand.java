package io.tidemark.bench.idle;

import io.tidemark.bench.cluster.SafekeeperProcess;
import io.tidemark.bench.harness.BenchOptions;
import io.tidemark.bench.harness.Contender;
import io.tidemark.bench.harness.CpuClock;
import io.tidemark.bench.harness.Metric;
import io.tidemark.bench.harness.ProcessMemory;
import io.tidemark.bench.harness.Program;
import io.tidemark.bench.harness.Sample;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidemark bench idle}: heap and RSS of an idle safekeeper, with one timeline and with many. */
@Command(
        name = "idle",
        mixinStandardHelpOptions = true,
        description = "Memory of an idle safekeeper process, with one timeline and with many.",
        footer = {
            "",
            "The timelines are made over HTTP, the process is restarted, and what it holds is looked at some seconds later;",
            "RSS is /proc/<pid>/smaps_rollup's, the heap is jcmd's GC.heap_info, asked last because asking costs memory.",
            "The target is an RSS under 150 MB."
        })
public final class IdleCommand implements Callable<Integer> {
    private static final Metric RSS = new Metric("RSS", "MB", 1);
    private static final Metric ANONYMOUS = new Metric("of it no file's", "MB", 1);
    private static final Metric RSS_BEFORE = new Metric("RSS after making them, before the restart", "MB", 1);
    private static final Metric HEAP_USED = new Metric("heap used", "MB", 1);
    private static final Metric HEAP_COMMITTED = new Metric("heap committed", "MB", 1);
    private static final Metric CPU = new Metric("CPU while idle", "ms/s", 2);
    private static final Pattern HEAP = Pattern.compile("total (\\d+)K, used (\\d+)K");
    private static final Duration DEADLINE = Duration.ofSeconds(30);

    @Mixin
    BenchOptions options = new BenchOptions();

    @Option(names = "--timelines", paramLabel = "N", description = "How many are many (default ${DEFAULT-VALUE}).")
    int many = 500;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            description = "How long it is left alone before it is looked at (default ${DEFAULT-VALUE}).")
    int seconds = 10;

    @Override
    public Integer call() throws Exception {
        try (ScratchDirectory scratch = options.scratch()) {
            options.compare(
                    "idle safekeeper",
                    List.of(
                            Contender.of("1 timeline", () -> turn(scratch.resolve("one"), 1)),
                            Contender.of(many + " timelines", () -> turn(scratch.resolve("many"), many))),
                    List.of());
            return 0;
        }
    }

    private Sample turn(Path directory, int timelines) throws IOException, InterruptedException {
        try {
            double before;
            try (SafekeeperProcess safekeeper = SafekeeperProcess.start(directory)) {
                for (int i = 1; i <= timelines; i++) {
                    safekeeper.createTimeline(
                            new TenantTimelineId(new TenantId(1, i), new TimelineId(2, i)),
                            Lsn.parse("0/1000028"),
                            new SystemId(i));
                }
                before = ProcessMemory.of(safekeeper.pid()).residentBytes() / 1e6;
            }
            try (SafekeeperProcess safekeeper = SafekeeperProcess.start(directory)) {
                Thread.sleep(Duration.ofSeconds(seconds));
                Duration cpu = CpuClock.ofProcess(safekeeper.pid());
                Thread.sleep(Duration.ofSeconds(seconds));
                cpu = CpuClock.ofProcess(safekeeper.pid()).minus(cpu);
                ProcessMemory memory = ProcessMemory.of(safekeeper.pid());
                return heap(
                        safekeeper.pid(),
                        Sample.of(RSS, memory.residentBytes() / 1e6)
                                .and(ANONYMOUS, memory.anonymousBytes() / 1e6)
                                .and(RSS_BEFORE, before)
                                .and(CPU, cpu.toMillis() / (double) seconds));
            }
        } finally {
            ScratchDirectory.deleteTree(directory);
        }
    }

    private static Sample heap(long pid, Sample sample) throws IOException, InterruptedException {
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        Matcher heap = HEAP.matcher(Program.run(List.of(jcmd, Long.toString(pid), "GC.heap_info"), DEADLINE)
                .output());
        double committed = 0;
        double used = 0;
        while (heap.find()) { // the young and the old generation
            committed += Double.parseDouble(heap.group(1)) * 1024 / 1e6;
            used += Double.parseDouble(heap.group(2)) * 1024 / 1e6;
        }
        return sample.and(HEAP_USED, used).and(HEAP_COMMITTED, committed);
    }
}
