package io.tidemark.cli.wal;

import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalRecord;
import io.tidemark.wire.wal.WalRecordReader;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The record at the end of what is committed of a timeline.
 *
 * @param end where it ends; anything behind that is not committed
 * @param name of its kind, as pg_waldump prints it
 * @param isShutdown whether it is the checkpoint that a PostgreSQL writes last when it is shut down in order
 */
public record LastRecord(Lsn end, String name, boolean isShutdown) {
    private static final int SHUTDOWN_CHECKPOINT = 0x00;
    private static final int OPCODE = 0xF0;

    /**
     * Reads it from a safekeeper.
     *
     * @param from where a record starts, not far from the end
     * @return null when no record is committed from there on
     */
    public static @Nullable LastRecord read(SafekeeperAddress safekeeper, TenantTimelineId timeline, Lsn from)
            throws IOException, InterruptedException {
        try (SafekeeperWal wal = SafekeeperWal.open(safekeeper, timeline)) {
            WalRecordReader reader = new WalRecordReader(wal, wal.pgMajor(), wal.segmentSizeBytes(), from);
            LastRecord last = null;
            for (WalRecord record = reader.next(); record != null; record = reader.next()) {
                last = of(record, wal.pgMajor());
            }
            return last;
        } catch (InvalidWalException e) {
            throw new IOException("the WAL at " + from + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static LastRecord of(WalRecord record, int pgMajor) {
        String opcode = ResourceManagers.opcodeOf(record.rmgrId(), record.info(), pgMajor);
        boolean isShutdown =
                record.rmgrId() == ResourceManagers.XLOG && (record.info() & OPCODE) == SHUTDOWN_CHECKPOINT;
        return new LastRecord(record.end(), opcode == null ? "an unknown record" : opcode, isShutdown);
    }
}
