package io.tidemark.wire.wal;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One page that a record names: where it is, and the image and data that the record brings for it. */
public final class BlockReference {
    /** XLR_MAX_BLOCK_ID. */
    public static final int MAX_ID = 32;

    static final int FORK_MASK = 0x0F;
    static final int HAS_IMAGE = 0x10;
    static final int HAS_DATA = 0x20;
    static final int WILL_INIT = 0x40;
    static final int SAME_REL = 0x80;

    private final int id;
    private final int forkFlags;
    private final int tablespace;
    private final int database;
    private final int relation;
    private final int block;
    private final @Nullable PageImage image;
    private final byte[] bytes;
    private int dataOffset;
    private final int dataLength;

    BlockReference(
            int id,
            int forkFlags,
            int tablespace,
            int database,
            int relation,
            int block,
            @Nullable PageImage image,
            byte[] bytes,
            int dataOffset,
            int dataLength) {
        this.id = id;
        this.forkFlags = forkFlags;
        this.tablespace = tablespace;
        this.database = database;
        this.relation = relation;
        this.block = block;
        this.image = image;
        this.bytes = bytes;
        this.dataOffset = dataOffset;
        this.dataLength = dataLength;
    }

    /** While decoding: turns offsets into the record's data area into offsets into its bytes. */
    void place(int dataArea) {
        dataOffset += dataArea;
        if (image != null) {
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
        return image;
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
        return Arrays.copyOfRange(bytes, dataOffset, dataOffset + dataLength);
    }
}
