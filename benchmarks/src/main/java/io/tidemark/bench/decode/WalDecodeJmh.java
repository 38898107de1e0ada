package io.tidemark.bench.decode;

import io.tidemark.bench.wal.WalSample;
import io.tidemark.cli.wal.SegmentFiles;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
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

/** JMH: passes over a sample, from its files and from the heap. The time of one pass is what is reported. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(1)
public class WalDecodeJmh {
    /** The directory of the sample. */
    @Param("")
    public String wal = "";

    /** {@code files}, or {@code heap}: at most the first 16 segments, read before. */
    @Param({"files", "heap"})
    public String from = "";

    private static final int HEAP_SEGMENTS = 16;

    private Lsn startLsn = Lsn.INVALID;
    private int segmentSizeBytes;
    private WalSource source = (at, into, offset, length) -> 0;
    private AutoCloseable opened = () -> {};

    @Setup(Level.Trial)
    public void open() throws IOException, InvalidWalException {
        Path directory = Path.of(wal);
        startLsn = WalSample.at(directory).startLsn();
        SegmentFiles files = SegmentFiles.at(directory);
        segmentSizeBytes = files.segmentSizeBytes();
        opened = files;
        source = from.equals("heap") ? MemoryWal.of(directory, startLsn, HEAP_SEGMENTS) : files;
    }

    @TearDown(Level.Trial)
    public void close() throws Exception {
        opened.close();
    }

    /** One pass. */
    @Benchmark
    public long decode() throws IOException, InvalidWalException {
        DecodePass pass = new DecodePass();
        long records = pass.run(source, segmentSizeBytes, startLsn);
        return records ^ pass.checksum();
    }
}
