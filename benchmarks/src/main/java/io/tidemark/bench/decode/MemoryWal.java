package io.tidemark.bench.decode;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.WalSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** WAL that was read into the heap before, segment by segment: what is left of a pass is decoding. */
final class MemoryWal implements WalSource {
    private static final int SEGMENT_BYTES = 16 << 20;

    private final List<byte[]> segments;
    private final long firstSegment;

    private MemoryWal(List<byte[]> segments, long firstSegment) {
        this.segments = segments;
        this.firstSegment = firstSegment;
    }

    /** All segments of a sample, which have to fit the heap. */
    static MemoryWal of(Path directory, Lsn startLsn) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(directory)) {
            files = all.sorted().toList();
        }
        List<byte[]> segments = new ArrayList<>();
        for (Path file : files) {
            segments.add(Files.readAllBytes(file));
        }
        return new MemoryWal(segments, startLsn.segmentNumber(SEGMENT_BYTES));
    }

    @Override
    public int read(Lsn at, byte[] into, int offset, int length) {
        int index = (int) (at.segmentNumber(SEGMENT_BYTES) - firstSegment);
        if (index >= segments.size()) {
            return 0;
        }
        int inSegment = at.segmentOffset(SEGMENT_BYTES);
        int n = Math.min(length, SEGMENT_BYTES - inSegment);
        System.arraycopy(segments.get(index), inSegment, into, offset, n);
        return n;
    }
}
