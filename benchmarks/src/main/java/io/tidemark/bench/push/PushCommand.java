package io.tidemark.bench.push;

import io.tidemark.bench.cluster.Clients;
import io.tidemark.bench.cluster.SafekeeperProcess;
import io.tidemark.bench.cluster.WalPusher;
import io.tidemark.bench.harness.BenchOptions;
import io.tidemark.bench.harness.Contender;
import io.tidemark.bench.harness.CpuClock;
import io.tidemark.bench.harness.Metric;
import io.tidemark.bench.harness.Program;
import io.tidemark.bench.harness.Sample;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.bench.harness.Target;
import io.tidemark.bench.wal.RecordEnds;
import io.tidemark.bench.wal.WalSample;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.wal.WalPageHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidemark bench push}: WAL push into one safekeeper beside dd. */
@Command(
        name = "push",
        mixinStandardHelpOptions = true,
        description = "Push the same WAL into a safekeeper over a socket and into a file with dd.",
        footer = {
            "",
            "First chunk by chunk, each durable before the next is sent, beside dd oflag=dsync with that chunk. Then with a window",
            "of WAL on its way, where the safekeeper makes durable what has arrived with one fdatasync: a turn that is not counted",
            "shows how much that is on average, and dd oflag=dsync writes in blocks of that size. The safekeeper checks the CRC of",
            "every record; dd checks nothing."
        })
public final class PushCommand implements Callable<Integer> {
    private static final Duration DEADLINE = Duration.ofMinutes(10);
    private static final Metric FSYNC_KILOBYTES = new Metric("WAL per fsync", "kB", 0);
    private static final double TARGET = 0.8;
    private static final String SAFEKEEPER = "safekeeper";

    @Mixin
    BenchOptions options = new BenchOptions();

    @Option(
            names = "--wal",
            paramLabel = "DIR",
            description = "Push these segments of PostgreSQL 15 (default: let pgbench make some).")
    @Nullable
    Path wal;

    @Option(
            names = "--scale",
            paramLabel = "N",
            description = "pgbench's scale, for the first part of the WAL (default ${DEFAULT-VALUE}).")
    int scale = 20;

    @Option(
            names = "--transactions",
            paramLabel = "N",
            description = "TPC-B transactions, for the rest of the WAL (default ${DEFAULT-VALUE}).")
    int transactions = 100_000;

    @Option(
            names = "--chunk",
            paramLabel = "BYTES",
            description = "WAL per message (default ${DEFAULT-VALUE}, the protocol's most).")
    int chunk = 131_072;

    @Option(
            names = "--window",
            paramLabel = "BYTES",
            description = "WAL on its way at most, in the second part (default ${DEFAULT-VALUE}).")
    int window = 4 << 20;

    private long timelines;

    @Override
    public Integer call() throws Exception {
        try (ScratchDirectory scratch = options.scratch();
                Clients clients = new Clients()) {
            WalSample sample = wal != null
                    ? WalSample.at(wal)
                    : WalSample.create(options.pgTool("pgbench"), scratch.path(), scale, transactions);
            MappedByteBuffer bytes = map(concatenate(sample, scratch.resolve("all")));
            Path all = scratch.resolve("all");
            try (SafekeeperProcess safekeeper = SafekeeperProcess.start(scratch.resolve("safekeeper"))) {
                Push push = new Push(clients, safekeeper, bytes, sample.startLsn(), RecordEnds.of(sample));
                push.turn(window);
                compare("push, each chunk of " + chunk + " bytes durable before the next", push, chunk, all, chunk);
                double perFsync = push.turn(window).values().getOrDefault(FSYNC_KILOBYTES, 0.0) * 1e3;
                int block = Math.max(chunk, (int) perFsync / Lsn.WAL_PAGE_SIZE * Lsn.WAL_PAGE_SIZE);
                compare("push, up to " + window + " bytes on their way", push, window, all, block);
            }
            return 0;
        }
    }

