package io.tidemark.pageserver.pgcontrol;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.wal.LittleEndian;
import io.tidemark.wire.wal.WalPageHeader;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * PostgreSQL's global/pg_control (ControlFileData in catalog/pg_control.h): 8192 bytes of which 296 mean something, changed in place.
 *
 * <pre>
 *   0 system_identifier(u64) | 8 pg_control_version(u32) | 12 catalog_version_no(u32) | 16 state(i32) | 24 time(i64)
 *  32 checkPoint(u64) | 40 checkPointCopy(88) | 128 unloggedLSN(u64) | 136 minRecoveryPoint(u64) | 144 its tli(u32)
 * 152 backupStartPoint(u64) | 160 backupEndPoint(u64) | 168 backupEndRequired(u8) | 172 wal_level(i32) | 176 wal_log_hints(u8)
 * 180 MaxConnections(i32) | 184 max_worker_processes(i32) | 188 max_wal_senders(i32) | 192 max_prepared_xacts(i32)
 * 196 max_locks_per_xact(i32) | 200 track_commit_timestamp(u8) | 204 maxAlign(u32) | 208 floatFormat(f64) | 216 blcksz(u32)
 * 220 relseg_size(u32) | 224 xlog_blcksz(u32) | 228 xlog_seg_size(u32) ... 252 data_checksum_version(u32)
 * 14 to 17: 256 mock_authentication_nonce(32) | 288 crc      18: 256 default_char_signedness(u8) | 257 nonce(32) | 292 crc
 *   crc = CRC-32C of everything before it
 * </pre>
 */
public final class ControlFile {
    /** PG_CONTROL_FILE_SIZE. */
    public static final int SIZE_BYTES = 8192;

    /** What the struct takes of it. */
    private static final int MEANINGFUL_BYTES = 296;

    private static final int SYSTEM_IDENTIFIER = 0;
    private static final int PG_CONTROL_VERSION = 8;
    private static final int CATALOG_VERSION = 12;
    private static final int STATE = 16;
    private static final int TIME = 24;
    private static final int IN_ARCHIVE_RECOVERY = 5;
    private static final int CHECKPOINT = 32;
    private static final int CHECKPOINT_COPY = 40;
    private static final int MIN_RECOVERY_POINT = 136;
    private static final int MIN_RECOVERY_POINT_TLI = 144;
    private static final int BACKUP_START_POINT = 152;
    private static final int WAL_LEVEL = 172;
    private static final int WAL_LOG_HINTS = 176;
    private static final int MAX_CONNECTIONS = 180;
    private static final int TRACK_COMMIT_TIMESTAMP = 200;
    private static final int BLOCK_SIZE = 216;
    private static final int RELATION_SEGMENT_BLOCKS = 220;
    private static final int WAL_BLOCK_SIZE = 224;
    private static final int WAL_SEGMENT_SIZE = 228;
    private static final int DATA_CHECKSUM_VERSION = 252;

    private final byte[] bytes;
    private final int pgMajor;

    private ControlFile(byte[] bytes, int pgMajor) {
        this.bytes = bytes;
        this.pgMajor = pgMajor;
    }

    /** DBState. */
    public enum State {
        STARTUP,
        SHUT_DOWN,
        SHUT_DOWN_IN_RECOVERY,
        SHUTTING_DOWN,
        IN_CRASH_RECOVERY,
        IN_ARCHIVE_RECOVERY,
        IN_PRODUCTION;

        private static final State[] BY_NUMBER = values();
    }

    /**
     * Reads a control file and checks it.
     *
     * @throws InvalidControlFileException when it is of another version, or damaged
     */
    public static ControlFile read(byte[] file, int pgMajor) throws InvalidControlFileException {
        if (file.length < MEANINGFUL_BYTES || file.length > SIZE_BYTES) {
            throw new InvalidControlFileException(
                    "pg_control has " + file.length + " bytes, expected " + MEANINGFUL_BYTES + " to " + SIZE_BYTES);
        }
        ControlFile control = new ControlFile(Arrays.copyOf(file, SIZE_BYTES), pgMajor);
        control.check();
        return control;
    }

    private void check() throws InvalidControlFileException {
        int version = LittleEndian.i32(bytes, PG_CONTROL_VERSION);
        if (version != versionOf(pgMajor)) {
            throw new InvalidControlFileException("pg_control has the version " + Integer.toUnsignedString(version)
                    + ", that of PostgreSQL " + pgMajor + " is " + versionOf(pgMajor));
        }
        if (LittleEndian.i32(bytes, crcOffset()) != computedCrc()) {
            throw new InvalidControlFileException("pg_control is damaged: its CRC does not match its bytes");
        }
        int state = LittleEndian.i32(bytes, STATE);
        if (state < 0 || state >= State.BY_NUMBER.length) {
            throw new InvalidControlFileException("pg_control has the unknown state " + state);
        }
        requireNumber(BLOCK_SIZE, 8192, "blocks", "bytes");
        requireNumber(RELATION_SEGMENT_BLOCKS, 131_072, "relation segments", "blocks");
        requireNumber(WAL_BLOCK_SIZE, 8192, "WAL pages", "bytes");
        if (!WalPageHeader.isSegmentSize(walSegmentSizeBytes())) {
            throw new InvalidControlFileException(
                    "pg_control has WAL segments of " + Integer.toUnsignedString(walSegmentSizeBytes()) + " bytes");
        }
    }

    private void requireNumber(int at, int expected, String what, String unit) throws InvalidControlFileException {
        int actual = LittleEndian.i32(bytes, at);
        if (actual != expected) {
            throw new InvalidControlFileException("this PostgreSQL was built with " + what + " of "
                    + Integer.toUnsignedString(actual) + " " + unit + "; only " + expected + " can be served");
        }
    }

