package io.tidemark.wire.frame;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;

/** Text as PostgreSQL's protocols have it: UTF-8 bytes followed by one zero byte. Read by {@link MessageReader#cstring}. */
public final class CString {
    private CString() {}

    /** Writes the text and its zero byte; {@link IllegalArgumentException} for text that has a zero character inside. */
    public static void write(ByteBuf out, String text) {
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("text for the wire must not contain a zero character");
        }
        out.writeCharSequence(text, UTF_8);
        out.writeByte(0);
    }

    /** Bytes that {@link #write} takes. */
    public static int sizeBytes(String text) {
        return text.getBytes(UTF_8).length + 1;
    }
}
