package io.tidemark.wire.wal;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One page that a record names: where it is, and the image and data that the record brings for it. Part of its record, and valid
 * as long.
 */
public final class BlockReference {
    /** XLR_MAX_BLOCK_ID. */
    public static final int MAX_ID = 32;

    static final int FORK_MASK = 0x0F;
    static final int HAS_IMAGE = 0x10;
    static final int HAS_DATA = 0x20;
    static final int WILL_INIT = 0x40;
    static final int SAME_REL = 0x80;

    private final WalRecord record;
    private int id;
    private int forkFlags;
    private int tablespace;
    private int database;
    private int relation;
    private int block;
    private int dataOffset;
    private int dataLength;

    /** Made when first needed; this reference has it only with {@link #HAS_IMAGE}. */
    private @Nullable PageImage image;

    BlockReference(WalRecord record) {
        this.record = record;
    }

    /** While decoding: the offset is one into the record's data area until {@link #place}. */
    void set(int id, int forkFlags, int block, int dataOffset, int dataLength) {
        this.id = id;
        this.forkFlags = forkFlags;
        this.block = block;
        this.dataOffset = dataOffset;
        this.dataLength = dataLength;
    }

    /** While decoding: the relation from its 12 bytes in a record. */
    void setRelation(byte[] bytes, int locator) {
        tablespace = LittleEndian.i32(bytes, locator);
        database = LittleEndian.i32(bytes, locator + 4);
        relation = LittleEndian.i32(bytes, locator + 8);
    }

    /** While decoding: the relation that the reference before names. */
    void setRelation(BlockReference before) {
        tablespace = before.tablespace;
        database = before.database;
        relation = before.relation;
    }

    /** While decoding: the image to fill in. */
    PageImage newImage() {
        if (image == null) {
            image = new PageImage(record);
        }
        return image;
    }

    /** While decoding: turns offsets into the record's data area into offsets into its bytes. */
    void place(int dataArea) {
        dataOffset += dataArea;
        if (image != null && (forkFlags & HAS_IMAGE) != 0) {
            image.place(dataArea);
        }
    }

    /** The number by which redo knows this reference: 0 to {@link #MAX_ID}, increasing within a record, maybe with gaps. */
    public int id() {
        return id;
    }

    /** 0 main, 1 fsm, 2 vm, 3 init. */
    public int fork() {
        return forkFlags & FORK_MASK;
    }

    /** Whether redo builds the page from nothing. */
    public boolean willInit() {
        return (forkFlags & WILL_INIT) != 0;
    }

    /** spcNode, the tablespace's oid. */
    public int tablespace() {
        return tablespace;
    }

    /** dbNode, the database's oid; 0 for a shared relation. */
    public int database() {
        return database;
    }

    /** relNode or relNumber: the relation's file number. */
    public int relation() {
        return relation;
    }

    /** The block number, unsigned. */
    public int block() {
        return block;
    }

    /** The full page image, null when the record has none for this block. */
    public @Nullable PageImage image() {
        return (forkFlags & HAS_IMAGE) != 0 ? image : null;
    }

    /** The length in bytes of the data that belongs to this block, without the image. */
    public int dataLength() {
        return dataLength;
    }

    /** Where the data that belongs to this block starts in {@link WalRecord#array}. */
    public int dataOffset() {
        return dataOffset;
    }

    /** A copy of the data that belongs to this block. */
    public byte[] data() {
        return Arrays.copyOfRange(record.array(), dataOffset, dataOffset + dataLength);
    }
}
