package io.tidemark.pageserver.layer.file;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.file.CorruptLayerException.Reason;
import io.tidemark.wire.id.Lsn;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * The bytes of a layer file, delta and image alike.
 *
 * <pre>
 * file    := header block* index filter footer
 * header  := magic:u64 = "TMLAYER1", version:u16, kind:u8 (1 delta, 2 image), 0:u8[5]
 * block   := rows, as one zstd frame or, where that is not shorter, as they are
 * rows    := n:u32  keyHigh:u64[n] keyLow:u64[n] lsn:u64[n] end:u32[n]  bytes:u8*
 *            the bytes of row i end at (end[i] & 0x7FFFFFFF) and begin where those of row i-1 end; the top bit of end: a base
 * index   := per block: keyHigh:u64 keyLow:u64 lsn:u64 (of its first row), position:u64, rowsBytes:u32, crc:u32 (of the block)
 * filter  := groups:u32, then per group: keyHigh:u64 keyLow>>>32:u32 n:u32 (n = 0: one key, keyLow:u32 | else n bytes: a portable
 *            Roaring bitmap of the lower halves of keyLow)
 * footer  := kind:u8 0:u8 version:u16 blocks:u32 number:u64 start:key end:key startLsn:u64 endLsn:u64
 *            indexPosition:u64 filterPosition:u64 indexCrc:u32 filterCrc:u32
 *            versions:u64 valueBytes:u64 baseBytes:u64 supersededBytes:u64 crc:u32 (of the footer before it) 0:u32 magic:u64
 * key     := keyHigh:u64 keyLow:u64
 * </pre>
 *
 * <p>Little endian; CRCs are CRC32C. Rows are sorted by key (unsigned) and, within a key, by falling LSN; no two have the same key
 * and LSN. Blocks stand one behind the other, so the next position is a block's end. Rows never name their own block: the index
 * binds a block's checksum to its place, so blocks cannot change places unnoticed. The footer repeats the layer's range and
 * number, so files cannot either.
 *
 * <p>The header is there for people and {@code file}; everything in it is compared all the same, so that no byte of a layer file
 * can change without a reader noticing before it answers from it.
 */
final class LayerFileFormat {
    static final long MAGIC = 0x31524559414C4D54L;
    static final int VERSION = 1;
    static final int HEADER_BYTES = 16;
    static final int FOOTER_BYTES = 136;
    static final int INDEX_ROW_BYTES = 40;
    /** The fixed part of a row. */
    static final int ROW_BYTES = 28;

    /** No value is longer, in bytes. */
    static final int MAX_VALUE_BYTES = 64 << 20;

    /** No block holds more rows than this, in bytes, before compression: one value of the maximal length, or many small ones. */
    static final int MAX_ROWS_BYTES = MAX_VALUE_BYTES + (4 << 20);

    /** The index and the filter are read whole; no more than this, in bytes, each. */
    static final int MAX_SECTION_BYTES = 1 << 30;

    private static final int FOOTER_CRC_AT = FOOTER_BYTES - 16;

    private LayerFileFormat() {}

    static ByteBuffer allocate(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    static int crc(byte[] bytes, int offset, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, offset, length);
        return (int) crc.getValue();
    }

