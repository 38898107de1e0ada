package io.tidemark.pageserver.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.redo.RecordData;
import io.tidemark.wire.wal.LittleEndian;
import java.util.Arrays;

/**
 * A small file that a compute without a disk of its own keeps in storage: {@code pathLength(u16) path content}.
 *
 * @param path relative to the data directory
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record AuxFile(String path, byte[] content) {
    private static final int MAX_PATH_BYTES = 0xFFFF;

    /** The value for a file whose content is the rest of a record. */
    static Value image(String path, RecordData content) {
        byte[] name = path.getBytes(UTF_8);
        if (name.length > MAX_PATH_BYTES) {
            throw new IndexOutOfBoundsException("it names a file by " + name.length + " bytes");
        }
        int length = content.remaining();
        byte[] value = new byte[2 + name.length + length];
        LittleEndian.putU16(value, 0, name.length);
        System.arraycopy(name, 0, value, 2, name.length);
        System.arraycopy(content.array(), content.take(length), value, 2 + name.length, length);
        return new Value.Image(value);
    }

    /**
     * Reads the value of an aux file's key.
     *
     * @throws IndexOutOfBoundsException when it is none
     */
    public static AuxFile read(byte[] value) {
        int nameEnd = 2 + LittleEndian.u16(value, 0);
        return new AuxFile(new String(value, 2, nameEnd - 2, UTF_8), Arrays.copyOfRange(value, nameEnd, value.length));
    }
}
