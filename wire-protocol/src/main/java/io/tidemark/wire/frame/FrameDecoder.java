package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a stream of bytes into messages; what its two kinds share.
 *
 * <p>Payloads are slices of the receive buffer. Only the part of a frame that straddles two reads is copied, once; a composite
 * buffer would avoid that copy and make every later look at the bytes (CRC, records) dearer than it was.
 *
 * <p>After the first {@link InvalidMessageException}, which reaches {@code exceptionCaught} inside a DecoderException, it
 * swallows the rest of the stream: there is no way back into step.
 */
abstract sealed class FrameDecoder extends ByteToMessageDecoder permits FrontendDecoder, BackendDecoder {
    private static final int HEADER_BYTES = 5;

    private boolean broken;

    /** Reads one message if it is whole; null when it is not yet. */
    abstract @Nullable Object next(ByteBuf in);

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (broken) {
            in.skipBytes(in.readableBytes());
            return;
        }
        boolean done = false;
        try {
            Object message = next(in);
            if (message != null) {
                out.add(message);
            }
            done = true;
        } finally {
            broken = !done;
        }
    }

    /**
     * The body of the next frame as a slice without an own reference, or null when it has not arrived; the buffer's reader
     * index is then still at its type byte.
     */
    static @Nullable ByteBuf body(ByteBuf in, int limitBytes) {
        if (in.readableBytes() < HEADER_BYTES) {
            return null;
        }
        int length = in.getInt(in.readerIndex() + 1) - 4;
        if (length < 0 || length > limitBytes) {
            throw new InvalidMessageException("a frame of type 0x"
                    + Integer.toHexString(in.getUnsignedByte(in.readerIndex())) + " announces a body of "
                    + Integer.toUnsignedString(length) + " bytes, at most " + limitBytes + " are taken");
        }
        if (in.readableBytes() < HEADER_BYTES + length) {
            return null;
        }
        in.skipBytes(HEADER_BYTES);
        return in.readSlice(length);
    }
}
