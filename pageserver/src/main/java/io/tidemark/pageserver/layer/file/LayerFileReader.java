package io.tidemark.pageserver.layer.file;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.file.CorruptLayerException.Reason;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * An open layer file with its index and its set of keys in memory. Any number of threads may read.
 *
 * <p>The index costs 40 bytes for each 16 KiB of versions, the set of keys some bits per key.
 */
public final class LayerFileReader implements Closeable {
    private final String name;
    private final DurableFile file;
    private final BlockCodec codec;
    private final LayerDescriptor layer;
    private final KeyFilter filter;
    private final long filterPosition;

    private final long[] highs;
    private final long[] lows;
    private final long[] lsns;
    /** One more than there are blocks: the last is where the index begins. */
    private final long[] positions;

    private final int[] rowsBytes;
    private final int[] crcs;

    /** Takes each version of a key, newest first, until it has had enough. */
    @FunctionalInterface
    public interface Rows {
        /** Answers whether it wants the next one. */
        boolean row(long lsn, boolean base, byte[] bytes, int offset, int length);
    }

    /** Remembers the block that was read last, so that neighbouring keys share its decompression. Used by one thread. */
    public static final class LastBlock {
        private int number = -1;
        private @Nullable Block block;
    }

    private LayerFileReader(String name, DurableFile file, BlockCodec codec, LayerFileFormat.Footer footer)
            throws IOException {
        this.name = name;
        this.file = file;
        this.codec = codec;
        this.layer = footer.layer();
        this.filterPosition = footer.filterPosition();
        int blocks = footer.blocks();
        this.highs = new long[blocks];
        this.lows = new long[blocks];
        this.lsns = new long[blocks];
        this.positions = new long[blocks + 1];
        this.rowsBytes = new int[blocks];
        this.crcs = new int[blocks];
        long filterEnd = layer.fileBytes() - LayerFileFormat.FOOTER_BYTES;
        loadIndex(section("index", footer.indexPosition(), footer.filterPosition(), footer.indexCrc()));
        positions[blocks] = footer.indexPosition();
        requireBlocksInOrder();
        try {
            this.filter = KeyFilter.decode(section("set of keys", filterPosition, filterEnd, footer.filterCrc()));
        } catch (IllegalArgumentException e) {
            throw new CorruptLayerException(name, Reason.DAMAGED, String.valueOf(e.getMessage()), e);
        }
    }

    /**
     * Opens a file, checks its ends, its index and its set of keys.
     *
     * @param expected what the manifest says about it; null to take the file's word
     * @throws CorruptLayerException when it is not there, damaged, or another layer
     */
    public static LayerFileReader open(Disk disk, Path path, @Nullable LayerDescriptor expected, BlockCodec codec)
            throws IOException {
        String name = path.toString();
        DurableFile file;
        try {
            file = disk.open(path, Disk.Mode.READ);
        } catch (NoSuchFileException e) {
            throw new CorruptLayerException(name, Reason.MISSING, "is not there", e);
        }
        boolean opened = false;
        try {
            LayerFileFormat.Footer footer = footer(name, file);
            if (expected != null && !expected.equals(footer.layer())) {
                throw new CorruptLayerException(
                        name, Reason.OTHER_LAYER, "holds " + footer.layer() + ", expected " + expected);
            }
            LayerFileReader reader = new LayerFileReader(name, file, codec, footer);
            opened = true;
            return reader;
        } finally {
            if (!opened) {
                file.close();
            }
        }
    }

    private static LayerFileFormat.Footer footer(String name, DurableFile file) throws IOException {
        long size = file.size();
        if (size < LayerFileFormat.HEADER_BYTES + LayerFileFormat.FOOTER_BYTES) {
            throw new CorruptLayerException(name, Reason.DAMAGED, "only " + size + " bytes long");
        }
        ByteBuffer header = read(name, file, 0, LayerFileFormat.HEADER_BYTES);
        ByteBuffer footer = read(name, file, size - LayerFileFormat.FOOTER_BYTES, LayerFileFormat.FOOTER_BYTES);
        return LayerFileFormat.decode(name, header, footer, size);
    }

    private static byte[] readBytes(String name, DurableFile file, long position, int length) throws IOException {
        byte[] bytes = new byte[length];
        ByteBuffer into = ByteBuffer.wrap(bytes);
        while (into.hasRemaining()) {
            if (file.read(into, position + into.position()) < 0) {
                throw new CorruptLayerException(
                        name,
                        Reason.DAMAGED,
                        "ends at " + (position + into.position()) + ", in the middle of something");
            }
        }
        return bytes;
    }

