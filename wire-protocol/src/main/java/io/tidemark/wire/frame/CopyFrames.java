package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import java.util.function.Consumer;

/** CopyData frames to send: small ones in one buffer, large payloads without copying them. */
public final class CopyFrames {
    private static final int FRAME_HEADER_BYTES = 5;

    private CopyFrames() {}

    /**
     * A whole frame in a new buffer.
     *
     * @param body writes the payload
     * @param sizeHintBytes about how many bytes it will write
     */
    public static ByteBuf frame(ByteBufAllocator allocator, int sizeHintBytes, Consumer<ByteBuf> body) {
        ByteBuf out = allocator.directBuffer(FRAME_HEADER_BYTES + sizeHintBytes);
        boolean done = false;
        try {
            int lengthIndex = FrameWriter.begin(out, CopyMessage.CopyData.TYPE);
            body.accept(out);
            FrameWriter.end(out, lengthIndex);
            done = true;
            return out;
        } finally {
            if (!done) {
                out.release();
            }
        }
    }

    /** Appends a whole frame to a buffer that collects several; {@code body} writes the payload. */
    public static void append(ByteBuf out, Consumer<ByteBuf> body) {
        int lengthIndex = FrameWriter.begin(out, CopyMessage.CopyData.TYPE);
        body.accept(out);
        FrameWriter.end(out, lengthIndex);
    }

    /**
     * The beginning of a frame, in a new buffer: whoever writes it must write exactly {@code payloadBytes} next on the same
     * channel, from the channel's event loop so that nothing comes between.
     *
     * @param header writes what precedes the payload inside the frame
     */
    public static ByteBuf head(
            ByteBufAllocator allocator, int headerSizeHintBytes, Consumer<ByteBuf> header, int payloadBytes) {
        ByteBuf out = frame(allocator, headerSizeHintBytes, header);
        out.setInt(1, out.getInt(1) + payloadBytes);
        return out;
    }

    /**
     * A whole frame that ends in {@code payload}, as one buffer of two parts: for writes from another thread than the event
     * loop's. Takes the caller's reference of {@code payload}, also when it throws.
     */
    public static ByteBuf frame(
            ByteBufAllocator allocator, int headerSizeHintBytes, Consumer<ByteBuf> header, ByteBuf payload) {
        CompositeByteBuf whole = allocator.compositeBuffer(2);
        boolean done = false;
        try {
            whole.addComponent(true, head(allocator, headerSizeHintBytes, header, payload.readableBytes()));
            done = true;
            return whole.addComponent(true, payload);
        } finally {
            if (!done) {
                whole.release();
                payload.release();
            }
        }
    }
}