    /** PG_CONTROL_VERSION of a major version. */
    private static int versionOf(int pgMajor) {
        return switch (pgMajor) {
            case 14, 15, 16 -> 1300;
            case 17 -> 1700;
            default -> 1800;
        };
    }

    private int crcOffset() {
        return pgMajor < 18 ? 288 : 292;
    }

    private int computedCrc() {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, crcOffset());
        return (int) crc.getValue();
    }

    /** The whole file, with its CRC. */
    public byte[] toBytes() {
        LittleEndian.putI32(bytes, crcOffset(), computedCrc());
        return bytes.clone();
    }

    public int pgMajor() {
        return pgMajor;
    }

    public SystemId systemId() {
        return new SystemId(LittleEndian.i64(bytes, SYSTEM_IDENTIFIER));
    }

    public int catalogVersion() {
        return LittleEndian.i32(bytes, CATALOG_VERSION);
    }

    public State state() {
        return State.BY_NUMBER[LittleEndian.i32(bytes, STATE)];
    }

    /** DB_SHUTDOWNED: the next start needs no recovery. */
    public void setShutDown() {
        LittleEndian.putI32(bytes, STATE, 1);
    }

    /**
     * DB_IN_ARCHIVE_RECOVERY, and consistent at {@code minRecoveryPoint}: as the control file of a backup that was taken from a standby.
     */
    public void setInRecovery(Lsn minRecoveryPoint, int tli) {
        clearRecovery();
        LittleEndian.putI32(bytes, STATE, IN_ARCHIVE_RECOVERY);
        LittleEndian.putI64(bytes, MIN_RECOVERY_POINT, minRecoveryPoint.value());
        LittleEndian.putI32(bytes, MIN_RECOVERY_POINT_TLI, tli);
    }

    /** When the file was last written: seconds since 1970. */
    public void setTime(long secondsSince1970) {
        LittleEndian.putI64(bytes, TIME, secondsSince1970);
    }

    /** Where the last checkpoint record starts. */
    public Lsn checkPointLsn() {
        return Lsn.of(LittleEndian.i64(bytes, CHECKPOINT));
    }

    /** A copy of the last checkpoint. */
    public CheckPoint checkPoint() {
        return CheckPoint.copyOf(bytes, CHECKPOINT_COPY);
    }

    /** The last checkpoint is this one. */
    public void setCheckPoint(Lsn lsn, CheckPoint checkPoint) {
        LittleEndian.putI64(bytes, CHECKPOINT, lsn.value());
        checkPoint.copyTo(bytes, CHECKPOINT_COPY);
    }

    /** Forgets how far a recovery or a backup has to go before the data is consistent. */
    public void clearRecovery() {
        Arrays.fill(bytes, MIN_RECOVERY_POINT, WAL_LEVEL, (byte) 0);
    }

    /** Where the backup starts whose end has not been reached; invalid when there is none. */
    public Lsn backupStartLsn() {
        return Lsn.of(LittleEndian.i64(bytes, BACKUP_START_POINT));
    }

    /** 0 minimal, 1 replica, 2 logical. */
    public int walLevel() {
        return LittleEndian.i32(bytes, WAL_LEVEL);
    }

    public void setWalLevel(int level) {
        LittleEndian.putI32(bytes, WAL_LEVEL, level);
    }

    public boolean walLogHints() {
        return bytes[WAL_LOG_HINTS] != 0;
    }

    public void setWalLogHints(boolean on) {
        bytes[WAL_LOG_HINTS] = (byte) (on ? 1 : 0);
    }

    public boolean trackCommitTimestamp() {
        return bytes[TRACK_COMMIT_TIMESTAMP] != 0;
    }

    public void setTrackCommitTimestamp(boolean on) {
        bytes[TRACK_COMMIT_TIMESTAMP] = (byte) (on ? 1 : 0);
    }

    /**
     * What a standby must have at least as much of.
     *
     * @param maxConnections max_connections
     * @param maxWorkerProcesses max_worker_processes
     * @param maxWalSenders max_wal_senders
     * @param maxPreparedXacts max_prepared_transactions
     * @param maxLocksPerXact max_locks_per_transaction
     */
    public record Limits(
            int maxConnections, int maxWorkerProcesses, int maxWalSenders, int maxPreparedXacts, int maxLocksPerXact) {
        /** Five numbers in this order, as here so in XLOG_PARAMETER_CHANGE. */
        public static Limits read(byte[] array, int at) {
            return new Limits(
                    LittleEndian.i32(array, at),
                    LittleEndian.i32(array, at + 4),
                    LittleEndian.i32(array, at + 8),
                    LittleEndian.i32(array, at + 12),
                    LittleEndian.i32(array, at + 16));
        }
    }

    public Limits limits() {
        return Limits.read(bytes, MAX_CONNECTIONS);
    }

    public void setLimits(Limits limits) {
        LittleEndian.putI32(bytes, MAX_CONNECTIONS, limits.maxConnections());
        LittleEndian.putI32(bytes, MAX_CONNECTIONS + 4, limits.maxWorkerProcesses());
        LittleEndian.putI32(bytes, MAX_CONNECTIONS + 8, limits.maxWalSenders());
        LittleEndian.putI32(bytes, MAX_CONNECTIONS + 12, limits.maxPreparedXacts());
        LittleEndian.putI32(bytes, MAX_CONNECTIONS + 16, limits.maxLocksPerXact());
    }

    public int walSegmentSizeBytes() {
        return LittleEndian.i32(bytes, WAL_SEGMENT_SIZE);
    }

    /** 0 when pages have no checksums. */
    public int dataChecksumVersion() {
        return LittleEndian.i32(bytes, DATA_CHECKSUM_VERSION);
    }
}
