package io.tidemark.safekeeper.wal;

import io.netty.buffer.ByteBuf;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DiskFullException;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.runtime.durable.SyncFailedException;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.NavigableSet;
import org.jspecify.annotations.Nullable;

/**
 * The local WAL of one timeline, as its owner writes it: consecutive segment files, the last one partial.
 *
 * <p>Owner: the timeline's owner. Readers go through {@link WalReader}. Positions of records are the acceptor's business; here are
 * bytes only.
 *
 * <p>Always: nothing is written before the first {@link #truncate}, because what lies beyond the end that was found at start may be
 * the torn tail of an older write, and would look like WAL again behind a new one. A segment appears under its name at full size.
 * After a failed fsync the WAL is dead for good: the kernel may have dropped the dirty pages, so a second fsync that
 * succeeds proves nothing.
 */
public final class SegmentedWal implements Closeable {
    /**
     * So far beyond the end the file is filled with real zeros. Overwriting allocated blocks spares fdatasync the journal: 0.13 ms
     * instead of 0.19 ms for 8 KiB; see docs/decisions/0041-zeros-ahead-of-wal.md.
     */
    static final int ZEROS_AHEAD_BYTES = 1 << 20;

    /** Whoever writes more than this between two flushes pays for the bytes and not for the journal. */
    static final int BULK_BYTES = 64 << 10;

    private static final ByteBuffer ZEROS =
            ByteBuffer.allocateDirect(ZEROS_AHEAD_BYTES).asReadOnlyBuffer();

    private final SegmentFiles files;
    private final Disk disk;
    private final int segmentSizeBytes;
    private Lsn writeLsn = Lsn.INVALID;
    private boolean truncationPending = true;
    private boolean syncFailed;
    private long unflushedBytes;
    private @Nullable OpenSegment current;

    /** A segment being written; {@code zeroedEnd} is where its allocated blocks end. */
    private static final class OpenSegment {
        final long number;
        final DurableFile file;
        int zeroedEnd;
        boolean zerosAhead = true;

        OpenSegment(long number, DurableFile file, int writeOffset) {
            this.number = number;
            this.file = file;
            this.zeroedEnd = writeOffset;
        }
    }

    /** Over the files in a timeline's directory, which exists; touches none of them. */
    public SegmentedWal(Disk disk, Path directory, int segmentSizeBytes) {
        this.disk = disk;
        this.segmentSizeBytes = segmentSizeBytes;
        this.files = new SegmentFiles(disk, directory, segmentSizeBytes);
    }

    /**
     * Durably makes the segment that holds {@code start} when there is no WAL yet, with its bytes before {@code start}; see {@link
     * FirstSegment}. May be repeated as long as nothing was written.
     */
    public void initFirstSegment(Lsn start, PgVersion pgVersion, SystemId systemId) throws IOException {
        requireUsable();
        closeCurrent();
        long segment = start.segmentNumber(segmentSizeBytes);
        FirstSegment first = new FirstSegment(start, pgVersion, systemId, segmentSizeBytes);
        try {
            createSegment(segment, first).close();
        } catch (SyncFailedException e) {
            syncFailed = true;
            throw e;
        }
    }

    /** Durably cuts the WAL at {@code end}, or leaves it when it ends there; from there writing goes on. */
    public void truncate(Lsn end) throws IOException {
        requireUsable();
        if (!truncationPending && unflushedBytes == 0 && writeLsn.equals(end)) {
            return;
        }
        // Before touching files: a truncation that stops half way leaves a WAL that takes no writes until one is
        // complete.
        truncationPending = true;
        try {
            closeCurrent();
            unflushedBytes = 0;
            cutFiles(end);
        } catch (SyncFailedException e) {
            syncFailed = true;
            throw e;
        }
        writeLsn = end;
        truncationPending = false;
    }

    private void cutFiles(Lsn end) throws IOException {
        long last = end.segmentNumber(segmentSizeBytes);
        int offset = end.segmentOffset(segmentSizeBytes);
        NavigableSet<Long> present = files.present();
        for (long segment : present.descendingSet()) {
            if (segment > last || (segment == last && offset == 0)) {
                delete(segment);
            } else if (segment < last) {
                complete(segment);
            }
        }
        if (offset > 0 && present.contains(last)) {
            cutSegment(last, offset);
        }
        disk.syncDirectory(files.directory);
        if (offset > 0 && !present.contains(last)) {
            createSegment(last, null).close();
        }
    }

    private void delete(long segment) throws IOException {
        for (Path path : new Path[] {files.complete(segment), files.partial(segment)}) {
            if (disk.exists(path)) {
                disk.delete(path);
            }
        }
    }

    /** Gives a segment before the end its final name: behind an XLOG_SWITCH the rest of a segment may never arrive. */
    private void complete(long segment) throws IOException {
        if (disk.exists(files.partial(segment))) {
            try (DurableFile file = disk.open(files.partial(segment), Disk.Mode.READ_WRITE)) {
                file.sync();
            }
            disk.rename(files.partial(segment), files.complete(segment));
        }
    }

    private void cutSegment(long segment, int offset) throws IOException {
        Path partial = files.partial(segment);
        Path complete = files.complete(segment);
        boolean isPartial = disk.exists(partial);
        try (DurableFile file = disk.open(isPartial ? partial : complete, Disk.Mode.READ_WRITE)) {
            file.setSize(offset);
            file.setSize(segmentSizeBytes);
            file.sync();
        }
        if (!isPartial) {
            disk.rename(complete, partial);
        } else if (disk.exists(complete)) {
            disk.delete(complete);
        }
    }

