package io.tidemark.pageserver.layer.file;

import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Compresses and decompresses blocks. Shared by any number of threads.
 *
 * <p>Keeps decompression contexts: making one costs more than a block does. A queue and not a {@code ThreadLocal}, since readers are
 * virtual threads.
 */
public final class BlockCodec implements AutoCloseable {
    private final ConcurrentLinkedQueue<ZstdDecompressCtx> idle = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;

    static ZstdCompressCtx compressor(int level) {
        return new ZstdCompressCtx().setLevel(level);
    }

    /**
     * Decompresses one frame of exactly {@code rowsBytes}.
     *
     * @throws IllegalArgumentException when it is not that
     */
    byte[] decompress(byte[] from, int offset, int length, int rowsBytes) {
        ZstdDecompressCtx context = idle.poll();
        if (context == null) {
            context = new ZstdDecompressCtx();
        }
        try {
            byte[] rows = new byte[rowsBytes];
            int size = context.decompressByteArray(rows, 0, rowsBytes, from, offset, length);
            if (size != rowsBytes) {
                throw new IllegalArgumentException("a block of " + size + " bytes instead of " + rowsBytes);
            }
            return rows;
        } catch (ZstdException e) {
            throw new IllegalArgumentException("zstd: " + e.getMessage(), e);
        } finally {
            giveBack(context);
        }
    }

    private void giveBack(ZstdDecompressCtx context) {
        idle.add(context);
        if (closed) {
            close();
        }
    }

    @Override
    public void close() {
        closed = true;
        for (ZstdDecompressCtx context = idle.poll(); context != null; context = idle.poll()) {
            context.close();
        }
    }
}
