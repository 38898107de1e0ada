package io.tidemark.wire.wal;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException.Reason;

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

    private static final BlockReference[] NO_BLOCKS = {};
    private static final int MIN_BLOCK_BYTES = 4;

    private final int pgMajor;
    private final int applyFlag;

    // The record being decoded.
    private byte[] bytes = new byte[0];
    private int at;
    private int end;
    private long start;
    private long announced;
    private int originId;
    private int topLevelXid;
    private int mainDataLength;
    private int tablespace;
    private int database;
    private int relation;

    /** The first {@code blockCount} are the record's; the record gets a copy of its size. */
    private final BlockReference[] blocks = new BlockReference[BlockReference.MAX_ID + 1];

    private int blockCount;
    private int lastId;

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
        return decode(record, offset, length, startLsn.value(), endLsn.value());
    }

    WalRecord decode(byte[] record, int offset, int length, long startLsn, long endLsn) throws InvalidWalException {
        bytes = record;
        at = offset + WalRecordHeader.SIZE_BYTES;
        end = offset + length;
        start = startLsn;
        announced = 0;
        originId = 0;
        topLevelXid = 0;
        mainDataLength = 0;
        blockCount = 0;
        lastId = -1;
        if (length < WalRecordHeader.SIZE_BYTES || length != LittleEndian.i32(record, offset)) {
            throw invalid(Reason.RECORD_LENGTH, length + " bytes given for a record of another length");
        }
        checkResourceManager(LittleEndian.u8(record, offset + WalRecordHeader.RMID));
        readFragments();
        if (end - at != announced) {
            throw invalid((end - at) + " bytes of data present, its headers announce " + announced);
        }
        return new WalRecord(
                startLsn,
                endLsn,
                record,
                offset,
                length,
                placedBlocks(),
                originId,
                topLevelXid,
                end - mainDataLength,
                mainDataLength);
    }

    private BlockReference[] placedBlocks() {
        if (blockCount == 0) {
            return NO_BLOCKS;
        }
        BlockReference[] placed = new BlockReference[blockCount];
        for (int i = 0; i < placed.length; i++) {
            BlockReference block = blocks[i];
            block.place(at);
            placed[i] = block;
        }
        return placed;
    }

    private void checkResourceManager(int rmgrId) throws InvalidWalException {
        if (rmgrId > ResourceManagers.LAST_BUILTIN && (pgMajor < 15 || rmgrId < ResourceManagers.FIRST_CUSTOM)) {
            throw invalid(Reason.RESOURCE_MANAGER, "no resource manager " + rmgrId + " in PostgreSQL " + pgMajor);
        }
    }

    private void readFragments() throws InvalidWalException {
        while (end - at > announced) {
            int id = LittleEndian.u8(bytes, at);
            if (id <= BlockReference.MAX_ID) {
                readBlock(id);
                continue;
            }
            at++;
            switch (id) {
                case ID_DATA_SHORT -> {
                    mainDataLength = LittleEndian.u8(bytes, take(1));
                    announced += mainDataLength;
                    return;
                }
                case ID_DATA_LONG -> {
                    mainDataLength = LittleEndian.i32(bytes, take(4));
                    announced += Integer.toUnsignedLong(mainDataLength);
                    return;
                }
                case ID_ORIGIN -> originId = LittleEndian.u16(bytes, take(2));
                case ID_TOPLEVEL_XID -> topLevelXid = LittleEndian.i32(bytes, take(4));
                default -> throw invalid("no fragment has the id " + id);
            }
        }
    }

    private void readBlock(int id) throws InvalidWalException {
        if (id <= lastId) {
            throw invalid("block reference " + id + " is out of order");
        }
        lastId = id;
        // One read for id, flags and length: this is run for every block of every record.
        int head = LittleEndian.i32(bytes, take(MIN_BLOCK_BYTES));
        int forkFlags = head >>> 8 & 0xFF;
        int dataLength = head >>> 16;
        if ((forkFlags & BlockReference.FORK_MASK) > MAX_FORK) {
            throw invalid("block reference " + id + " names fork " + (forkFlags & BlockReference.FORK_MASK));
        }
        if (((forkFlags & BlockReference.HAS_DATA) != 0) != (dataLength > 0)) {
            throw invalid("block reference " + id + " has " + dataLength + " bytes of data, its flags disagree");
        }
        PageImage image = null;
        if ((forkFlags & BlockReference.HAS_IMAGE) != 0) {
            image = readImage(id);
            announced += image.length();
        }
        int block;
        if ((forkFlags & BlockReference.SAME_REL) == 0) {
            int locator = take(16);
            tablespace = LittleEndian.i32(bytes, locator);
            database = LittleEndian.i32(bytes, locator + 4);
            relation = LittleEndian.i32(bytes, locator + 8);
            block = LittleEndian.i32(bytes, locator + 12);
        } else if (blockCount > 0) {
            block = LittleEndian.i32(bytes, take(4));
        } else {
            throw invalid("block reference " + id + " names the relation of the one before it, which does not exist");
        }
        blocks[blockCount++] = new BlockReference(
                id, forkFlags, tablespace, database, relation, block, image, bytes, (int) announced, dataLength);
        announced += dataLength;
    }

    private PageImage readImage(int id) throws InvalidWalException {
        int fixed = take(5);
        int length = LittleEndian.u16(bytes, fixed);
        int holeOffset = LittleEndian.u16(bytes, fixed + 2);
        int info = LittleEndian.u8(bytes, fixed + 4);
        PageImage.Compression compression = compressionOf(info, id);
        boolean compressed = compression != PageImage.Compression.NONE;
        boolean hasHole = (info & IMAGE_HAS_HOLE) != 0;
        int holeLength;
        if (compressed) {
            holeLength = hasHole ? LittleEndian.u16(bytes, take(2)) : 0;
        } else {
            holeLength = PageImage.PAGE_SIZE_BYTES - length;
        }
        boolean holeIsSane = hasHole
                ? holeOffset > 0 && holeLength > 0 && holeOffset + holeLength <= PageImage.PAGE_SIZE_BYTES
                : holeOffset == 0 && holeLength == 0;
        boolean lengthIsSane = !compressed || length < PageImage.PAGE_SIZE_BYTES;
        if (!holeIsSane || !lengthIsSane) {
            throw invalid("block reference %d has an image of %d bytes, hole at %d of %d bytes, flags %02X"
                    .formatted(id, length, holeOffset, holeLength, info));
        }
        return new PageImage(
                start, bytes, (int) announced, length, holeOffset, holeLength, compression, (info & applyFlag) != 0);
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

    /** Steps over {@code count} bytes of fragment headers and returns where they are. */
    private int take(int count) throws InvalidWalException {
        if (end - at < count) {
            throw invalid("it ends inside a fragment header");
        }
        int taken = at;
        at += count;
        return taken;
    }

    private InvalidWalException invalid(String detail) {
        return invalid(Reason.RECORD_BODY, detail);
    }

    private InvalidWalException invalid(Reason reason, String detail) {
        return new InvalidWalException(Lsn.of(start), reason, "the record contradicts itself: " + detail);
    }
}
