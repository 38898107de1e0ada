package io.tidemark.cli.cluster;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.WalSegmentName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Compares a safekeeper's WAL with PostgreSQL's own, file against file, byte by byte. */
public final class WalEquality {
    private static final int CHUNK_BYTES = 1 << 20;

    private final Path postgresWal;
    private final Path safekeeperWal;
    private final int segmentSizeBytes;

    /**
     * @param postgresWal {@code pg_wal} of a data directory
     * @param safekeeperWal the directory of the timeline
     */
    public WalEquality(Path postgresWal, Path safekeeperWal, int segmentSizeBytes) {
        this.postgresWal = postgresWal;
        this.safekeeperWal = safekeeperWal;
        this.segmentSizeBytes = segmentSizeBytes;
    }

    /**
     * Compares all of {@code [startLsn, endLsn)}.
     *
     * @return how many bytes were compared, which is the length of the range
     * @throws ClusterException with the LSN of the first byte that differs, or when one side lacks a segment
     */
    public long requireEqual(Lsn startLsn, Lsn endLsn) throws IOException {
        Lsn at = startLsn;
        while (at.isBefore(endLsn)) {
            WalSegmentName segment = WalSegmentName.holding(at, segmentSizeBytes);
            Lsn end = segment.endLsn().min(endLsn);
            compareSegment(segment, at, end);
            at = end;
        }
        return endLsn.minus(startLsn);
    }

    private void compareSegment(WalSegmentName segment, Lsn startLsn, Lsn endLsn) throws IOException {
        try (FileChannel expected = open(postgresWal, segment);
                FileChannel actual = open(safekeeperWal, segment)) {
            for (Lsn at = startLsn; at.isBefore(endLsn); ) {
                int length = (int) Math.min(CHUNK_BYTES, endLsn.minus(at));
                ByteBuffer left = read(expected, at, length, "PostgreSQL");
                ByteBuffer right = read(actual, at, length, safekeeperWal.toString());
                int difference = left.mismatch(right);
                if (difference >= 0) {
                    throw new ClusterException("WAL differs at " + at.plus(difference) + ": PostgreSQL has byte "
                            + Byte.toUnsignedInt(left.get(difference)) + ", " + safekeeperWal + " has "
                            + Byte.toUnsignedInt(right.get(difference)));
                }
                at = at.plus(length);
            }
        }
    }

    private static FileChannel open(Path directory, WalSegmentName segment) throws IOException {
        for (WalSegmentName name : new WalSegmentName[] {segment.asComplete(), segment.asPartial()}) {
            Path file = directory.resolve(name.fileName());
            if (Files.exists(file)) {
                return FileChannel.open(file, StandardOpenOption.READ);
            }
        }
        throw new ClusterException("no segment " + segment.fileName() + " in " + directory);
    }

    private ByteBuffer read(FileChannel channel, Lsn lsn, int length, String whose) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        long position = lsn.segmentOffset(segmentSizeBytes);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new ClusterException("the WAL of " + whose + " ends at " + lsn.plus(buffer.position()));
            }
        }
        return buffer.flip();
    }
}