    private void compare(String title, Push push, int windowBytes, Path all, int block) throws Exception {
        String peer = "dd bs=" + block + " oflag=dsync";
        options.compare(
                title,
                List.of(
                        Contender.of(peer, () -> dd(all, block)),
                        Contender.of(SAFEKEEPER, () -> push.turn(windowBytes))),
                List.of(new Target(SAFEKEEPER, peer, Metric.MEGABYTES_PER_SECOND, TARGET)));
    }

    private static Sample dd(Path all, int block) throws IOException, InterruptedException {
        Path copy = all.resolveSibling("dd");
        try {
            Program done = Program.run(
                    List.of("dd", "if=" + all, "of=" + copy, "bs=" + block, "oflag=dsync", "status=none"), DEADLINE);
            double megabytes = Files.size(copy) / 1e6;
            return Sample.of(Metric.MEGABYTES_PER_SECOND, megabytes / Program.seconds(done.wall()))
                    .and(Metric.CPU_MILLIS_PER_MEGABYTE, Program.seconds(done.cpu()) * 1e3 / megabytes)
                    .and(FSYNC_KILOBYTES, block / 1e3);
        } finally {
            Files.deleteIfExists(copy);
        }
    }

    private static Path concatenate(WalSample sample, Path all) throws IOException {
        try (FileChannel out = FileChannel.open(all, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
                Stream<Path> files = Files.list(sample.directory())) {
            for (Path file : (Iterable<Path>) files.sorted()::iterator) {
                out.write(ByteBuffer.wrap(Files.readAllBytes(file)));
            }
        }
        return all;
    }

    private static MappedByteBuffer map(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
        }
    }

    /** Pushes the same WAL again and again, each time into a new timeline. */
    private final class Push {
        private final Clients clients;
        private final SafekeeperProcess safekeeper;
        private final MappedByteBuffer wal;
        private final Lsn startLsn;
        private final RecordEnds ends;
        private final SystemId systemId;

        Push(Clients clients, SafekeeperProcess safekeeper, MappedByteBuffer wal, Lsn startLsn, RecordEnds ends) {
            this.ends = ends;
            this.clients = clients;
            this.safekeeper = safekeeper;
            this.wal = wal;
            this.startLsn = startLsn;
            this.systemId = WalPageHeader.decode(wal, 0).systemId();
        }

        Sample turn(int windowBytes) throws IOException, InterruptedException {
            TenantTimelineId id = new TenantTimelineId(new TenantId(1, 1), new TimelineId(1, ++timelines));
            try (WalPusher pusher = WalPusher.elect(clients, safekeeper, id, systemId, startLsn)) {
                double fsyncs = safekeeper.metric("safekeeper_flush_wal_seconds_count");
                Duration cpu = CpuClock.ofProcess(safekeeper.pid());
                long begun = System.nanoTime();
                long bytes = pushAll(pusher, windowBytes);
                double seconds = (System.nanoTime() - begun) / 1e9;
                double cpuSeconds =
                        Program.seconds(CpuClock.ofProcess(safekeeper.pid()).minus(cpu));
                fsyncs = safekeeper.metric("safekeeper_flush_wal_seconds_count") - fsyncs;
                return Sample.of(Metric.MEGABYTES_PER_SECOND, bytes / 1e6 / seconds)
                        .and(Metric.CPU_MILLIS_PER_MEGABYTE, cpuSeconds * 1e3 / (bytes / 1e6))
                        .and(FSYNC_KILOBYTES, bytes / 1e3 / Math.max(1, fsyncs));
            } finally {
                safekeeper.deleteTimeline(id);
            }
        }

        private long pushAll(WalPusher pusher, int windowBytes) throws IOException, InterruptedException {
            int from = startLsn.segmentOffset(16 << 20);
            Lsn at = startLsn;
            for (int index = from; index < wal.limit(); ) {
                // The first chunk ends on a page, so that the others are aligned as dd's blocks are.
                int n = Math.min(chunk - index % chunk, wal.limit() - index);
                pusher.awaitFlushed(ends.floor(at.plus(n - windowBytes)));
                pusher.push(at, wal.slice(index, n));
                at = at.plus(n);
                index += n;
            }
            pusher.awaitFlushed(ends.floor(at));
            return (long) wal.limit() - from;
        }
    }
}
