package io.tidemark.simulation.cluster;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import java.util.Arrays;

/** WAL bytes from one LSN on, in memory; a cut or a jump leaves zeros, as a segment file does. */
final class MemoryWal {
    private final Lsn base;
    private byte[] bytes = new byte[0];

    MemoryWal(Lsn base) {
        this.base = base;
    }

    void write(Lsn at, ByteBuf wal) {
        int offset = Math.toIntExact(at.minus(base));
        int end = offset + wal.readableBytes();
        if (end > bytes.length) {
            bytes = Arrays.copyOf(bytes, end);
        }
        wal.getBytes(wal.readerIndex(), bytes, offset, wal.readableBytes());
    }

    void truncate(Lsn end) {
        bytes = Arrays.copyOf(bytes, Math.toIntExact(end.minus(base)));
    }

    byte[] read(Lsn begin, Lsn end) {
        return Arrays.copyOfRange(bytes, Math.toIntExact(begin.minus(base)), Math.toIntExact(end.minus(base)));
    }

    ByteBuf buffer(Lsn begin, Lsn end) {
        return Unpooled.wrappedBuffer(read(begin, end));
    }
}
