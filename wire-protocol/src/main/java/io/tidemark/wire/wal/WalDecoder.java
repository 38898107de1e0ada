package io.tidemark.wire.wal;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException.Reason;
import org.jspecify.annotations.Nullable;

/**
 * Takes one whole record apart.
 *
 * <pre>
 *   record   = header(24) fragment* { image data }(per block) mainData
 *   fragment = id(0..32) forkFlags(u8) dataLength(u16) [imageHeader] [locator(12), unless SAME_REL] block(u32)
 *            | 252 topLevelXid(u32) | 253 originId(u16)
 *            | 254 mainDataLength(u32) | 255 mainDataLength(u8)        the last fragment, when there is one
 *   imageHeader = length(u16) holeOffset(u16) imageInfo(u8) [holeLength(u16), if compressed and with a hole]
 *   imageInfo   = HAS_HOLE 01 | 14: compressed (pglz) 02, APPLY 04 | 15 on: APPLY 02, pglz 04, lz4 08, zstd 10
 * </pre>
 *
 * <p>Fragments end where the rest of the record is exactly the data they have announced. A decoder belongs to one thread.
 */
public final class WalDecoder {
    private static final int ID_TOPLEVEL_XID = 252;
    private static final int ID_ORIGIN = 253;
    private static final int ID_DATA_LONG = 254;
    private static final int ID_DATA_SHORT = 255;

    private static final int IMAGE_HAS_HOLE = 0x01;
    private static final int IMAGE_COMPRESSED_14 = 0x02;
    private static final int IMAGE_APPLY_14 = 0x04;
    private static final int IMAGE_APPLY = 0x02;
    private static final int IMAGE_PGLZ = 0x04;
    private static final int IMAGE_LZ4 = 0x08;
    private static final int IMAGE_ZSTD = 0x10;
    private static final int MAX_FORK = 3;

    private static final int HEAD_BYTES = 4;
    private static final int LOCATOR_BYTES = 12;
    private static final int BLOCK_NUMBER_BYTES = 4;
    private static final int IMAGE_HEADER_BYTES = 5;

    private final int pgMajor;
    private final int applyFlag;
    private final WalRecord next = new WalRecord();

    /** Of the record being decoded. */
    private long start;

    /** @throws IllegalArgumentException when the major version is not 14 to 18 */
    public WalDecoder(int pgMajor) {
        WalPageHeader.magicOf(pgMajor);
        this.pgMajor = pgMajor;
        this.applyFlag = pgMajor == 14 ? IMAGE_APPLY_14 : IMAGE_APPLY;
    }

    /**
     * Decodes a record whose length and CRC have been checked; it is judged all the same, since a CRC proves only that the
     * bytes are those that were written.
     *
     * @param record holds the record, to which the result will refer; page headers removed
     * @param length the record's xl_tot_len
     * @param endLsn the record's end as {@link WalRecord#end} defines it
     */
    public WalRecord decode(byte[] record, int offset, int length, Lsn startLsn, Lsn endLsn)
            throws InvalidWalException {
        WalRecord decoded = new WalRecord();
        decode(decoded, record, offset, length, startLsn.value(), endLsn.value());
        return decoded;
    }

    /**
     * Like {@link #decode(byte[], int, int, Lsn, Lsn)}, into the one record that this decoder has for it: take what is needed before asking
     * for the next one.
     */
    public WalRecord decodeNext(byte[] record, int offset, int length, long startLsn, long endLsn)
            throws InvalidWalException {
        decode(next, record, offset, length, startLsn, endLsn);
        return next;
    }

    /** Like {@link #decode(byte[], int, int, Lsn, Lsn)}, into a record that is there; when it throws, that is of no use. */
    void decode(WalRecord into, byte[] bytes, int offset, int length, long startLsn, long endLsn)
            throws InvalidWalException {
        start = startLsn;
        if (length < WalRecordHeader.SIZE_BYTES || length != LittleEndian.i32(bytes, offset)) {
            throw invalid(Reason.RECORD_LENGTH, length + " bytes given for a record of another length");
        }
        int rmgrId = LittleEndian.u8(bytes, offset + WalRecordHeader.RMID);
        if (rmgrId > ResourceManagers.LAST_BUILTIN) {
            checkCustomResourceManager(rmgrId);
        }
        into.begin(bytes, offset, length, startLsn, endLsn);
        readFragments(into, bytes, offset + WalRecordHeader.SIZE_BYTES, offset + length);
    }

