package io.tidemark.safekeeper.control;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;

/** Writes the parts that a control file is made of. */
final class BincodeWriter {
    private final ByteBuf out;

    BincodeWriter(ByteBuf out) {
        this.out = out;
    }

    BincodeWriter u8(int value) {
        out.writeByte(value);
        return this;
    }

    BincodeWriter u16(int value) {
        out.writeShortLE(value);
        return this;
    }

    BincodeWriter u32(int value) {
        out.writeIntLE(value);
        return this;
    }

    BincodeWriter u64(long value) {
        out.writeLongLE(value);
        return this;
    }

    BincodeWriter string(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        out.writeLongLE(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    ByteBuf buffer() {
        return out;
    }
}
