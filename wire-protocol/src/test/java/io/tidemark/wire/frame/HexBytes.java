package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.function.Consumer;

/** Hex text to bytes and back, for test vectors. */
public final class HexBytes {
    private HexBytes() {}

    /** An unpooled heap buffer: a test that forgets to release it leaks nothing. */
    public static ByteBuf of(String hex) {
        return Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(hex));
    }

    public static String of(ByteBuf bytes) {
        return ByteBufUtil.hexDump(bytes);
    }

    /** What {@code encoder} writes, as hex. */
    public static String written(Consumer<ByteBuf> encoder) {
        ByteBuf out = Unpooled.buffer();
        encoder.accept(out);
        return of(out);
    }
}