    private static ByteBuffer read(String name, DurableFile file, long position, int length) throws IOException {
        return ByteBuffer.wrap(readBytes(name, file, position, length)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private ByteBuffer section(String what, long from, long to, int crc) throws IOException {
        byte[] bytes = readBytes(name, file, from, Math.toIntExact(to - from));
        if (LayerFileFormat.crc(bytes, 0, bytes.length) != crc) {
            throw new CorruptLayerException(name, Reason.DAMAGED, "the checksum of its " + what + " is wrong");
        }
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void loadIndex(ByteBuffer in) {
        for (int block = 0; block < highs.length; block++) {
            highs[block] = in.getLong();
            lows[block] = in.getLong();
            lsns[block] = in.getLong();
            positions[block] = in.getLong();
            rowsBytes[block] = in.getInt();
            crcs[block] = in.getInt();
        }
    }

    private void requireBlocksInOrder() throws CorruptLayerException {
        for (int block = 0; block < highs.length; block++) {
            long stored = positions[block + 1] - positions[block];
            boolean fine = positions[block] >= LayerFileFormat.HEADER_BYTES
                    && rowsBytes[block] > 0
                    && rowsBytes[block] <= LayerFileFormat.MAX_ROWS_BYTES
                    && stored > 0
                    && stored <= rowsBytes[block]
                    && (block == 0 || compareFirst(block - 1, highs[block], lows[block], lsns[block]) < 0);
            if (!fine) {
                throw new CorruptLayerException(name, Reason.DAMAGED, "block " + block + " is out of order");
            }
        }
    }

    private int compareFirst(int block, long high, long low, long lsn) {
        return LayerFileFormat.compareRows(highs[block], lows[block], lsns[block], high, low, lsn);
    }

    public LayerDescriptor layer() {
        return layer;
    }

    /** Whether there is any version of this key, exactly. */
    public boolean contains(long high, long low) {
        return filter.contains(high, low);
    }

    /** The first key with a version at or behind this one; null when there is none. */
    public @Nullable Key ceiling(Key key) {
        return filter.ceiling(key.high(), key.low());
    }

    /** Passes the versions of a key at or below an LSN on, newest first, until {@code rows} has had enough. */
    public void read(long high, long low, long lsn, LastBlock last, Rows rows) throws IOException {
        if (!filter.contains(high, low)) {
            return;
        }
        int number = Math.max(0, blocksBefore(high, low, lsn) - 1);
        Block block = block(number, last);
        int row = block.find(high, low, lsn);
        while (true) {
            if (row == block.count()) {
                number++;
                if (number == highs.length || highs[number] != high || lows[number] != low) {
                    return;
                }
                block = block(number, last);
                row = 0;
            }
            if (block.high(row) != high || block.low(row) != low) {
                return;
            }
            if (!rows.row(block.lsn(row), block.isBase(row), block.bytes(), block.offset(row), block.length(row))) {
                return;
            }
            row++;
        }
    }

    /** How many blocks begin at or before this place. */
    private int blocksBefore(long high, long low, long lsn) {
        int from = 0;
        int to = highs.length;
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (compareFirst(middle, high, low, lsn) <= 0) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        return from;
    }

    private Block block(int number, LastBlock last) throws IOException {
        Block known = last.block;
        if (known != null && last.number == number) {
            return known;
        }
        int stored = Math.toIntExact(positions[number + 1] - positions[number]);
        Block block = decode(number, readBytes(name, file, positions[number], stored), 0);
        last.block = block;
        last.number = number;
        return block;
    }

    private Block decode(int number, byte[] from, int offset) throws CorruptLayerException {
        int stored = Math.toIntExact(positions[number + 1] - positions[number]);
        if (LayerFileFormat.crc(from, offset, stored) != crcs[number]) {
            throw new CorruptLayerException(
                    name, Reason.DAMAGED, "the checksum of block " + number + " at " + positions[number] + " is wrong");
        }
        try {
            byte[] rows = stored == rowsBytes[number]
                    ? java.util.Arrays.copyOfRange(from, offset, offset + stored)
                    : codec.decompress(from, offset, stored, rowsBytes[number]);
            return new Block(rows);
        } catch (IllegalArgumentException e) {
            throw new CorruptLayerException(
                    name, Reason.DAMAGED, "block " + number + " is not a block: " + e.getMessage(), e);
        }
    }

    int blocks() {
        return highs.length;
    }

    Key firstKey(int block) {
        return new Key(highs[block], lows[block]);
    }

    long firstLsn(int block) {
        return lsns[block];
    }

    long position(int block) {
        return positions[block];
    }

    int rowsBytes(int block) {
        return rowsBytes[block];
    }

    long filterBytes() {
        return layer.fileBytes() - LayerFileFormat.FOOTER_BYTES - filterPosition;
    }

    /** All versions of a range of keys, in the order of the file. */
    public LayerCursor cursor(KeyRange keys) {
        Key start = keys.start();
        return new LayerCursor(this, Math.max(0, blocksBefore(start.high(), start.low(), -1) - 1), keys);
    }

    /** Reads blocks from this one on, at least one, of together about {@code bytes}; one pread. */
    Blocks readAhead(int from, int bytes) throws IOException {
        int to = from + 1;
        while (to < highs.length && positions[to + 1] - positions[from] <= bytes) {
            to++;
        }
        int length = Math.toIntExact(positions[to] - positions[from]);
        return new Blocks(from, to, readBytes(name, file, positions[from], length));
    }

    /** Blocks as they are stored, {@code to} excluded. */
    static final class Blocks {
        private final int from;
        private final int to;
        private final byte[] bytes;

        private Blocks(int from, int to, byte[] bytes) {
            this.from = from;
            this.to = to;
            this.bytes = bytes;
        }

        int to() {
            return to;
        }
    }

    Block decode(Blocks blocks, int number) throws CorruptLayerException {
        return decode(number, blocks.bytes, Math.toIntExact(positions[number] - positions[blocks.from]));
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
