package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.key.Value;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.LittleEndian;
import io.tidemark.wire.wal.WalRecord;
import io.tidemark.wire.wal.WalRecordHeader;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Cuts from a record what the redo of one of its blocks needs: the main data, all block numbers, and that block's own data.
 *
 * <p>The rest is other blocks' data, and images that only serve wal_consistency_checking; a record that touches four pages would be
 * stored four times in full otherwise. What comes out is a record again, whose xl_prev and xl_crc are zeros (nobody reads them, and
 * zeros cost nothing in a compressed block). That redo needs no more is in wal-redo 2.7; a page built from foreign data would not
 * survive the comparison with wal_consistency_checking.
 */
final class RecordCut {
    private static final int HAS_DATA = 0x20;
    private static final int WILL_INIT = 0x40;
    private static final int SAME_REL = 0x80;
    private static final int DATA_SHORT = 255;
    private static final int DATA_LONG = 254;
    private static final int MAX_BLOCK_HEADER_BYTES = 20;
    private static final int MAX_MAIN_HEADER_BYTES = 5;

    private byte[] buffer = new byte[16 << 10];
    private int used;

    /** What was cut before is no longer needed. */
    void reset() {
        used = 0;
    }

    /** The part of a record that is about {@code block}; valid until {@link #reset}. */
    Value.Redo cut(WalRecord record, BlockReference block, boolean onZeros) {
        List<BlockReference> blocks = record.blocks();
        int most = WalRecordHeader.SIZE_BYTES
                + blocks.size() * MAX_BLOCK_HEADER_BYTES
                + MAX_MAIN_HEADER_BYTES
                + block.dataLength()
                + record.mainDataLength();
        if (buffer.length - used < most) {
            // Values cut before keep the old array.
            buffer = new byte[Math.max(buffer.length, most)];
            used = 0;
        }
        int start = used;
        int at = writeHeader(record, start);
        BlockReference before = null;
        for (int i = 0; i < blocks.size(); i++) {
            BlockReference reference = blocks.get(i);
            at = writeReference(reference, before, reference == block, at);
            before = reference;
        }
        at = writeMainHeader(record.mainDataLength(), at);
        at = copy(record, block.dataOffset(), block.dataLength(), at);
        at = copy(record, record.mainDataOffset(), record.mainDataLength(), at);
        LittleEndian.putI32(buffer, start, at - start);
        used = at;
        return value(record, block, onZeros, buffer, start, at - start);
    }

    /** The whole record, for redo that looks at other blocks' images. */
    static Value.Redo whole(WalRecord record, BlockReference block, boolean onZeros) {
        return value(record, block, onZeros, record.array(), record.offset(), record.totalLength());
    }

    private static Value.Redo value(
            WalRecord record, BlockReference block, boolean onZeros, byte[] array, int offset, int length) {
        return new Value.Redo(block.id(), record.end().minus(record.start()), onZeros, array, offset, length);
    }

    private int writeHeader(WalRecord record, int at) {
        System.arraycopy(record.array(), record.offset(), buffer, at, WalRecordHeader.SIZE_BYTES);
        Arrays.fill(buffer, at + 8, at + 16, (byte) 0); // xl_prev
        Arrays.fill(buffer, at + 20, at + 24, (byte) 0); // xl_crc
        return at + WalRecordHeader.SIZE_BYTES;
    }

    private int writeReference(BlockReference reference, @Nullable BlockReference before, boolean withData, int at) {
        boolean sameRelation = before != null
                && before.tablespace() == reference.tablespace()
                && before.database() == reference.database()
                && before.relation() == reference.relation();
        int dataLength = withData ? reference.dataLength() : 0;
        int flags = reference.fork()
                | (dataLength > 0 ? HAS_DATA : 0)
                | (reference.willInit() ? WILL_INIT : 0)
                | (sameRelation ? SAME_REL : 0);
        buffer[at] = (byte) reference.id();
        buffer[at + 1] = (byte) flags;
        LittleEndian.putU16(buffer, at + 2, dataLength);
        at += 4;
        if (!sameRelation) {
            LittleEndian.putI32(buffer, at, reference.tablespace());
            LittleEndian.putI32(buffer, at + 4, reference.database());
            LittleEndian.putI32(buffer, at + 8, reference.relation());
            at += 12;
        }
        LittleEndian.putI32(buffer, at, reference.block());
        return at + 4;
    }

    private int writeMainHeader(int length, int at) {
        if (length == 0) {
            return at;
        }
        if (length <= 0xFF) {
            buffer[at] = (byte) DATA_SHORT;
            buffer[at + 1] = (byte) length;
            return at + 2;
        }
        buffer[at] = (byte) DATA_LONG;
        LittleEndian.putI32(buffer, at + 1, length);
        return at + 5;
    }

    private int copy(WalRecord record, int from, int length, int at) {
        System.arraycopy(record.array(), from, buffer, at, length);
        return at + length;
    }
}
