package io.tidemark.safekeeper.control;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.tidemark.safekeeper.control.InvalidControlFileException.Reason;

/** Reads the parts that a control file is made of; never past the end, and no length is believed before it is compared with it. */
final class BincodeReader {
    private final ByteBuf in;

    BincodeReader(ByteBuf in) {
        this.in = in;
    }

    private void need(long bytes) throws InvalidControlFileException {
        if (bytes < 0 || bytes > in.readableBytes()) {
            throw new InvalidControlFileException(
                    Reason.CORRUPT, "corrupt control file: it ends in the middle, at byte " + in.readerIndex());
        }
    }

    int u8() throws InvalidControlFileException {
        need(1);
        return in.readUnsignedByte();
    }

    int u16() throws InvalidControlFileException {
        need(Short.BYTES);
        return in.readUnsignedShortLE();
    }

    int u32() throws InvalidControlFileException {
        need(Integer.BYTES);
        return in.readIntLE();
    }

    long u64() throws InvalidControlFileException {
        need(Long.BYTES);
        return in.readLongLE();
    }

    boolean option() throws InvalidControlFileException {
        int flag = u8();
        if (flag > 1) {
            throw new IllegalArgumentException("neither present nor absent: " + flag);
        }
        return flag == 1;
    }

    /** The number of elements of a vector, each at least so many bytes long: never more than there is room for. */
    int length(int elementBytes) throws InvalidControlFileException {
        long count = u64();
        if (count < 0 || count > in.readableBytes() / elementBytes) {
            throw new IllegalArgumentException(Long.toUnsignedString(count) + " elements in " + in.readableBytes()
                    + " bytes, at byte " + in.readerIndex());
        }
        return (int) count;
    }

    String string() throws InvalidControlFileException {
        int bytes = length(1);
        return in.readCharSequence(bytes, UTF_8).toString();
    }

    void skip(int bytes) throws InvalidControlFileException {
        need(bytes);
        in.skipBytes(bytes);
    }

    /** The rest without its last bytes. */
    BincodeReader withoutTrailer(int bytes) throws InvalidControlFileException {
        need(bytes);
        return new BincodeReader(in.readSlice(in.readableBytes() - bytes));
    }

    void requireEnd() {
        if (in.isReadable()) {
            throw new IllegalArgumentException(in.readableBytes() + " bytes too many");
        }
    }
}
