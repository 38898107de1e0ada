package io.tidemark.bench.storage;

import io.tidemark.bench.cluster.PageserverProcess;
import io.tidemark.bench.cluster.StorageSource;
import io.tidemark.bench.harness.BenchOptions;
import io.tidemark.bench.harness.Contender;
import io.tidemark.bench.harness.Metric;
import io.tidemark.bench.harness.Sample;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.bench.wal.Pgbench;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidemark bench storage}: write, space and read amplification of a pageserver. */
@Command(
        name = "storage",
        mixinStandardHelpOptions = true,
        description = "What a pageserver writes, keeps and reads through while pgbench updates a database.",
        footer = {
            "",
            "The pageserver ingests while pgbench runs; then everything is flushed ('before'), then compacted whole ('after').",
            "written / WAL: bytes that the process sent to the disk (/proc/PID/io), of the WAL's. space: layer files, of the data",
            "directory without pg_wal; all history is kept. layers: those that had a version of a random page.",
            "--growth runs it with ten times the scale and with ten times the history, too; the ratios say how cost grows.",
            "One turn takes the seconds it is given and about as long again; --rounds 1 --warmups 0 is enough for a long one."
        })
public final class StorageCommand implements Callable<Integer> {
    private static final Metric WRITTEN = new Metric("written / WAL, before", "times", 2);
    private static final Metric WRITTEN_AFTER = new Metric("written / WAL, after", "times", 2);
    private static final Metric SPACE = new Metric("space / database, before", "times", 2);
    private static final Metric SPACE_AFTER = new Metric("space / database, after", "times", 2);
    private static final Metric LAYERS = new Metric("layers per page, before", "mean", 2);
    private static final Metric LAYERS_AFTER = new Metric("layers per page, after", "mean", 2);
    private static final Metric MOST = new Metric("layers per page, before", "most", 0);
    private static final Metric MOST_AFTER = new Metric("layers per page, after", "most", 0);
    private static final Metric CHAIN = new Metric("versions per page, before", "mean", 1);
    private static final Metric CHAIN_AFTER = new Metric("versions per page, after", "mean", 1);
    private static final Metric WAL = new Metric("WAL", "MB", 0);
    private static final int GROWTH = 10;
    private static final int SAMPLES = 2_000;
    private static final int CLIENTS = 4;

    @Mixin
    BenchOptions options = new BenchOptions();

    @Option(names = "--scale", paramLabel = "N", description = "pgbench's scale (default ${DEFAULT-VALUE}).")
    int scale = 10;

    @Option(names = "--seconds", paramLabel = "N", description = "How long to update (default ${DEFAULT-VALUE}).")
    int seconds = 60;

    @Option(names = "--growth", description = "Also with ten times the scale, and ten times the history.")
    boolean growth;

    @Override
    public Integer call() throws Exception {
        try (ScratchDirectory scratch = options.scratch()) {
            List<Contender> contenders = new ArrayList<>();
            contenders.add(run(scratch, scale, seconds));
            if (growth) {
                contenders.add(run(scratch, GROWTH * scale, seconds));
                contenders.add(run(scratch, scale, GROWTH * seconds));
            }
            options.compare("storage", contenders, List.of());
            return 0;
        }
    }

    private Contender run(ScratchDirectory scratch, int size, int time) {
        return Contender.of("scale " + size + ", " + time + " s", () -> {
            Path work = scratch.resolve("run");
            ScratchDirectory.deleteTree(work);
            Files.createDirectories(work);
            try {
                return measure(work, size, time);
            } finally {
                ScratchDirectory.deleteTree(work);
            }
        });
    }

    private Sample measure(Path work, int size, int time) throws Exception {
        Path data = work.resolve("pageserver");
        try (StorageSource source =
                StorageSource.start(work.resolve("cluster"), Map.of("checkpoint_timeout", "5min"))) {
            TenantTimelineId id = source.timelineId();
            Pgbench pgbench = new Pgbench(options.pgTool("pgbench"), source.postgres());
            pgbench.initialize(size);
            Lsn start = source.awaitLevel();
            source.stopPostgres();
            List<String> arguments = List.of("--safekeepers=" + source.safekeepers());
            long written;
            Lsn end;
            try (PageserverProcess server = PageserverProcess.start(data, arguments)) {
                server.importTimeline(id, source.postgres().dataDir());
                long before = writtenBytes(server.pid());
                source.startPostgres();
                pgbench.runFor(CLIENTS, time);
                end = source.awaitLevel();
                source.stopPostgres();
                server.awaitIngested(id, end);
                server.checkpoint(id);
                written = writtenBytes(server.pid()) - before;
            }
            double wal = end.minus(start);
            double database = bytes(source.postgres().dataDir())
                    - bytes(source.postgres().dataDir().resolve("pg_wal"));
            ReadDepth depth = ReadDepth.measure(data, id, SAMPLES);
            Sample sample = Sample.of(WAL, wal / 1e6)
                    .and(WRITTEN, written / wal)
                    .and(SPACE, bytes(data) / database)
                    .and(LAYERS, depth.layersInTheMean())
                    .and(MOST, depth.layersAtMost())
                    .and(CHAIN, depth.versionsInTheMean());
            try (PageserverProcess server = PageserverProcess.start(data, List.of())) {
                long before = writtenBytes(server.pid());
                server.compact(id);
                written += writtenBytes(server.pid()) - before;
            }
            depth = ReadDepth.measure(data, id, SAMPLES);
            return sample.and(WRITTEN_AFTER, written / wal)
                    .and(SPACE_AFTER, bytes(data) / database)
                    .and(LAYERS_AFTER, depth.layersInTheMean())
                    .and(MOST_AFTER, depth.layersAtMost())
                    .and(CHAIN_AFTER, depth.versionsInTheMean());
        }
    }

    /** What a process has caused to be sent to the disk. */
    private static long writtenBytes(long pid) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc", Long.toString(pid), "io"))) {
            return lines.filter(line -> line.startsWith("write_bytes:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow(() -> new IOException("no write_bytes of process " + pid));
        }
    }

    private static double bytes(Path directory) throws IOException {
        long sum = 0;
        try (Stream<Path> paths = Files.walk(directory)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                sum += Files.isRegularFile(path) ? Files.size(path) : 0;
            }
        }
        return sum;
    }
}