    // Position and sum are locals, a block reference is read here, and the short data that ends most records too: this
    // is run for every
    // record, and fields or a method per fragment cost it a quarter of its time.
    private void readFragments(WalRecord into, byte[] bytes, int first, int end) throws InvalidWalException {
        int at = first;
        int announced = 0;
        int lastId = -1;
        BlockReference before = null;
        while (end - at > announced) {
            int id = LittleEndian.u8(bytes, at);
            if (id > BlockReference.MAX_ID) {
                if (id == ID_DATA_SHORT || id == ID_DATA_LONG) {
                    at = readMainLength(into, id, bytes, at, end, announced);
                    announced += into.mainDataLength();
                    break;
                }
                at = readOther(into, id, bytes, at, end);
                continue;
            }
            if (id <= lastId) {
                throw invalid("block reference " + id + " is out of order");
            }
            lastId = id;
            // One read for id, flags and length.
            int fields = require(HEAD_BYTES, at, end);
            int head = LittleEndian.i32(bytes, at);
            int forkFlags = head >>> 8 & 0xFF;
            int dataLength = head >>> 16;
            checkBlock(id, forkFlags, dataLength);
            BlockReference block = into.addBlock();
            if ((forkFlags & BlockReference.HAS_IMAGE) != 0) {
                PageImage image = block.newImage();
                fields = readImage(image, id, bytes, fields, end, announced);
                announced += image.length();
                into.addImageLength(image.length());
            }
            at = readRelation(block, before, id, forkFlags, bytes, fields, end);
            block.set(id, forkFlags, LittleEndian.i32(bytes, at - BLOCK_NUMBER_BYTES), announced, dataLength);
            announced += dataLength;
            before = block;
        }
        if (end - at != announced) {
            throw invalid((end - at) + " bytes of data present, its headers announce " + announced);
        }
        into.place(at);
    }

    private void checkBlock(int id, int forkFlags, int dataLength) throws InvalidWalException {
        if ((forkFlags & BlockReference.FORK_MASK) > MAX_FORK) {
            throw invalid("block reference " + id + " names fork " + (forkFlags & BlockReference.FORK_MASK));
        }
        if (((forkFlags & BlockReference.HAS_DATA) != 0) != (dataLength > 0)) {
            throw invalid("block reference " + id + " has " + dataLength + " bytes of data, its flags disagree");
        }
    }

    /** Takes the relation over, and returns where the block number ends. */
    private int readRelation(
            BlockReference block, @Nullable BlockReference before, int id, int forkFlags, byte[] bytes, int at, int end)
            throws InvalidWalException {
        if ((forkFlags & BlockReference.SAME_REL) == 0) {
            int next = require(LOCATOR_BYTES + BLOCK_NUMBER_BYTES, at, end);
            block.setRelation(bytes, at);
            return next;
        }
        if (before == null) {
            throw invalid("block reference " + id + " names the relation of the one before it, which does not exist");
        }
        block.setRelation(before);
        return require(BLOCK_NUMBER_BYTES, at, end);
    }

    /** The last fragment: as long as what is left of the record when all else is taken away. Returns where the data area starts. */
    private int readMainLength(WalRecord into, int id, byte[] bytes, int at, int end, int announced)
            throws InvalidWalException {
        int next;
        long length;
        if (id == ID_DATA_SHORT) {
            next = require(2, at, end);
            length = LittleEndian.u8(bytes, at + 1);
        } else {
            next = require(5, at, end);
            length = Integer.toUnsignedLong(LittleEndian.i32(bytes, at + 1));
        }
        if (length != (long) end - next - announced) {
            throw invalid((end - next) + " bytes of data present, its headers announce " + (announced + length));
        }
        into.setMainDataLength((int) length);
        return next;
    }

