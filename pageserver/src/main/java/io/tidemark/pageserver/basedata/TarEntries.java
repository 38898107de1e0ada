package io.tidemark.pageserver.basedata;

import io.tidemark.wire.tar.TarHeader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * The files of a tar stream, one after the other, as PostgreSQL writes it (src/port/tar.c): ustar, no extensions; at the end two blocks of
 * zeros, or nothing.
 */
final class TarEntries {
    /** What an entry is: the type byte. */
    static final char FILE = TarHeader.FILE;

    static final char SYMBOLIC_LINK = '2';
    static final char DIRECTORY = TarHeader.DIRECTORY;

    /** One entry; its content is {@link TarEntries#content}. */
    record Entry(String name, char type, long sizeBytes) {}

    private final InputStream in;
    private final byte[] header = new byte[TarHeader.BLOCK_BYTES];
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
        int read = in.readNBytes(header, 0, header.length);
        if (read == 0 || TarHeader.isEnd(header)) {
            return null;
        }
        if (read < header.length) {
            throw new EOFException("the tar ends inside a header");
        }
        TarHeader entry = TarHeader.decode(header);
        long size = entry.type() == FILE ? entry.sizeBytes() : 0;
        restBytes = size;
        paddingBytes = TarHeader.paddingBytes(size);
        String name = entry.name();
        return new Entry(name.startsWith("./") ? name.substring(2) : name, entry.type(), size);
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