    /** Of the next {@code length} bytes; the position stays. */
    static int crc(ByteBuffer bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.slice(bytes.position(), length));
        return (int) crc.getValue();
    }

    static ByteBuffer header(LayerKind kind) {
        return allocate(HEADER_BYTES)
                .putLong(MAGIC)
                .putShort((short) VERSION)
                .put((byte) kind.code())
                .rewind();
    }

    /** What the footer says, besides the descriptor. */
    record Footer(
            LayerDescriptor layer, int blocks, long indexPosition, long filterPosition, int indexCrc, int filterCrc) {}

    static ByteBuffer encode(Footer footer) {
        LayerDescriptor layer = footer.layer();
        ByteBuffer out = allocate(FOOTER_BYTES);
        out.put((byte) layer.kind().code())
                .put((byte) 0)
                .putShort((short) VERSION)
                .putInt(footer.blocks());
        out.putLong(layer.number());
        putKey(out, layer.keys().start());
        putKey(out, layer.keys().end());
        out.putLong(layer.startLsn().value()).putLong(layer.endLsn().value());
        out.putLong(footer.indexPosition()).putLong(footer.filterPosition());
        out.putInt(footer.indexCrc()).putInt(footer.filterCrc());
        out.putLong(layer.versions()).putLong(layer.valueBytes());
        out.putLong(layer.baseBytes()).putLong(layer.supersededBytes());
        int crc = crc(out.duplicate().rewind(), FOOTER_CRC_AT);
        return out.putInt(crc).putInt(0).putLong(MAGIC).flip();
    }

    /** Reads a footer and compares the header with it. */
    static Footer decode(String file, ByteBuffer header, ByteBuffer in, long fileBytes) throws CorruptLayerException {
        if (in.getLong(FOOTER_BYTES - Long.BYTES) != MAGIC) {
            throw new CorruptLayerException(file, Reason.NOT_A_LAYER, "does not end like a layer file");
        }
        int version = Short.toUnsignedInt(in.getShort(2));
        if (version != VERSION) {
            throw new CorruptLayerException(
                    file,
                    version > VERSION ? Reason.TOO_NEW : Reason.TOO_OLD,
                    "format version " + version + ", this program reads " + VERSION);
        }
        if (crc(in, FOOTER_CRC_AT) != in.getInt(FOOTER_CRC_AT) || in.getInt(FOOTER_CRC_AT + 4) != 0) {
            throw new CorruptLayerException(file, Reason.DAMAGED, "the footer's checksum is wrong");
        }
        try {
            Footer footer = decodeChecked(in, fileBytes);
            if (!header(footer.layer().kind()).equals(header)) {
                throw new CorruptLayerException(file, Reason.DAMAGED, "header and footer differ");
            }
            return footer;
        } catch (IllegalArgumentException e) {
            throw new CorruptLayerException(file, Reason.DAMAGED, "impossible footer: " + e.getMessage(), e);
        }
    }

    private static Footer decodeChecked(ByteBuffer in, long fileBytes) {
        LayerKind kind = LayerKind.ofCode(in.get());
        in.position(4);
        int blocks = in.getInt();
        long number = in.getLong();
        KeyRange keys = new KeyRange(getKey(in), getKey(in));
        Lsn startLsn = Lsn.of(in.getLong());
        Lsn endLsn = Lsn.of(in.getLong());
        long indexPosition = in.getLong();
        long filterPosition = in.getLong();
        int indexCrc = in.getInt();
        int filterCrc = in.getInt();
        LayerDescriptor layer = new LayerDescriptor(
                kind,
                number,
                keys,
                startLsn,
                endLsn,
                fileBytes,
                in.getLong(),
                in.getLong(),
                in.getLong(),
                in.getLong());
        boolean inOrder = blocks > 0
                && indexPosition >= HEADER_BYTES
                && filterPosition - indexPosition == (long) blocks * INDEX_ROW_BYTES
                && filterPosition - indexPosition <= MAX_SECTION_BYTES
                && fileBytes - FOOTER_BYTES >= filterPosition
                && fileBytes - FOOTER_BYTES - filterPosition <= MAX_SECTION_BYTES;
        if (!inOrder) {
            throw new IllegalArgumentException("sections do not fit into " + fileBytes + " bytes");
        }
        return new Footer(layer, blocks, indexPosition, filterPosition, indexCrc, filterCrc);
    }

    static void putKey(ByteBuffer out, Key key) {
        out.putLong(key.high()).putLong(key.low());
    }

    static Key getKey(ByteBuffer in) {
        return new Key(in.getLong(), in.getLong());
    }

    /** The order of rows: keys rise, LSNs fall. */
    static int compareRows(long high1, long low1, long lsn1, long high2, long low2, long lsn2) {
        int order = Key.compare(high1, low1, high2, low2);
        return order != 0 ? order : Long.compareUnsigned(lsn2, lsn1);
    }
}
