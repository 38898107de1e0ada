package io.tidemark.bench.decode;

import io.tidemark.bench.wal.WalSample;
import io.tidemark.cli.wal.SegmentFiles;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** JMH: passes over a sample, from its files and from the heap; records and megabytes per second of one thread. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(1)
public class WalDecodeJmh {
    /** The directory of the sample. */
    @Param("")
    public String wal = "";

    /** {@code files}, or {@code heap}: read before. */
    @Param({"files", "heap"})
    public String from = "";

    /** Reported per second, like the passes. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Amounts {
        public long records;
        public long megabytes;
    }

    private long megabytesPerPass;
    private Lsn startLsn = Lsn.INVALID;
    private int segmentSizeBytes;
    private WalSource source = (at, into, offset, length) -> 0;
    private AutoCloseable opened = () -> {};

    @Setup(Level.Trial)
    public void open() throws IOException, InvalidWalException {
        Path directory = Path.of(wal);
        WalSample sample = WalSample.at(directory);
        startLsn = sample.startLsn();
        megabytesPerPass = sample.sizeBytes() / 1_000_000;
        SegmentFiles files = SegmentFiles.at(directory);
        segmentSizeBytes = files.segmentSizeBytes();
        opened = files;
        source = from.equals("heap") ? MemoryWal.of(directory, startLsn) : files;
    }

    @TearDown(Level.Trial)
    public void close() throws Exception {
        opened.close();
    }

    /** One pass. */
    @Benchmark
    public long decode(Amounts amounts) throws IOException, InvalidWalException {
        DecodePass pass = new DecodePass();
        amounts.records += pass.run(source, segmentSizeBytes, startLsn);
        amounts.megabytes += megabytesPerPass;
        return pass.checksum();
    }
}
