package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.pgcontrol.CheckPoint;
import io.tidemark.pageserver.pgcontrol.ControlFile;
import io.tidemark.pageserver.pgcontrol.InvalidControlFileException;
import io.tidemark.pageserver.redo.RecordData;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.LittleEndian;
import java.io.IOException;

/** What the XLOG resource manager says of the server as a whole. */
final class ControlIngest {
    private static final int WAL_LEVEL_MINIMAL = 0;

    private final IngestContext context;

    ControlIngest(IngestContext context) {
        this.context = context;
    }

    void onlineCheckPoint(Lsn start, RecordData main) {
        CheckPoint checkPoint = read(main);
        context.checkPoint().mergeOnline(checkPoint, context.pgMajor());
        remember(start, checkPoint);
    }

    void shutdownCheckPoint(Lsn start, RecordData main) throws IOException {
        CheckPoint checkPoint = read(main);
        context.checkPoint().mergeShutdown(checkPoint, context.pgMajor());
        remember(start, checkPoint);
    }

    /** A standby begins with this record, and can't be told where it is by anything else. */
    private void remember(Lsn start, CheckPoint checkPoint) {
        byte[] bytes = new byte[2 * Long.BYTES];
        LittleEndian.putI64(bytes, 0, start.value());
        LittleEndian.putI64(bytes, Long.BYTES, checkPoint.redo().value());
        context.changes().put(Keys.CHECKPOINT_RECORD, new Value.Image(bytes));
    }

    private static CheckPoint read(RecordData main) {
        return CheckPoint.copyOf(main.array(), main.take(CheckPoint.SIZE_BYTES));
    }

    /** XLOG_NEXTOID: {@code nextOid(u32)}. */
    void nextOid(RecordData main) {
        context.checkPoint().get().setNextOid(main.i32());
        context.checkPoint().markChanged();
    }

    /** XLOG_FPW_CHANGE: {@code fullPageWrites(u8)}. */
    void fullPageWrites(RecordData main) {
        context.checkPoint().get().setFullPageWrites(main.bool());
        context.checkPoint().markChanged();
    }

    /** XLOG_RESTORE_POINT: {@code rp_time(i64) rp_name(64 bytes, ended by NUL)}; it names where its record ends. */
    void restorePoint(RecordData main, Lsn end) {
        RestorePoint point = RestorePoint.readRecord(main, end);
        context.changes().put(Keys.restorePoint(point.nameBytes()), point.image());
    }

    /** XLOG_END_OF_RECOVERY: {@code end_time(i64) ThisTimeLineID(u32) PrevTimeLineID(u32) wal_level(i32, from 17 on)}. */
    void endOfRecovery(RecordData main) {
        if (context.pgMajor() >= 17) {
            setWalLevel(main.seek(16).i32());
        }
    }

    private void setWalLevel(int level) {
        if (context.pgMajor() >= 17) {
            context.checkPoint().get().setWalLevel(level);
            context.checkPoint().markChanged();
        }
    }

    /**
     * XLOG_PARAMETER_CHANGE: {@code MaxConnections max_worker_processes max_wal_senders max_prepared_xacts max_locks_per_xact
     * wal_level (i32 each) wal_log_hints(u8) track_commit_timestamp(u8)}.
     */
    void parameters(RecordData main) throws IOException, UnsupportedRecordException {
        ControlFile.Limits limits = ControlFile.Limits.read(main.array(), main.take(20));
        int walLevel = main.i32();
        boolean hints = main.bool();
        boolean commitTimestamps = main.bool();
        if (walLevel == WAL_LEVEL_MINIMAL) {
            throw new UnsupportedRecordException(
                    "the server was started with wal_level = minimal, whose WAL does not have everything");
        }
        setWalLevel(walLevel);
        byte[] stored = context.head().read(Keys.CONTROL_FILE);
        if (stored == null) {
            throw new IOException("the timeline has no control file, so no base data was imported");
        }
        try {
            ControlFile control = ControlFile.read(stored, context.pgMajor());
            control.setLimits(limits);
            control.setWalLevel(walLevel);
            control.setWalLogHints(hints);
            control.setTrackCommitTimestamp(commitTimestamps);
            context.changes().put(Keys.CONTROL_FILE, new Value.Image(control.toBytes()));
        } catch (InvalidControlFileException e) {
            throw new IOException("the stored control file is not usable: " + e.getMessage(), e);
        }
    }
}
