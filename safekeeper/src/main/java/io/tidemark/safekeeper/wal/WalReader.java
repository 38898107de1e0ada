package io.tidemark.safekeeper.wal;

import io.netty.buffer.ByteBuf;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.wire.id.Lsn;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Reads the WAL of one timeline beside its owner, never past the end it is told. One thread at a time; as many readers as one likes.
 *
 * <p>The bytes are what is on disk, right or wrong; {@link VerifyingWalReader} knows the difference. In the timeline's first segment
 * the part below the start is made up, see {@link FirstSegment}; below that segment there is nothing.
 */
public final class WalReader implements Closeable {
    private final SegmentReader segments;
    private final WalLayout layout;
    private final FirstSegment firstSegment;

    public WalReader(Disk disk, Path directory, WalLayout layout) {
        this.segments = new SegmentReader(disk, directory, layout.segmentSizeBytes());
        this.layout = layout;
        this.firstSegment = new FirstSegment(
                layout.timelineStartLsn(), layout.pgVersion(), layout.systemId(), layout.segmentSizeBytes());
    }

    /**
     * Appends up to {@code maxBytes} from {@code position} on, within one segment and before {@code end}.
     *
     * @return how many; 0 only when {@code position} is not before {@code end}
     * @throws MissingWalException when that WAL is not here
     * @throws CorruptWalException when it should be, and is not
     */
    public int read(Lsn position, Lsn end, int maxBytes, ByteBuf out) throws IOException {
        if (position.isAtLeast(end)) {
            return 0;
        }
        int inSegment = layout.segmentSizeBytes() - position.segmentOffset(layout.segmentSizeBytes());
        int count = (int) Math.min(Math.min(maxBytes, inSegment), end.minus(position));
        if (position.isBefore(layout.timelineStartLsn())) {
            return readBeforeStart(position, count, out);
        }
        if (position.isBefore(layout.localStartLsn())) {
            throw new MissingWalException("WAL at " + position + " was never on this safekeeper: it has WAL from "
                    + layout.localStartLsn() + " on, the timeline starts at " + layout.timelineStartLsn());
        }
        int read = segments.read(position, count, out);
        if (read == 0) {
            throw new MissingWalException("no WAL at " + position + ": " + segments.describe(position)
                    + " is missing; it has been removed, or is damaged");
        }
        if (read < count) {
            throw new CorruptWalException(
                    segments.describe(position) + " is too short: it ends at " + position.plus(read));
        }
        return read;
    }

    private int readBeforeStart(Lsn position, int max, ByteBuf out) throws MissingWalException {
        Lsn start = layout.timelineStartLsn();
        int size = layout.segmentSizeBytes();
        if (position.segmentNumber(size) != start.segmentNumber(size)) {
            throw new MissingWalException("no WAL at " + position + ": the timeline starts at " + start);
        }
        int count = (int) Math.min(max, start.minus(position));
        firstSegment.copy(position.segmentOffset(size), count, out);
        return count;
    }

    WalLayout layout() {
        return layout;
    }

    /** Checks from the nearest known record boundary. */
    WalScan scan() {
        return new WalScan(segments, layout.timelineStartLsn().max(layout.localStartLsn()), layout.pgMajor());
    }

    Path describe(Lsn position) {
        return segments.describe(position);
    }

    @Override
    public void close() throws IOException {
        segments.close();
    }
}
