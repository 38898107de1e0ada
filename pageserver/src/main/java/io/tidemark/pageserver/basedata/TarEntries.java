package io.tidemark.pageserver.basedata;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * The files of a tar stream, one after the other, as PostgreSQL writes it (src/port/tar.c): ustar, no extensions.
 *
 * <pre>
 *   header(512) = 0 name(100) | 124 size(12, octal) | 156 type(1) | 257 "ustar" | 345 prefix(155)
 *   then the content, padded to a multiple of 512; at the end two blocks of zeros, or nothing
 * </pre>
 */
final class TarEntries {
    private static final int BLOCK_BYTES = 512;
    private static final int NAME_BYTES = 100;
    private static final int SIZE = 124;
    private static final int SIZE_BYTES = 12;
    private static final int TYPE = 156;
    private static final int MAGIC = 257;
    private static final int PREFIX = 345;
    private static final int PREFIX_BYTES = 155;

    /** What an entry is: the type byte. */
    static final char FILE = '0';

    static final char SYMBOLIC_LINK = '2';
    static final char DIRECTORY = '5';

    /** One entry; its content is {@link TarEntries#content}. */
    record Entry(String name, char type, long sizeBytes) {}

    private final InputStream in;
    private final byte[] header = new byte[BLOCK_BYTES];
    private long restBytes;
    private long paddingBytes;

    TarEntries(InputStream in) {
        this.in = in;
    }

    /**
     * The next entry, null at the end; what was not read of the one before is skipped.
     *
     * @throws IOException also when the bytes are no tar
     */
    @Nullable
    Entry next() throws IOException {
        in.skipNBytes(restBytes + paddingBytes);
        restBytes = 0;
        paddingBytes = 0;
        int read = in.readNBytes(header, 0, BLOCK_BYTES);
        if (read == 0 || header[0] == 0) {
            return null;
        }
        if (read < BLOCK_BYTES) {
            throw new EOFException("the tar ends inside a header");
        }
        if (!text(MAGIC, 5).equals("ustar")) {
            throw new IOException("not a tar header: " + text(0, NAME_BYTES));
        }
        String prefix = text(PREFIX, PREFIX_BYTES);
        String name = prefix.isEmpty() ? text(0, NAME_BYTES) : prefix + "/" + text(0, NAME_BYTES);
        char type = header[TYPE] == 0 ? FILE : (char) header[TYPE];
        long size = type == FILE ? size() : 0;
        restBytes = size;
        paddingBytes = -size & BLOCK_BYTES - 1;
        return new Entry(name.startsWith("./") ? name.substring(2) : name, type, size);
    }

    private String text(int at, int length) {
        int end = at;
        while (end < at + length && header[end] != 0) {
            end++;
        }
        return new String(header, at, end - at, UTF_8);
    }

    private long size() throws IOException {
        if ((header[SIZE] & 0x80) != 0) {
            long size = 0;
            for (int i = SIZE + SIZE_BYTES - 8; i < SIZE + SIZE_BYTES; i++) {
                size = size << 8 | header[i] & 0xFF;
            }
            return checked(size);
        }
        try {
            return checked(Long.parseLong(text(SIZE, SIZE_BYTES).strip(), 8));
        } catch (NumberFormatException e) {
            throw new IOException("a tar entry has the size '" + text(SIZE, SIZE_BYTES) + "'", e);
        }
    }

    private static long checked(long size) throws IOException {
        if (size < 0 || size > 1L << 50) {
            throw new IOException("a tar entry has " + size + " bytes");
        }
        return size;
    }

    /** The rest of the current entry's content. */
    InputStream content() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
            }

            @Override
            public int read(byte[] into, int offset, int length) throws IOException {
                if (length == 0) {
                    return 0;
                }
                if (restBytes == 0) {
                    return -1;
                }
                int read = in.read(into, offset, (int) Math.min(length, restBytes));
                if (read < 0) {
                    throw new EOFException("the tar ends inside a file");
                }
                restBytes -= read;
                return read;
            }
        };
    }
}
