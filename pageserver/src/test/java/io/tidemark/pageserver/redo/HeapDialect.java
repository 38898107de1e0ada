package io.tidemark.pageserver.redo;

import static io.tidemark.pageserver.redo.RecordBuilder.part;
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;

/** The dialects of heap records, written field by field as each server's structs have them. */
enum HeapDialect {
    STOCK(16, WalFlavour.STOCK),
    NEON_15(15, WalFlavour.NEON),
    NEON_17(17, WalFlavour.NEON);

    /** XLOG_HEAP_INIT_PAGE. */
    static final int INIT = 0x80;

    final int pgMajor;
    final WalFlavour flavour;

    HeapDialect(int pgMajor, WalFlavour flavour) {
        this.pgMajor = pgMajor;
        this.flavour = flavour;
    }

    RedoRules rules() {
        return new RedoRules(pgMajor, flavour, false);
    }

    boolean hasCommandIds() {
        return this != STOCK;
    }

    private RecordBuilder heap(int opcode, int neonOpcode) {
        return this == NEON_17 ? new RecordBuilder(134, neonOpcode) : new RecordBuilder(ResourceManagers.HEAP, opcode);
    }

    /** xl_heap_header, the start of a block's data. */
    ByteBuf tuple(int infomask2, int infomask, int cid, int hoff) {
        return header(part(), infomask2, infomask, cid, hoff);
    }

    ByteBuf header(ByteBuf data, int infomask2, int infomask, int cid, int hoff) {
        data.writeShortLE(infomask2).writeShortLE(infomask);
        return (this == STOCK ? data : data.writeIntLE(cid)).writeByte(hoff);
    }

    /** xl_multi_insert_tuple, at the next even place. */
    ByteBuf multiTuple(ByteBuf data, int infomask2, int infomask, int cid, String body) {
        if (data.readableBytes() % 2 != 0) {
            data.writeByte(0x7F);
        }
        data.writeShortLE(body.length()).writeShortLE(infomask2).writeShortLE(infomask);
        if (this == NEON_15) {
            data.writeShortLE(0x7F7F).writeIntLE(cid);
        }
        return data.writeByte(24).writeBytes(body.getBytes(ISO_8859_1));
    }

    RecordBuilder insert(int init, int offnum, int flags) {
        return heap(init, init).main(part().writeShortLE(offnum).writeByte(flags));
    }

    /** @param cid the same for all tuples in this dialect, if it has one here */
    RecordBuilder multiInsert(int init, int flags, int cid, int count, int... offnums) {
        ByteBuf main = part().writeByte(flags).writeByte(0x7F).writeShortLE(count);
        if (this == NEON_17) {
            main.writeIntLE(cid);
        }
        for (int offnum : offnums) {
            main.writeShortLE(offnum);
        }
        int opcode = 0x50 | init;
        return new RecordBuilder(this == NEON_17 ? 134 : ResourceManagers.HEAP2, opcode).main(main);
    }

    RecordBuilder delete(int xmax, int offnum, int infobits, int flags, int cid) {
        ByteBuf main = part().writeIntLE(xmax).writeShortLE(offnum);
        switch (this) {
            case STOCK -> main.writeByte(infobits).writeByte(flags);
            case NEON_15 ->
                main.writeShortLE(0).writeIntLE(cid).writeByte(infobits).writeByte(flags);
            case NEON_17 -> main.writeByte(infobits).writeByte(flags).writeIntLE(cid);
        }
        return heap(0x10, 0x10).main(main);
    }

    RecordBuilder lock(int xmax, int offnum, int infobits, int flags, int cid) {
        ByteBuf main = part().writeIntLE(xmax);
        switch (this) {
            case STOCK -> main.writeShortLE(offnum).writeByte(infobits).writeByte(flags);
            case NEON_15 ->
                main.writeShortLE(offnum)
                        .writeShortLE(0)
                        .writeIntLE(cid)
                        .writeByte(infobits)
                        .writeByte(flags);
            case NEON_17 ->
                main.writeIntLE(cid).writeShortLE(offnum).writeByte(infobits).writeByte(flags);
        }
        return heap(0x60, 0x40).main(main);
    }

    /** What an UPDATE's main data says. */
    record Update(int oldXmax, int oldOffnum, int infobits, int flags, int cid, int newXmax, int newOffnum) {}

    RecordBuilder update(boolean hot, int init, Update update) {
        ByteBuf main = part().writeIntLE(update.oldXmax).writeShortLE(update.oldOffnum);
        main.writeByte(update.infobits).writeByte(update.flags);
        if (this != STOCK) {
            main.writeIntLE(update.cid);
        }
        main.writeIntLE(update.newXmax).writeShortLE(update.newOffnum);
        return heap((hot ? 0x40 : 0x20) | init, (hot ? 0x30 : 0x20) | init).main(main);
    }
}
