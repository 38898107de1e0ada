package io.tidemark.wire.frame;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import java.nio.charset.CharacterCodingException;

/**
 * Reads the fields of one message from a buffer that holds exactly that message, and refuses to read past its end. Every
 * method throws {@link InvalidMessageException} instead of running out of bytes; none allocates by a length that has not
 * been checked against what has arrived.
 *
 * <p>Moves the buffer's reader index and never releases the buffer. Big endian, except the methods that end in {@code LE}.
 */
public final class MessageReader {
    private final String messageName;
    private final ByteBuf in;

    /**
     * @param messageName what is being read, for error texts
     * @param in the rest of one message; stays the caller's
     */
    public MessageReader(String messageName, ByteBuf in) {
        this.messageName = messageName;
        this.in = in;
    }

    public int remaining() {
        return in.readableBytes();
    }

    public int u8() {
        require(1);
        return in.readUnsignedByte();
    }

    public int u16() {
        require(2);
        return in.readUnsignedShort();
    }

    public int i32() {
        require(4);
        return in.readInt();
    }

    public long u32() {
        require(4);
        return in.readUnsignedInt();
    }

    public long i64() {
        require(8);
        return in.readLong();
    }

    public int i32LE() {
        require(4);
        return in.readIntLE();
    }

    public long u32LE() {
        require(4);
        return in.readUnsignedIntLE();
    }

    public long i64LE() {
        require(8);
        return in.readLongLE();
    }

    public void skip(int bytes) {
        require(bytes);
        in.skipBytes(bytes);
    }

    /** Copies the next {@code length} bytes, which must have arrived. */
    public byte[] bytes(int length) {
        require(length);
        byte[] bytes = new byte[length];
        in.readBytes(bytes);
        return bytes;
    }

    /** The next {@code length} bytes without copying them: a slice that holds a reference of its own. */
    public ByteBuf retainedSlice(int length) {
        require(length);
        return in.readRetainedSlice(length);
    }

    /** Text up to the next zero byte, which is consumed too. Must be UTF-8. */
    public String cstring() {
        String text = utf8(cstringLength());
        in.skipBytes(1);
        return text;
    }

    /** As {@link #cstring}, but what is not UTF-8 becomes U+FFFD: for texts that only people read. */
    public String lenientCString() {
        String text = lenientText(cstringLength());
        in.skipBytes(1);
        return text;
    }

    private int cstringLength() {
        int length = in.bytesBefore((byte) 0);
        if (length < 0) {
            throw new InvalidMessageException(messageName + ": text without its terminating zero byte");
        }
        return length;
    }

    /** Text of a length that is known; what is not UTF-8 becomes U+FFFD. */
    public String lenientText(int length) {
        require(length);
        return in.readCharSequence(length, UTF_8).toString();
    }

    /** Text of a length that is known; must be UTF-8. */
    public String utf8(int length) {
        require(length);
        try {
            String text = UTF_8.newDecoder()
                    .decode(in.nioBuffer(in.readerIndex(), length))
                    .toString();
            in.skipBytes(length);
            return text;
        } catch (CharacterCodingException e) {
            throw new InvalidMessageException(messageName + ": text is not UTF-8", e);
        }
    }

    /**
     * Checks a number of entries against the bytes that are left.
     *
     * @param count an unsigned number that the peer chose
     * @param minimumEntryBytes the size of the smallest entry, at least 1
     * @return the count, safe to allocate by
     */
    public int count(long count, int minimumEntryBytes) {
        if (count < 0 || count > remaining() / minimumEntryBytes) {
            throw new InvalidMessageException(messageName + ": announces " + Long.toUnsignedString(count)
                    + " entries of at least " + minimumEntryBytes + " bytes, but " + remaining() + " bytes are left");
        }
        return (int) count;
    }

    /** Refuses bytes after the end of the message. */
    public void requireEnd() {
        if (in.isReadable()) {
            throw new InvalidMessageException(messageName + ": " + remaining() + " bytes too many");
        }
    }

    /** An exception that names the message; for values that are out of range. */
    public InvalidMessageException invalid(String problem) {
        return new InvalidMessageException(messageName + ": " + problem);
    }

    private void require(int bytes) {
        if (bytes < 0 || in.readableBytes() < bytes) {
            throw new InvalidMessageException(
                    messageName + ": needs " + bytes + " more bytes, but " + in.readableBytes() + " are left");
        }
    }
}