    private void checkCustomResourceManager(int rmgrId) throws InvalidWalException {
        if (pgMajor < 15 || rmgrId < ResourceManagers.FIRST_CUSTOM) {
            throw invalid(Reason.RESOURCE_MANAGER, "no resource manager " + rmgrId + " in PostgreSQL " + pgMajor);
        }
    }

    /** A fragment that is neither block reference nor the length of the main data; returns where the next one is. */
    private int readOther(WalRecord into, int id, byte[] bytes, int at, int end) throws InvalidWalException {
        return switch (id) {
            case ID_ORIGIN -> {
                int next = require(3, at, end);
                into.setOriginId(LittleEndian.u16(bytes, at + 1));
                yield next;
            }
            case ID_TOPLEVEL_XID -> {
                int next = require(5, at, end);
                into.setTopLevelXid(LittleEndian.i32(bytes, at + 1));
                yield next;
            }
            default -> throw invalid("no fragment has the id " + id);
        };
    }

    /** Fills in an image from its header, and returns where that ends. */
    private int readImage(PageImage image, int id, byte[] bytes, int at, int end, int dataOffset)
            throws InvalidWalException {
        int next = require(IMAGE_HEADER_BYTES, at, end);
        int length = LittleEndian.u16(bytes, at);
        int holeOffset = LittleEndian.u16(bytes, at + 2);
        int info = LittleEndian.u8(bytes, at + 4);
        PageImage.Compression compression = compressionOf(info, id);
        boolean compressed = compression != PageImage.Compression.NONE;
        boolean hasHole = (info & IMAGE_HAS_HOLE) != 0;
        int holeLength;
        if (!compressed) {
            holeLength = PageImage.PAGE_SIZE_BYTES - length;
        } else if (hasHole) {
            holeLength = LittleEndian.u16(bytes, require(2, next, end) - 2);
            next += 2;
        } else {
            holeLength = 0;
        }
        boolean holeIsSane = hasHole
                ? holeOffset > 0 && holeLength > 0 && holeOffset + holeLength <= PageImage.PAGE_SIZE_BYTES
                : holeOffset == 0 && holeLength == 0;
        boolean lengthIsSane = !compressed || length < PageImage.PAGE_SIZE_BYTES;
        if (!holeIsSane || !lengthIsSane) {
            throw invalid("block reference %d has an image of %d bytes, hole at %d of %d bytes, flags %02X"
                    .formatted(id, length, holeOffset, holeLength, info));
        }
        image.set(dataOffset, length, holeOffset, holeLength, compression, (info & applyFlag) != 0);
        return next;
    }

    private PageImage.Compression compressionOf(int info, int id) throws InvalidWalException {
        if (pgMajor == 14) {
            return (info & IMAGE_COMPRESSED_14) != 0 ? PageImage.Compression.PGLZ : PageImage.Compression.NONE;
        }
        return switch (info & (IMAGE_PGLZ | IMAGE_LZ4 | IMAGE_ZSTD)) {
            case 0 -> PageImage.Compression.NONE;
            case IMAGE_PGLZ -> PageImage.Compression.PGLZ;
            case IMAGE_LZ4 -> PageImage.Compression.LZ4;
            case IMAGE_ZSTD -> PageImage.Compression.ZSTD;
            default ->
                throw invalid(
                        "block reference %d has an image with several compressions, flags %02X".formatted(id, info));
        };
    }

    /** The position after {@code count} bytes of fragment headers at {@code at}, which must be there. */
    private int require(int count, int at, int end) throws InvalidWalException {
        if (end - at < count) {
            throw inside();
        }
        return at + count;
    }

    private InvalidWalException inside() {
        return invalid("it ends inside a fragment header");
    }

    private InvalidWalException invalid(String detail) {
        return invalid(Reason.RECORD_BODY, detail);
    }

    private InvalidWalException invalid(Reason reason, String detail) {
        return new InvalidWalException(Lsn.of(start), reason, "the record contradicts itself: " + detail);
    }
}
