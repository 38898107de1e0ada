package io.tidemark.cli.wal;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalPageHeader;
import io.tidemark.wire.wal.WalSegmentName;
import io.tidemark.wire.wal.WalSource;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * WAL in segment files: a directory of them, or a single one. The one being read is mapped, so that its bytes are copied once.
 *
 * <p>Where both a {@code .partial} and a complete file exist for a segment, the partial one is read: the other was left
 * by a crash in the middle of a truncation. Where PostgreSQL timelines overlap, the newest is read.
 */
public final class SegmentFiles implements WalSource, AutoCloseable {
    private final int segmentSizeBytes;
    private final int pgMajor;
    private final NavigableMap<Long, Path> segments;
    private long openNumber = -1;
    private @Nullable MemorySegment open;
    private @Nullable Arena openMapping;

    private SegmentFiles(int segmentSizeBytes, int pgMajor, NavigableMap<Long, Path> segments) {
        this.segmentSizeBytes = segmentSizeBytes;
        this.pgMajor = pgMajor;
        this.segments = segments;
    }

    /**
     * Finds the segments at a path and learns segment size and version from the first page header that is valid.
     *
     * @throws IOException when there are none, or none has a valid first page
     */
    public static SegmentFiles at(Path path) throws IOException {
        TreeMap<String, Path> byName = new TreeMap<>();
        if (Files.isDirectory(path)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
                for (Path file : files) {
                    byName.put(file.getFileName().toString(), file);
                }
            }
        } else if (Files.exists(path)) {
            byName.put(path.getFileName().toString(), path);
        } else {
            throw new IOException("no such file or directory: " + path);
        }
        // Segment names can be told from others with any segment size; only their numbers depend on it.
        byName.keySet()
                .removeIf(name -> WalSegmentName.find(name, WalPageHeader.MIN_SEGMENT_SIZE_BYTES)
                        .isEmpty());
        if (byName.isEmpty()) {
            throw new IOException(
                    "no WAL segment at " + path + " (their names are 24 hex digits, maybe with .partial)");
        }
        WalPageHeader header = firstValidHeader(byName);
        if (header == null) {
            throw new IOException("no WAL segment at " + path + " starts with a page header of PostgreSQL 14 to 18");
        }
        int size = header.segmentSizeBytes();
        NavigableMap<Long, Path> segments = new TreeMap<>();
        // In order of timeline, and a partial name after the complete one: the file to be preferred comes last.
        byName.forEach((name, file) ->
                WalSegmentName.find(name, size).ifPresent(segment -> segments.put(segment.segmentNumber(), file)));
        return new SegmentFiles(size, WalPageHeader.majorOf(header.magic()), segments);
    }

    private static @Nullable WalPageHeader firstValidHeader(Map<String, Path> byName) throws IOException {
        for (Path path : byName.values()) {
            try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
                ByteBuffer bytes = ByteBuffer.allocate(WalPageHeader.LONG_SIZE_BYTES);
                if (file.read(bytes, 0) < WalPageHeader.LONG_SIZE_BYTES) {
                    continue;
                }
                WalPageHeader header = WalPageHeader.decode(bytes.flip(), 0);
                if (WalPageHeader.isSegmentSize(header.segmentSizeBytes())) {
                    header.check(header.pageAddress(), 0, header.segmentSizeBytes());
                    return header;
                }
            } catch (InvalidWalException e) {
                // Perhaps another segment tells the sizes; whoever reads this one will hear what is wrong with it.
            }
        }
        return null;
    }

    public int segmentSizeBytes() {
        return segmentSizeBytes;
    }

    /** 14 to 18. */
    public int pgMajor() {
        return pgMajor;
    }

    /** The start of the first segment. */
    public Lsn start() {
        return Lsn.ofSegment(segments.firstKey(), segmentSizeBytes);
    }

    /** The end of the last segment. */
    public Lsn end() {
        return Lsn.ofSegment(segments.lastKey() + 1, segmentSizeBytes);
    }

    /**
     * Whether a segment after the one that holds {@code lsn} really holds WAL of its position, rather than being kept for
     * later use. If so, WAL that ends at {@code lsn} has a hole.
     */
    boolean hasValidSegmentAfter(Lsn lsn) {
        for (long number :
                segments.tailMap(lsn.segmentNumber(segmentSizeBytes), false).keySet()) {
            Lsn first = Lsn.ofSegment(number, segmentSizeBytes);
            byte[] bytes = new byte[WalPageHeader.LONG_SIZE_BYTES];
            try {
                if (read(first, bytes, 0, bytes.length) == bytes.length) {
                    WalPageHeader.decode(ByteBuffer.wrap(bytes), 0)
                            .check(first, WalPageHeader.magicOf(pgMajor), segmentSizeBytes);
                    return true;
                }
            } catch (IOException | InvalidWalException e) {
                // Unreadable or recycled: it does not prove that WAL goes on.
            }
        }
        return false;
    }

    @Override
    public int read(Lsn at, byte[] into, int offset, int length) throws IOException {
        int inSegment = at.segmentOffset(segmentSizeBytes);
        MemorySegment file = openSegment(at.segmentNumber(segmentSizeBytes));
        if (file == null) {
            return 0;
        }
        int n = (int) Math.min(length, Math.min(file.byteSize(), segmentSizeBytes) - inSegment);
        if (n <= 0) {
            return 0;
        }
        try {
            MemorySegment.copy(file, ValueLayout.JAVA_BYTE, inSegment, into, offset, n);
        } catch (InternalError e) {
            // How the JVM reports SIGBUS: the file has become shorter than its mapping, or the disk cannot read it.
            throw new IOException("cannot read " + segments.get(openNumber) + " at " + inSegment, e);
        }
        return n;
    }

    private @Nullable MemorySegment openSegment(long number) throws IOException {
        if (open != null && openNumber == number) {
            return open;
        }
        close();
        Path path = segments.get(number);
        if (path == null) {
            return null;
        }
        Arena mapping = Arena.ofShared();
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            open = file.map(FileChannel.MapMode.READ_ONLY, 0, file.size(), mapping);
            openMapping = mapping;
            openNumber = number;
            return open;
        } catch (IOException e) {
            mapping.close();
            throw e;
        }
    }

    @Override
    public void close() {
        Arena mapping = openMapping;
        open = null;
        openMapping = null;
        if (mapping != null) {
            mapping.close();
        }
    }
}
