package io.tidemark.wire.wal;

import io.tidemark.wire.id.Lsn;
import java.io.IOException;

/** Where a {@link WalRecordReader} gets its bytes: segment files, a stream, memory. */
@FunctionalInterface
public interface WalSource {
    /**
     * Reads WAL from {@code at} on. Asked for positions that only grow, except that the first page may be asked for twice.
     *
     * @param length the most to read, at least 1
     * @return how many bytes were read, or 0 when the source has none at this position
     */
    int read(Lsn at, byte[] into, int offset, int length) throws IOException;
}
