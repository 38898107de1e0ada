package io.tidemark.wire.wal;

import io.tidemark.wire.id.Lsn;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.RandomAccess;
import org.jspecify.annotations.Nullable;

/**
 * One decoded record. Refers to the bytes it was decoded from. A {@link WalRecordReader} has only one, with its blocks and images, and
 * decodes the next record into it: whoever gets it must take what is needed before asking for the next one. That saves three to five
 * objects per record, a fifth of the time that decoding takes.
 */
public final class WalRecord {
    private static final BlockReference[] NO_BLOCKS = {};

    private long start;
    private long end;
    private byte[] bytes = new byte[0];
    private int offset;
    private int totalLength;
    private int imageLength;
    private int originId;
    private int topLevelXid;
    private int mainDataLength;

    /** The first {@code blockCount} are the record's, the others up to {@code made} are there to be used again. */
    private BlockReference[] blocks = NO_BLOCKS;

    private int blockCount;
    private int made;
    private @Nullable Blocks view;

    WalRecord() {}

    /** While decoding: forgets the record before. */
    void begin(byte[] bytes, int offset, int totalLength, long start, long end) {
        this.bytes = bytes;
        this.offset = offset;
        this.totalLength = totalLength;
        this.start = start;
        this.end = end;
        imageLength = 0;
        originId = 0;
        topLevelXid = 0;
        mainDataLength = 0;
        blockCount = 0;
    }

    /** While decoding: one more block reference to fill in. */
    BlockReference addBlock() {
        if (blockCount == made) {
            makeBlock();
        }
        return blocks[blockCount++];
    }

    private void makeBlock() {
        if (made == blocks.length) {
            blocks = Arrays.copyOf(blocks, Math.max(1, 2 * made));
        }
        blocks[made++] = new BlockReference(this);
    }

    void addImageLength(int length) {
        imageLength += length;
    }

    void setOriginId(int originId) {
        this.originId = originId;
    }

    void setTopLevelXid(int topLevelXid) {
        this.topLevelXid = topLevelXid;
    }

    void setMainDataLength(int mainDataLength) {
        this.mainDataLength = mainDataLength;
    }

    /** While decoding: says where the data area starts, once all headers are known. */
    void place(int dataArea) {
        for (int i = 0; i < blockCount; i++) {
            blocks[i].place(dataArea);
        }
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
        return imageLength;
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

    /** In order of their ids; unmodifiable, valid as long as the record. */
    public List<BlockReference> blocks() {
        // A view made when first asked for: most who count or forward records never do.
        if (view == null) {
            view = new Blocks();
        }
        return view;
    }

    /** The block reference of this id; null when the record has none. */
    public @Nullable BlockReference block(int id) {
        for (int i = 0; i < blockCount; i++) {
            if (blocks[i].id() == id) {
                return blocks[i];
            }
        }
        return null;
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
        return offset + totalLength - mainDataLength;
    }

    /** A copy of the data that belongs to no block. */
    public byte[] mainData() {
        return Arrays.copyOfRange(bytes, mainDataOffset(), mainDataOffset() + mainDataLength);
    }

    /** A copy of the whole record, header included. */
    public byte[] toBytes() {
        return Arrays.copyOfRange(bytes, offset, offset + totalLength);
    }

    private final class Blocks extends AbstractList<BlockReference> implements RandomAccess {
        @Override
        public BlockReference get(int index) {
            return blocks[Objects.checkIndex(index, blockCount)];
        }

        @Override
        public int size() {
            return blockCount;
        }
    }
}
