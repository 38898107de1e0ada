package io.tidemark.pageserver.basebackup;

import io.tidemark.pageserver.basedata.DataDirectoryImport;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.pgcontrol.CheckPoint;
import io.tidemark.pageserver.pgcontrol.ControlFile;
import io.tidemark.pageserver.pgcontrol.InvalidControlFileException;
import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.ReadException.Kind;
import io.tidemark.pageserver.timeline.TimelineMetadata;
import io.tidemark.pageserver.timeline.TimelineReader;
import io.tidemark.wire.id.Lsn;

/**
 * What a server starts from: pg_control, in state shut down, and the WAL that it points to.
 *
 * <pre>
 *                  FULL                                 COMPUTE, REPLICA
 *   checkPoint     the record that was made             0
 *   redo           the same                             where the first record will be
 *   WAL            that record at the LSN               no record
 *   oldestActiveXid 0, as in any shutdown checkpoint    as it is at the LSN: a replica needs it
 * </pre>
 *
 * <p>Commit timestamps are not in storage, so the checkpoint says that there are none; else pg_xact_commit_timestamp would fail on
 * files that do not exist.
 *
 * @param wasShutDown whether the record before the LSN is a shutdown checkpoint
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record StartState(byte[] controlFile, StartOfWal wal, boolean wasShutDown) {
    private static final int TLI = 1;

    static StartState of(
            TimelineReader reader, TimelineMetadata metadata, BackupPoint point, BackupKind kind, long nowSeconds)
            throws ReadException {
        Lsn lsn = point.lsn();
        byte[] stored = require(reader.find(Keys.CHECKPOINT, lsn), "checkpoint", point);
        CheckPoint checkPoint = CheckPoint.current(stored, reader.find(Keys.NEXT_XID, lsn));
        boolean wasShutDown = isShutDownBefore(lsn, checkPoint.redo(), metadata.walSegmentSizeBytes());
        checkPoint.setTli(TLI);
        checkPoint.setCommitTsXids(0, 0);
        StartOfWal wal;
        try {
            if (kind.isFull()) {
                checkPoint.setOldestActiveXid(0);
                wal = StartOfWal.withCheckPoint(metadata, lsn, point.prev(), checkPoint);
            } else {
                wal = StartOfWal.empty(metadata, lsn);
            }
        } catch (IllegalArgumentException e) {
            throw new ReadException(Kind.BAD_REQUEST, String.valueOf(e.getMessage()), e);
        }
        checkPoint.setRedo(wal.recordLsn());
        byte[] file = require(reader.find(Keys.CONTROL_FILE, lsn), "control file", point);
        try {
            ControlFile control = ControlFile.read(file, metadata.pgMajor());
            control.setShutDown();
            control.setTime(nowSeconds);
            control.setCheckPoint(kind.isFull() ? wal.recordLsn() : Lsn.INVALID, checkPoint);
            control.clearRecovery();
            return new StartState(control.toBytes(), wal, wasShutDown);
        } catch (InvalidControlFileException e) {
            throw new ReadException(Kind.DAMAGED, "the stored control file: " + e.getMessage(), e);
        }
    }

    // The redo of a shutdown checkpoint is its own start, that of any other is before it.
    private static boolean isShutDownBefore(Lsn lsn, Lsn redo, int segmentSizeBytes) {
        return redo.isValid()
                && DataDirectoryImport.endOfCheckPointRecord(redo, segmentSizeBytes)
                        .equals(lsn);
    }

    private static byte[] require(byte @org.jspecify.annotations.Nullable [] value, String what, BackupPoint point)
            throws ReadException {
        if (value == null) {
            throw new ReadException(Kind.NOT_FOUND, "the timeline has no " + what + " at " + point.lsn());
        }
        return value;
    }
}
