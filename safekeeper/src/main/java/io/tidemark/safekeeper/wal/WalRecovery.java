package io.tidemark.safekeeper.wal;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.wal.WalPageHeader;
import io.tidemark.wire.wal.WalRecordScanner;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Finds where the WAL of a timeline ends when its process starts, and makes it durable up to there.
 *
 * <p>The scan starts at the persisted commit_lsn and not where the timeline starts, because older WAL may be gone. What comes before
 * commit_lsn is checked as far back as the nearest record boundary: that the last acknowledged record is there and sound is what
 * tells a disk that kept its promises from one that did not.
 */
public final class WalRecovery {
    private static final int CHUNK_BYTES = 128 << 10;

    private final SegmentFiles files;
    private final WalLayout layout;
    private final TenantTimelineId ttid;
    private final Lsn commitLsn;

    private WalRecovery(Disk disk, Path directory, AcceptorState state) {
        this.layout = WalLayout.of(state);
        this.files = new SegmentFiles(disk, directory, layout.segmentSizeBytes());
        this.ttid = state.ttid();
        this.commitLsn = state.commitLsn();
    }

    /**
     * flush_lsn: the end of the last complete record; 0 when nothing was ever committed. On return everything before it is durable.
     *
     * @throws LostWalException when that would be before commit_lsn
     */
    public static Lsn recover(Disk disk, Path directory, AcceptorState state) throws IOException {
        return new WalRecovery(disk, directory, state).recover();
    }

    private Lsn recover() throws IOException {
        if (!commitLsn.isValid()) {
            // No WAL, but the control file: the process before may have ended before its name was durable.
            files.disk.syncDirectory(files.directory);
            return Lsn.INVALID;
        }
        Lsn localStart = layout.timelineStartLsn().max(layout.localStartLsn());
        try (SegmentReader reader = new SegmentReader(files.disk, files.directory, files.segmentSizeBytes)) {
            WalScan scan = new WalScan(reader, localStart.isValid() ? localStart : commitLsn, layout.pgMajor());
            WalRecordScanner scanner = scannerAtCommit(scan);
            scan.feedToEnd(scanner);
            Lsn end = scanner.lastRecordEnd().max(commitLsn);
            makeDurable(reader, end);
            return end;
        }
    }

    private WalRecordScanner scannerAtCommit(WalScan scan) throws IOException {
        WalRecordScanner scanner;
        try {
            scanner = scan.scannerAt(commitLsn);
        } catch (CorruptWalException e) {
            throw new LostWalException(lost(e.getMessage()), e);
        }
        Lsn end = scanner.lastRecordEnd();
        boolean isBoundary = end.isAtLeast(commitLsn)
                || (end.pageOffset() == 0 && commitLsn.minus(end) == WalPageHeader.sizeAt(end, files.segmentSizeBytes));
        if (!isBoundary) {
            throw new LostWalException(lost("the last record ends at " + end));
        }
        return scanner;
    }

    private String lost(@Nullable String what) {
        return "timeline " + ttid + ": WAL in " + files.directory + " ends before the persisted commit_lsn " + commitLsn
                + " (" + what + "). Acknowledged data is lost here: keep the files, remove this safekeeper from the"
                + " timeline, and let it pull the timeline anew from the others";
    }

    /**
     * What was found may be in the page cache only: the process may have died before its fsync, or because of a failed one, after
     * which the kernel calls the pages clean. So the bytes since commit_lsn, below which everything was synced, are written
     * again before they are synced.
     *
     * <p>A cut that power interrupted may have left the last segment short. Its records are whole then, but what follows an XLOG_SWITCH
     * is part of the WAL up to flush_lsn, and readers ask for it: the segment gets its size back, in zeros.
     */
    private void makeDurable(SegmentReader reader, Lsn end) throws IOException {
        int size = files.segmentSizeBytes;
        ByteBuf chunk = Unpooled.buffer(CHUNK_BYTES);
        Lsn at = commitLsn;
        for (long segment = at.segmentNumber(size); Lsn.ofSegment(segment, size).isAtMost(end); segment++) {
            Path path = files.find(segment).orElse(null);
            if (path != null) {
                try (DurableFile file = files.disk.open(path, Disk.Mode.READ_WRITE)) {
                    Lsn segmentEnd = Lsn.ofSegment(segment + 1, size).min(end);
                    while (at.isBefore(segmentEnd)) {
                        int max = (int) Math.min(CHUNK_BYTES, segmentEnd.minus(at));
                        int count = reader.read(at, max, chunk.clear());
                        if (count == 0) {
                            break; // the padding behind an XLOG_SWITCH need not be there
                        }
                        file.write(chunk.nioBuffer(), at.segmentOffset(size));
                        at = at.plus(count);
                    }
                    if (file.size() < size) {
                        file.setSize(size);
                    }
                    file.sync();
                }
            }
            at = at.max(Lsn.ofSegment(segment + 1, size).min(end));
        }
        files.disk.syncDirectory(files.directory);
    }
}
