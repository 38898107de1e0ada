package io.tidemark.pageserver.layer.file;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.wire.id.Lsn;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Writes one layer file under a temporary name, syncs it and gives it its own. The caller syncs the directory, and only then names
 * the file in the manifest. Closed without {@link #finish}, it leaves nothing behind. Used by one thread.
 */
public final class LayerFileWriter implements Closeable {
    /** The end of the name of a file that is not finished. */
    public static final String TEMPORARY_SUFFIX = ".tmp";

    private static final int BUFFER_BYTES = 1 << 20;

    private final Disk disk;
    private final Path directory;
    private final Path temporary;
    private final DurableFile file;
    private final ZstdCompressCtx compressor;
    private final LayerKind kind;
    private final long number;
    private final Lsn startLsn;
    private final Lsn endLsn;
    private final int blockBytes;

    private final BlockBuilder block = new BlockBuilder();
    private final KeyFilter.Builder filter = new KeyFilter.Builder();
    private ByteBuffer index = LayerFileFormat.allocate(64 * LayerFileFormat.INDEX_ROW_BYTES);
    private final ByteBuffer buffer = LayerFileFormat.allocate(BUFFER_BYTES);
    private byte[] compressed = new byte[0];
    private long written;
    private int blocks;

    private long firstHigh;
    private long firstLow;
    private long lastHigh;
    private long lastLow;
    private long lastLsn;
    private boolean behindBase;
    private long versions;
    private long valueBytes;
    private long baseBytes;
    private long supersededBytes;
    private boolean finished;

    /**
     * Creates the temporary file.
     *
     * @param startLsn inclusive; the LSN of an image
     * @param endLsn exclusive
     * @param blockBytes a block is ended once its rows are this long, before compression
     */
    public LayerFileWriter(
            Disk disk,
            Path directory,
            LayerKind kind,
            long number,
            Lsn startLsn,
            Lsn endLsn,
            int blockBytes,
            int zstdLevel)
            throws IOException {
        this.disk = disk;
        this.directory = directory;
        this.kind = kind;
        this.number = number;
        this.startLsn = startLsn;
        this.endLsn = endLsn;
        this.blockBytes = blockBytes;
        this.temporary = directory.resolve(String.format(Locale.ROOT, "%08X%s", number, TEMPORARY_SUFFIX));
        this.file = disk.open(temporary, Disk.Mode.CREATE_OR_TRUNCATE);
        this.compressor = BlockCodec.compressor(zstdLevel);
        buffer.put(LayerFileFormat.header(kind));
    }

    /** Takes the next version: a higher key, or the same key with a lower LSN. */
    public void add(long high, long low, long lsn, boolean base, byte[] bytes, int offset, int length)
            throws IOException {
        boolean sameKey = versions > 0 && high == lastHigh && low == lastLow;
        requireInOrder(high, low, lsn, base, length);
        if (sameKey && behindBase) {
            supersededBytes += length;
        }
        behindBase = base || sameKey && behindBase;
        if (versions == 0) {
            firstHigh = high;
            firstLow = low;
        }
        if (!block.isEmpty() && block.sizeBytes() + (long) length > LayerFileFormat.MAX_ROWS_BYTES - 64) {
            endBlock();
        }
        block.add(high, low, lsn, base, bytes, offset, length);
        filter.add(high, low);
        lastHigh = high;
        lastLow = low;
        lastLsn = lsn;
        versions++;
        valueBytes += length;
        baseBytes += base ? length : 0;
        if (block.sizeBytes() >= blockBytes) {
            endBlock();
        }
    }

    private void requireInOrder(long high, long low, long lsn, boolean base, int length) {
        if (versions > 0 && LayerFileFormat.compareRows(lastHigh, lastLow, lastLsn, high, low, lsn) >= 0) {
            throw new IllegalArgumentException(new Key(high, low) + "@" + Lsn.of(lsn) + " does not come behind "
                    + new Key(lastHigh, lastLow) + "@" + Lsn.of(lastLsn));
        }
        boolean inRange = Long.compareUnsigned(lsn, startLsn.value()) >= 0
                && Long.compareUnsigned(lsn, endLsn.value()) < 0
                && length <= LayerFileFormat.MAX_VALUE_BYTES
                && (kind != LayerKind.IMAGE || base);
        if (!inRange) {
            throw new IllegalArgumentException(new Key(high, low) + "@" + Lsn.of(lsn) + " (" + length + " bytes, base "
                    + base + ") does not belong into " + kind + " " + startLsn + "-" + endLsn);
        }
    }

    /** Bytes of the file so far, with what is not yet compressed taken at half. */
    public long estimatedBytes() {
        return written + buffer.position() + block.sizeBytes() / 2;
    }

    public boolean isEmpty() {
        return versions == 0;
    }

    private void endBlock() throws IOException {
        requireIndex().putLong(block.firstHigh()).putLong(block.firstLow()).putLong(block.firstLsn());
        byte[] rows = block.take();
        int bound = Math.toIntExact(Zstd.compressBound(rows.length));
        if (compressed.length < bound) {
            compressed = new byte[bound];
        }
        int length = compressor.compressByteArray(compressed, 0, bound, rows, 0, rows.length);
        byte[] stored = compressed;
        if (length >= rows.length) {
            stored = rows;
            length = rows.length;
        }
        index.putLong(written + buffer.position()).putInt(rows.length).putInt(LayerFileFormat.crc(stored, 0, length));
        blocks++;
        append(ByteBuffer.wrap(stored, 0, length));
    }

    private ByteBuffer requireIndex() {
        if (index.remaining() < LayerFileFormat.INDEX_ROW_BYTES) {
            ByteBuffer larger = LayerFileFormat.allocate(2 * index.capacity());
            index = larger.put(index.flip());
        }
        return index;
    }

    private void append(ByteBuffer from) throws IOException {
        while (from.hasRemaining()) {
            if (!buffer.hasRemaining()) {
                writeBuffer();
            }
            int part = Math.min(buffer.remaining(), from.remaining());
            buffer.put(buffer.position(), from, from.position(), part);
            buffer.position(buffer.position() + part);
            from.position(from.position() + part);
        }
    }

    private void writeBuffer() throws IOException {
        buffer.flip();
        int length = buffer.remaining();
        file.write(buffer, written);
        written += length;
        buffer.clear();
    }

    /**
     * Writes the rest, syncs the file and gives it its name.
     *
     * @throws IllegalStateException when there is nothing in it
     */
    public LayerDescriptor finish() throws IOException {
        if (versions == 0) {
            throw new IllegalStateException("a layer without versions");
        }
        if (!block.isEmpty()) {
            endBlock();
        }
        index.flip();
        ByteBuffer keys = filter.finish();
        long indexPosition = written + buffer.position();
        long filterPosition = indexPosition + index.remaining();
        long fileBytes = filterPosition + keys.remaining() + LayerFileFormat.FOOTER_BYTES;
        LayerDescriptor layer = new LayerDescriptor(
                kind,
                number,
                new KeyRange(new Key(firstHigh, firstLow), new Key(lastHigh, lastLow).next()),
                startLsn,
                endLsn,
                fileBytes,
                versions,
                valueBytes,
                baseBytes,
                supersededBytes);
        ByteBuffer footer = LayerFileFormat.encode(new LayerFileFormat.Footer(
                layer,
                blocks,
                indexPosition,
                filterPosition,
                LayerFileFormat.crc(index, index.remaining()),
                LayerFileFormat.crc(keys, keys.remaining())));
        append(index);
        append(keys);
        append(footer);
        writeBuffer();
        file.sync();
        disk.rename(temporary, directory.resolve(layer.fileName()));
        finished = true;
        return layer;
    }

    /** Closes the file; deletes it when it is not finished. */
    @Override
    public void close() throws IOException {
        compressor.close();
        file.close();
        if (!finished && disk.exists(temporary)) {
            disk.delete(temporary);
        }
    }
}
