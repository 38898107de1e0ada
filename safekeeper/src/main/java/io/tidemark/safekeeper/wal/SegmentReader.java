package io.tidemark.safekeeper.wal;

import io.netty.buffer.ByteBuf;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.wire.id.Lsn;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Raw bytes out of segment files, without any idea of where the WAL ends. Keeps the last file open; one thread at a time. */
final class SegmentReader implements Closeable {
    private final SegmentFiles files;
    private @Nullable DurableFile open;
    private long openNumber;

    SegmentReader(Disk disk, Path directory, int segmentSizeBytes) {
        this.files = new SegmentFiles(disk, directory, segmentSizeBytes);
    }

    int segmentSizeBytes() {
        return files.segmentSizeBytes;
    }

    /** The file that would hold a position, for messages. */
    Path describe(Lsn position) {
        return files.complete(position.segmentNumber(files.segmentSizeBytes));
    }

    /**
     * Appends up to {@code max} bytes from {@code position} on, within one segment; returns how many, which are fewer at the end of
     * a segment, and 0 when the file is missing or ends before.
     */
    int read(Lsn position, int max, ByteBuf out) throws IOException {
        DurableFile file = fileOf(position.segmentNumber(files.segmentSizeBytes));
        if (file == null) {
            return 0;
        }
        int offset = position.segmentOffset(files.segmentSizeBytes);
        int count = Math.min(max, files.segmentSizeBytes - offset);
        out.ensureWritable(count);
        ByteBuffer into = out.nioBuffer(out.writerIndex(), count);
        while (into.hasRemaining() && file.read(into, offset + into.position()) > 0) {
            // a read may stop early; go on where it did
        }
        out.writerIndex(out.writerIndex() + into.position());
        return into.position();
    }

    private @Nullable DurableFile fileOf(long number) throws IOException {
        if (open == null || openNumber != number) {
            close();
            open = files.openForReading(number);
            openNumber = number;
        }
        return open;
    }

    @Override
    public void close() throws IOException {
        DurableFile file = open;
        if (file != null) {
            open = null;
            file.close();
        }
    }
}