    /**
     * Hands bytes to the operating system. The reference stays with the caller.
     *
     * @param begin must be where the WAL ends
     */
    public void write(Lsn begin, ByteBuf wal) throws IOException {
        requireUsable();
        if (truncationPending || !begin.equals(writeLsn)) {
            throw new IllegalStateException("write of WAL at " + begin + ", write_lsn is " + writeLsn
                    + (truncationPending ? " and a truncation is pending" : ""));
        }
        int index = wal.readerIndex();
        int remaining = wal.readableBytes();
        Lsn at = begin;
        while (remaining > 0) {
            int offset = at.segmentOffset(segmentSizeBytes);
            int count = Math.min(remaining, segmentSizeBytes - offset);
            OpenSegment segment = segmentAt(at, offset);
            writeTo(segment.file, wal, index, count, offset);
            unflushedBytes += count;
            index += count;
            remaining -= count;
            at = at.plus(count);
            if (offset + count == segmentSizeBytes) {
                finish(segment);
            }
        }
        writeLsn = at;
    }

    private static void writeTo(DurableFile file, ByteBuf wal, int index, int count, int offset) throws IOException {
        if (wal.nioBufferCount() == 1) {
            file.write(wal.nioBuffer(index, count), offset);
            return;
        }
        int at = offset;
        for (ByteBuffer part : wal.nioBuffers(index, count)) {
            int length = part.remaining();
            file.write(part, at);
            at += length;
        }
    }

    private OpenSegment segmentAt(Lsn position, int offset) throws IOException {
        long number = position.segmentNumber(segmentSizeBytes);
        OpenSegment open = current;
        if (open != null && open.number == number) {
            return open;
        }
        DurableFile file;
        try {
            file = disk.open(files.partial(number), Disk.Mode.READ_WRITE);
        } catch (NoSuchFileException e) {
            file = createSegment(number, null);
        }
        open = new OpenSegment(number, file, offset);
        current = open;
        return open;
    }

    /** Makes a segment of full size, durable under its name, with these bytes at its start. */
    private DurableFile createSegment(long number, @Nullable FirstSegment start) throws IOException {
        DurableFile file = disk.open(files.preallocated(), Disk.Mode.CREATE_OR_TRUNCATE);
        try {
            int length = start == null ? 0 : start.lengthBytes();
            for (int offset = 0; start != null && offset < length; offset += ZEROS_AHEAD_BYTES) {
                file.write(start.bytes(offset, Math.min(ZEROS_AHEAD_BYTES, length - offset)), offset);
            }
            file.setSize(segmentSizeBytes);
            sync(file);
            disk.rename(files.preallocated(), files.partial(number));
            syncDirectory();
            return file;
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    /** The segment is full: durable, under its final name. */
    private void finish(OpenSegment segment) throws IOException {
        sync(segment.file);
        segment.file.close();
        current = null;
        unflushedBytes = 0;
        disk.rename(files.partial(segment.number), files.complete(segment.number));
        syncDirectory();
    }

    /** Makes durable what was written. Costs nothing when nothing was. */
    public void flush() throws IOException {
        requireUsable();
        OpenSegment segment = current;
        if (unflushedBytes == 0 || segment == null) {
            return;
        }
        writeZerosAhead(segment);
        sync(segment.file);
        unflushedBytes = 0;
    }

    private void writeZerosAhead(OpenSegment segment) throws IOException {
        int end = writeLsn.segmentOffset(segmentSizeBytes);
        segment.zeroedEnd = Math.max(segment.zeroedEnd, end);
        if (!segment.zerosAhead || unflushedBytes > BULK_BYTES || segment.zeroedEnd - end >= BULK_BYTES) {
            return;
        }
        int from = Math.min((segment.zeroedEnd + Lsn.WAL_PAGE_SIZE - 1) & -Lsn.WAL_PAGE_SIZE, segmentSizeBytes);
        int count = Math.min(ZEROS_AHEAD_BYTES, segmentSizeBytes - from);
        try {
            segment.file.write(ZEROS.slice(0, count), from);
            segment.zeroedEnd = from + count;
        } catch (DiskFullException e) {
            // Only speed is lost: what is written already has its blocks, and is made durable below.
            segment.zerosAhead = false;
        }
    }

    private void sync(DurableFile file) throws IOException {
        try {
            file.sync();
        } catch (SyncFailedException e) {
            syncFailed = true;
            throw e;
        }
    }

    private void syncDirectory() throws IOException {
        try {
            disk.syncDirectory(files.directory);
        } catch (SyncFailedException e) {
            syncFailed = true;
            throw e;
        }
    }

    private void requireUsable() throws IOException {
        if (syncFailed) {
            throw new SyncFailedException("an earlier fsync of WAL in " + files.directory + " failed", null);
        }
    }

    private void closeCurrent() throws IOException {
        OpenSegment open = current;
        if (open != null) {
            current = null;
            open.file.close();
        }
    }

    /** Whether there is no segment at all. */
    public boolean isEmpty() throws IOException {
        return files.present().isEmpty();
    }

    /** Where the next write goes; 0 before the first truncation. */
    public Lsn writeLsn() {
        return writeLsn;
    }

    @Override
    public void close() throws IOException {
        closeCurrent();
    }
}
