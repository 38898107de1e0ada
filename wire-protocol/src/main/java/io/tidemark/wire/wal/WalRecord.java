package io.tidemark.wire.wal;

import io.tidemark.wire.id.Lsn;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * One decoded record. Refers to the bytes it was decoded from: whoever gets it from a {@link WalRecordReader} must take what
 * is needed before asking for the next one.
 */
public final class WalRecord {
    private final long start;
    private final long end;
    private final byte[] bytes;
    private final int offset;
    private final int totalLength;
    private final BlockReference[] blocks;
    private final int originId;
    private final int topLevelXid;
    private final int mainDataOffset;
    private final int mainDataLength;

    WalRecord(
            long start,
            long end,
            byte[] bytes,
            int offset,
            int totalLength,
            BlockReference[] blocks,
            int originId,
            int topLevelXid,
            int mainDataOffset,
            int mainDataLength) {
        this.start = start;
        this.end = end;
        this.bytes = bytes;
        this.offset = offset;
        this.totalLength = totalLength;
        this.blocks = blocks;
        this.originId = originId;
        this.topLevelXid = topLevelXid;
        this.mainDataOffset = mainDataOffset;
        this.mainDataLength = mainDataLength;
    }

    /** The position of the record's first byte, after any page header. */
    public Lsn start() {
        return Lsn.of(start);
    }

    /** The aligned position after the record; after XLOG_SWITCH the next segment. This is what redo stamps into pages. */
    public Lsn end() {
        return Lsn.of(end);
    }

    /** xl_tot_len: header, images and data, without the page headers in between. */
    public int totalLength() {
        return totalLength;
    }

    /** The bytes of the record that are page images. */
    public int imageLength() {
        int sum = 0;
        for (BlockReference block : blocks) {
            PageImage image = block.image();
            sum += image == null ? 0 : image.length();
        }
        return sum;
    }

    /** xl_xid, unsigned; 0 when the record belongs to no transaction. */
    public int xid() {
        return LittleEndian.i32(bytes, offset + WalRecordHeader.XID);
    }

    /** xl_prev: where the record before this starts. */
    public Lsn prev() {
        return Lsn.of(LittleEndian.i64(bytes, offset + WalRecordHeader.PREV));
    }

    /** xl_info: the resource manager's opcode in the high nibble, flags in the low one. */
    public int info() {
        return LittleEndian.u8(bytes, offset + WalRecordHeader.INFO);
    }

    /** xl_rmid. */
    public int rmgrId() {
        return LittleEndian.u8(bytes, offset + WalRecordHeader.RMID);
    }

    /** xl_crc. */
    public int crc() {
        return LittleEndian.i32(bytes, offset + WalRecordHeader.CRC);
    }

    /** In order of their ids; unmodifiable. */
    public List<BlockReference> blocks() {
        // A view made when asked for: most who count or forward records never do.
        return Collections.unmodifiableList(Arrays.asList(blocks));
    }

    /** The replication origin, 0 when the record was made here. */
    public int originId() {
        return originId;
    }

    /** The top-level transaction that xid belongs to, unsigned; 0 when the record does not say. */
    public int topLevelXid() {
        return topLevelXid;
    }

    public int mainDataLength() {
        return mainDataLength;
    }

    /**
     * The bytes the record was decoded from, shared: not to be changed, and not to be kept longer than the record may be. The
     * record is at {@link #offset}, its main data at {@link #mainDataOffset}.
     */
    public byte[] array() {
        return bytes;
    }

    /** Where the record's header starts in {@link #array}. */
    public int offset() {
        return offset;
    }

    /** Where the data that belongs to no block starts in {@link #array}. */
    public int mainDataOffset() {
        return mainDataOffset;
    }

    /** A copy of the data that belongs to no block. */
    public byte[] mainData() {
        return Arrays.copyOfRange(bytes, mainDataOffset, mainDataOffset + mainDataLength);
    }

    /** A copy of the whole record, header included. */
    public byte[] toBytes() {
        return Arrays.copyOfRange(bytes, offset, offset + totalLength);
    }
}
