package io.tidemark.pageserver.redo;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalDecoder;
import io.tidemark.wire.wal.WalRecord;
import java.util.ArrayList;
import java.util.List;

/** Makes one record, byte by byte as a server would, and decodes it. Numbers in parts are little endian. */
final class RecordBuilder {
    static final Lsn START = Lsn.parse("0/1000028");
    static final Lsn END = Lsn.parse("0/1000100");
    static final int XID = 735;

    private static final int HAS_IMAGE = 0x10;
    private static final int HAS_DATA = 0x20;
    private static final int WILL_INIT = 0x40;
    private static final int PAGE_SIZE_BYTES = 8192;

    private record Block(int id, int number, int flags, ByteBuf data, ByteBuf image, boolean apply) {}

    private final int rmgrId;
    private final int info;
    private final List<Block> blocks = new ArrayList<>();
    private byte[] main = new byte[0];

    RecordBuilder(int rmgrId, int info) {
        this.rmgrId = rmgrId;
        this.info = info;
    }

    /** Main data. */
    RecordBuilder main(ByteBuf data) {
        main = bytesOf(data);
        return this;
    }

    /** A block that redo changes. */
    RecordBuilder block(int id, int number) {
        return block(id, number, part());
    }

    /** A block that redo changes, with data. */
    RecordBuilder block(int id, int number, ByteBuf data) {
        blocks.add(new Block(id, number, 0, data.copy(), part(), false));
        return this;
    }

    /** A block that redo makes from nothing. */
    RecordBuilder initBlock(int id, int number, ByteBuf data) {
        blocks.add(new Block(id, number, WILL_INIT, data.copy(), part(), false));
        return this;
    }

    /** A block of the visibility map that redo changes. */
    RecordBuilder mapBlock(int id, int number) {
        blocks.add(new Block(id, number, Fork.VM.number(), part(), part(), false));
        return this;
    }

    /** A block with a whole page as its image. */
    RecordBuilder image(int id, int number, byte[] page, boolean apply) {
        blocks.add(new Block(id, number, 0, part(), part().writeBytes(page), apply));
        return this;
    }

    /** An empty part of a record, to be filled. */
    static ByteBuf part() {
        return Unpooled.buffer();
    }

    static byte[] bytesOf(ByteBuf data) {
        byte[] bytes = new byte[data.readableBytes()];
        data.getBytes(data.readerIndex(), bytes);
        return bytes;
    }

    /** The record as a server of this major version writes it. */
    WalRecord build(int pgMajor) {
        ByteBuf body = part();
        for (Block block : blocks) {
            boolean hasImage = block.image.isReadable();
            boolean hasData = block.data.isReadable();
            body.writeByte(block.id)
                    .writeByte(block.flags | (hasImage ? HAS_IMAGE : 0) | (hasData ? HAS_DATA : 0))
                    .writeShortLE(block.data.readableBytes());
            if (hasImage) {
                int apply = pgMajor == 14 ? 0x04 : 0x02;
                body.writeShortLE(PAGE_SIZE_BYTES).writeShortLE(0).writeByte(block.apply ? apply : 0);
            }
            body.writeIntLE(1663).writeIntLE(5).writeIntLE(16384).writeIntLE(block.number);
        }
        if (main.length > 0) {
            body.writeByte(254).writeIntLE(main.length);
        }
        for (Block block : blocks) {
            body.writeBytes(bytesOf(block.image)).writeBytes(bytesOf(block.data));
        }
        body.writeBytes(main);
        int length = 24 + body.readableBytes();
        ByteBuf record = part().writeIntLE(length).writeIntLE(XID).writeLongLE(START.value() - 0x28);
        record.writeByte(info).writeByte(rmgrId).writeShortLE(0).writeIntLE(0).writeBytes(body);
        try {
            return new WalDecoder(pgMajor).decode(bytesOf(record), 0, length, START, END);
        } catch (InvalidWalException e) {
            throw new AssertionError("the test's record is wrong", e);
        }
    }
}
