package io.tidemark.pageserver.ingest;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalDecoder;
import io.tidemark.wire.wal.WalRecord;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Makes one record as a server would, in any version from 15 on, and decodes it. Records follow each other every 256 bytes. */
final class TestRecord {
    private static final int HAS_IMAGE = 0x10;
    private static final int HAS_DATA = 0x20;
    private static final int WILL_INIT = 0x40;
    private static final int IMAGE_APPLY = 0x02;
    private static final int MAX_BYTES = 100_000;

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Block(
            int id, int fork, int relation, int number, boolean init, byte[] data, byte[] image, boolean apply) {}

    private final int pgMajor;
    private final int rmgrId;
    private final int info;
    private final List<Block> blocks = new ArrayList<>();
    private byte[] main = new byte[0];
    private int xid;
    private int tablespace = 1663;
    private Lsn end = Lsn.of(0x100_0100);

    TestRecord(int pgMajor, int rmgrId, int info) {
        this.pgMajor = pgMajor;
        this.rmgrId = rmgrId;
        this.info = info;
    }

    /** Where it ends. */
    TestRecord at(long lsn) {
        end = Lsn.of(lsn);
        return this;
    }

    TestRecord xid(int value) {
        xid = value;
        return this;
    }

    TestRecord inTablespace(int oid) {
        tablespace = oid;
        return this;
    }

    /** Main data of u32. */
    TestRecord main(int... numbers) {
        ByteBuffer out = ByteBuffer.allocate(4 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int number : numbers) {
            out.putInt(number);
        }
        main = out.array();
        return this;
    }

    TestRecord mainBytes(byte... bytes) {
        main = bytes;
        return this;
    }

    TestRecord block(int id, int fork, int relation, int number, byte... data) {
        blocks.add(new Block(id, fork, relation, number, false, data, new byte[0], false));
        return this;
    }

    TestRecord initBlock(int id, int relation, int number, byte... data) {
        blocks.add(new Block(id, 0, relation, number, true, data, new byte[0], false));
        return this;
    }

    TestRecord image(int id, int relation, int number, byte[] page, boolean apply) {
        blocks.add(new Block(id, 0, relation, number, false, new byte[0], page, apply));
        return this;
    }

    WalRecord build() {
        ByteBuffer out = ByteBuffer.allocate(MAX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.position(24);
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        for (Block block : blocks) {
            boolean hasImage = block.image().length > 0;
            out.put((byte) block.id());
            out.put((byte) (block.fork()
                    | (hasImage ? HAS_IMAGE : 0)
                    | (block.data().length > 0 ? HAS_DATA : 0)
                    | (block.init() ? WILL_INIT : 0)));
            out.putShort((short) block.data().length);
            if (hasImage) {
                out.putShort((short) block.image().length).putShort((short) 0);
                out.put((byte) (block.apply() ? IMAGE_APPLY : 0));
            }
            out.putInt(tablespace).putInt(5).putInt(block.relation()).putInt(block.number());
            data.writeBytes(block.image());
            data.writeBytes(block.data());
        }
        if (main.length > 0) {
            out.put((byte) 254).putInt(main.length);
        }
        data.writeBytes(main);
        out.put(data.toByteArray());
        int length = out.position();
        out.putInt(0, length).putInt(4, xid).put(16, (byte) info).put(17, (byte) rmgrId);
        try {
            return new WalDecoder(pgMajor).decode(out.array(), 0, length, end.plus(-200), end);
        } catch (InvalidWalException e) {
            throw new AssertionError(e);
        }
    }
}
