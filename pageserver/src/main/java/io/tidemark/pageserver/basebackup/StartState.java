package io.tidemark.pageserver.basebackup;

import io.tidemark.pageserver.basedata.DataDirectoryImport;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.pgcontrol.CheckPoint;
import io.tidemark.pageserver.pgcontrol.ControlFile;
import io.tidemark.pageserver.pgcontrol.InvalidControlFileException;
import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.ReadException.Kind;
import io.tidemark.pageserver.timeline.TimelineMetadata;
import io.tidemark.pageserver.timeline.TimelineMetadata.BranchPoint;
import io.tidemark.pageserver.timeline.TimelineReader;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.LittleEndian;
import org.jspecify.annotations.Nullable;

/**
 * What a server starts from: pg_control, in state shut down, and the WAL that it points to; for a standby, pg_control in recovery and a
 * backup_label.
 *
 * <pre>
 *                   FULL                                COMPUTE, REPLICA                   STANDBY
 *   state           shut down                           shut down                          in archive recovery, up to the LSN
 *   checkPoint      the record that was made            0                                  the last one in WAL, also in backup_label
 *   redo            the same                            where the first record will be     its redo
 *   WAL             that record at the LSN              no record                          none: it is streamed
 *   oldestActiveXid 0, as in any shutdown checkpoint    as it is at the LSN: a replica needs it
 * </pre>
 *
 * <p>Commit timestamps are not in storage, so the checkpoint says that there are none; else pg_xact_commit_timestamp would fail on
 * files that do not exist.
 *
 * @param wal null for a standby
 * @param wasShutDown whether the record before the LSN is a shutdown checkpoint
 * @param backupLabel empty but for a standby
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record StartState(byte[] controlFile, @Nullable StartOfWal wal, boolean wasShutDown, String backupLabel) {
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
        byte[] file = require(reader.find(Keys.CONTROL_FILE, lsn), "control file", point);
        try {
            ControlFile control = ControlFile.read(file, metadata.pgMajor());
            control.setTime(nowSeconds);
            if (kind == BackupKind.STANDBY) {
                return standby(control, checkPoint, reader, metadata, lsn, nowSeconds);
            }
            StartOfWal wal = startOfWal(metadata, point, kind, checkPoint);
            checkPoint.setRedo(wal.recordLsn());
            control.setShutDown();
            control.setCheckPoint(kind == BackupKind.FULL ? wal.recordLsn() : Lsn.INVALID, checkPoint);
            control.clearRecovery();
            return new StartState(control.toBytes(), wal, wasShutDown, "");
        } catch (InvalidControlFileException e) {
            throw new ReadException(Kind.DAMAGED, "the stored control file: " + e.getMessage(), e);
        }
    }

    private static StartOfWal startOfWal(
            TimelineMetadata metadata, BackupPoint point, BackupKind kind, CheckPoint checkPoint) throws ReadException {
        try {
            if (kind == BackupKind.FULL) {
                checkPoint.setOldestActiveXid(0);
                return StartOfWal.withCheckPoint(metadata, point.lsn(), point.prev(), checkPoint);
            }
            return StartOfWal.empty(metadata, point.lsn());
        } catch (IllegalArgumentException e) {
            throw new ReadException(Kind.BAD_REQUEST, String.valueOf(e.getMessage()), e);
        }
    }

    private static StartState standby(
            ControlFile control,
            CheckPoint checkPoint,
            TimelineReader reader,
            TimelineMetadata metadata,
            Lsn lsn,
            long nowSeconds)
            throws ReadException {
        byte[] record = reader.find(Keys.CHECKPOINT_RECORD, lsn);
        Lsn begin = metadata.origin().map(BranchPoint::lsn).orElse(Lsn.INVALID);
        Lsn start = record == null ? Lsn.INVALID : Lsn.of(LittleEndian.i64(record, 0));
        if (record == null || start.isBefore(begin)) {
            throw new ReadException(
                    Kind.NOT_FOUND,
                    "no checkpoint record is known in the timeline's own WAL up to " + lsn
                            + ", and a standby begins with"
                            + " one: the start of a compute that writes makes one, and so does CHECKPOINT on it");
        }
        Lsn redo = Lsn.of(LittleEndian.i64(record, Long.BYTES));
        checkPoint.setRedo(redo);
        control.setCheckPoint(start, checkPoint);
        control.setInRecovery(lsn, TLI);
        String label = BackupLabel.text(start, redo, TLI, metadata.walSegmentSizeBytes(), nowSeconds);
        return new StartState(control.toBytes(), null, false, label);
    }

    // The redo of a shutdown checkpoint is its own start, that of any other is before it.
    private static boolean isShutDownBefore(Lsn lsn, Lsn redo, int segmentSizeBytes) {
        return redo.isValid()
                && DataDirectoryImport.endOfCheckPointRecord(redo, segmentSizeBytes)
                        .equals(lsn);
    }

    private static byte[] require(byte @Nullable [] value, String what, BackupPoint point) throws ReadException {
        if (value == null) {
            throw new ReadException(Kind.NOT_FOUND, "the timeline has no " + what + " at " + point.lsn());
        }
        return value;
    }
}
