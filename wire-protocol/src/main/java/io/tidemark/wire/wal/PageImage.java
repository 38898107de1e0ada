package io.tidemark.wire.wal;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import io.tidemark.wire.wal.InvalidWalException.Reason;
import java.util.Arrays;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;

/**
 * A full page image inside a record: a page without its hole (a run of zeros between the line pointers and the tuples),
 * maybe compressed. Part of its record: refers to the same bytes, and is valid as long.
 */
public final class PageImage {
    public static final int PAGE_SIZE_BYTES = 8192;

    /** How the bytes are packed. PostgreSQL 14 knows only pglz. */
    public enum Compression {
        NONE,
        PGLZ,
        LZ4,
        ZSTD
    }

    private final WalRecord record;
    private int offset;
    private int length;
    private int holeOffset;
    private int holeLength;
    private Compression compression = Compression.NONE;
    private boolean apply;

    PageImage(WalRecord record) {
        this.record = record;
    }

    /** While decoding: the offset is one into the record's data area until {@link #place}. */
    void set(int offset, int length, int holeOffset, int holeLength, Compression compression, boolean apply) {
        this.offset = offset;
        this.length = length;
        this.holeOffset = holeOffset;
        this.holeLength = holeLength;
        this.compression = compression;
        this.apply = apply;
    }

    /** While decoding: turns an offset into the record's data area into one into its bytes. */
    void place(int dataArea) {
        offset += dataArea;
    }

    /** bimg_len: the bytes that the image takes in the record. */
    public int length() {
        return length;
    }

    /** Where the hole starts; 0 without one. */
    public int holeOffset() {
        return holeOffset;
    }

    /** The length of the hole; 0 without one. */
    public int holeLength() {
        return holeLength;
    }

    public Compression compression() {
        return compression;
    }

    /** Whether redo must use the image; else it only serves wal_consistency_checking. */
    public boolean apply() {
        return apply;
    }

    /**
     * Restores the whole page.
     *
     * @param page receives {@link #PAGE_SIZE_BYTES} bytes from its start
     * @throws InvalidWalException when the compressed bytes do not give exactly the page without its hole
     */
    public void restore(byte[] page) throws InvalidWalException {
        int rawLength = PAGE_SIZE_BYTES - holeLength;
        if (compression == Compression.NONE && length == rawLength) {
            copyAroundHole(page);
            return;
        }
        if (!unpack(page, rawLength)) {
            throw new InvalidWalException(
                    record.start(),
                    Reason.IMAGE,
                    compression + " page image of " + length + " bytes does not unpack to " + rawLength);
        }
        if (holeLength > 0) {
            System.arraycopy(page, holeOffset, page, holeOffset + holeLength, rawLength - holeOffset);
            Arrays.fill(page, holeOffset, holeOffset + holeLength, (byte) 0);
        }
    }

    private void copyAroundHole(byte[] page) {
        int holeEnd = holeOffset + holeLength;
        byte[] bytes = record.array();
        System.arraycopy(bytes, offset, page, 0, holeOffset);
        Arrays.fill(page, holeOffset, holeEnd, (byte) 0);
        System.arraycopy(bytes, offset + holeOffset, page, holeEnd, PAGE_SIZE_BYTES - holeEnd);
    }

    private boolean unpack(byte[] page, int rawLength) {
        byte[] bytes = record.array();
        return switch (compression) {
            case NONE -> false; // has another length than it should
            case PGLZ -> Pglz.decompress(bytes, offset, length, page, 0, rawLength);
            case LZ4 -> {
                try {
                    // The plain Java decompressor: one page is too little to be worth native code on hostile input.
                    yield LZ4Factory.safeInstance()
                                    .safeDecompressor()
                                    .decompress(bytes, offset, length, page, 0, rawLength)
                            == rawLength;
                } catch (LZ4Exception e) {
                    yield false;
                }
            }
            case ZSTD -> {
                try {
                    yield Zstd.decompressByteArray(page, 0, rawLength, bytes, offset, length) == rawLength;
                } catch (ZstdException e) {
                    yield false;
                }
            }
        };
    }
}
