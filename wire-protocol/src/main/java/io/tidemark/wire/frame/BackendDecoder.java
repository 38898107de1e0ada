package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** The client's ear: {@link BackendMessage}s. One per channel; belongs to its event loop. */
public final class BackendDecoder extends FrameDecoder {
    private final FrameLimits limits;

    public BackendDecoder(FrameLimits limits) {
        this.limits = limits;
    }

    @Override
    @Nullable
    Object next(ByteBuf in) {
        if (!in.isReadable()) {
            return null;
        }
        int type = in.getUnsignedByte(in.readerIndex());
        ByteBuf body = body(in, limits.of(type));
        return body == null ? null : BackendMessage.decode(type, body);
    }
}
