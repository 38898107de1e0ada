package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;

/** Type byte and length around a message's body; the length is known only when the body is written. */
final class FrameWriter {
    private FrameWriter() {}

    /** Begins a frame; what it returns goes to {@link #end}. */
    static int begin(ByteBuf out, int type) {
        out.writeByte(type);
        int lengthIndex = out.writerIndex();
        out.writeInt(0);
        return lengthIndex;
    }

    static void end(ByteBuf out, int lengthIndex) {
        out.setInt(lengthIndex, out.writerIndex() - lengthIndex);
    }

    /** A frame without a body. */
    static void empty(ByteBuf out, int type) {
        out.writeByte(type).writeInt(4);
    }
}
