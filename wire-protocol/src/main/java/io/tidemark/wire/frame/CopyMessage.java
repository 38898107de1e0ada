package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCounted;

/** What both sides say while in COPY mode. */
public sealed interface CopyMessage extends FrontendMessage, BackendMessage {

    @Override
    void encode(ByteBuf out);

    /**
     * Payload: {@code 'd', i32 length, bytes}. Decoded, {@code data} is a slice of what was received, not a copy, and holds
     * one reference: releasing the message releases it.
     */
    record CopyData(ByteBuf data) implements CopyMessage, ReferenceCounted {
        static final int TYPE = 'd';

        /** Copies {@code data} and leaves it as it was; {@link CopyFrames} sends without copying. */
        @Override
        public void encode(ByteBuf out) {
            out.writeByte(TYPE).writeInt(4 + data.readableBytes());
            out.writeBytes(data, data.readerIndex(), data.readableBytes());
        }

        @Override
        public int refCnt() {
            return data.refCnt();
        }

        @Override
        public CopyData retain() {
            data.retain();
            return this;
        }

        @Override
        public CopyData retain(int increment) {
            data.retain(increment);
            return this;
        }

        @Override
        public CopyData touch() {
            data.touch();
            return this;
        }

        @Override
        public CopyData touch(Object hint) {
            data.touch(hint);
            return this;
        }

        @Override
        public boolean release() {
            return data.release();
        }

        @Override
        public boolean release(int decrement) {
            return data.release(decrement);
        }
    }

    /** I have nothing more to send: {@code 'c', i32 4}. */
    record CopyDone() implements CopyMessage {
        static final int TYPE = 'c';

        @Override
        public void encode(ByteBuf out) {
            FrameWriter.empty(out, TYPE);
        }
    }
}
