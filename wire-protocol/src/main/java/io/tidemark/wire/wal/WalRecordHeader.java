package io.tidemark.wire.wal;

/**
 * The layout of PostgreSQL's XLogRecord, the 24 bytes before every record. All fields little endian.
 *
 * <pre>
 *   0 u32 xl_tot_len    4 u32 xl_xid    8 u64 xl_prev   16 u8 xl_info   17 u8 xl_rmid   18 2 zero bytes
 *  20 u32 xl_crc: CRC-32C of bytes [24, xl_tot_len), then of bytes [0, 20)
 * </pre>
 */
public final class WalRecordHeader {
    public static final int SIZE_BYTES = 24;

    /** XLogRecordMaxSize: PostgreSQL writes no longer record. */
    public static final int MAX_RECORD_BYTES = 1020 << 20;

    static final int TOTAL_LENGTH = 0;
    static final int XID = 4;
    static final int PREV = 8;
    static final int INFO = 16;
    static final int RMID = 17;
    static final int CRC = 20;

    /** Records start at multiples of this. */
    static final int ALIGNMENT = 8;

    static final int RM_XLOG = 0;
    static final int XLOG_SWITCH = 0x40;
    static final int XLOG_OVERWRITE_CONTRECORD = 0xD0;

    private WalRecordHeader() {}

    /**
     * Whether a record is an XLOG_SWITCH, after which the rest of the segment is padding. The flags in the low nibble of
     * xl_info never accompany it.
     */
    static boolean isSwitch(int rmid, int info) {
        return rmid == RM_XLOG && info == XLOG_SWITCH;
    }
}
