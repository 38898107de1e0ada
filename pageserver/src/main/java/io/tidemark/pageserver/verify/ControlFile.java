package io.tidemark.pageserver.verify;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.LittleEndian;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What of {@code global/pg_control} (ControlFileData in pg_control.h) tells where and how to replay. The same offsets in
 * PostgreSQL 14 to 18.
 *
 * @param state DBState
 * @param redo checkPointCopy.redo: where replay starts
 * @param walLogHints wal_log_hints of the server that ran last
 * @param checksums whether pages have checksums
 */
public record ControlFile(int state, Lsn redo, boolean walLogHints, boolean checksums) {
    private static final int STATE = 16;
    private static final int REDO = 40;
    private static final int WAL_LOG_HINTS = 176;
    private static final int DATA_CHECKSUM_VERSION = 252;

    /** DB_SHUTDOWNED. */
    private static final int SHUT_DOWN = 1;

    /** Reads the control file of a data directory. */
    public static ControlFile of(Path dataDir) throws IOException {
        Path file = dataDir.resolve("global").resolve("pg_control");
        byte[] bytes = Files.readAllBytes(file);
        if (bytes.length < DATA_CHECKSUM_VERSION + 4) {
            throw new IOException(file + " is too short for a control file");
        }
        return new ControlFile(
                LittleEndian.i32(bytes, STATE),
                Lsn.of(LittleEndian.i64(bytes, REDO)),
                LittleEndian.u8(bytes, WAL_LOG_HINTS) != 0,
                LittleEndian.i32(bytes, DATA_CHECKSUM_VERSION) != 0);
    }

    /** Whether the server was shut down in order: then the files are exactly what WAL up to {@link #redo} makes of them. */
    public boolean isShutDown() {
        return state == SHUT_DOWN;
    }

    /** XLogHintBitIsNeeded. */
    public boolean hintBitsLogged() {
        return walLogHints || checksums;
    }
}
