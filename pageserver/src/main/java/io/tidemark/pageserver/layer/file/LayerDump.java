package io.tidemark.pageserver.layer.file;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.wire.id.Lsn;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What is in a layer file, for people: its footer, its blocks, its versions. Reads the file alone, without a manifest. */
public final class LayerDump implements Closeable {
    private final BlockCodec codec = new BlockCodec();
    private final LayerFileReader reader;

    /**
     * One block.
     *
     * @param number counted from 0
     * @param firstKey the key of its first row
     * @param firstLsn the LSN of its first row
     * @param position where it begins in the file
     * @param storedBytes its length in the file
     * @param rowsBytes its length decompressed
     */
    public record BlockRow(int number, Key firstKey, Lsn firstLsn, long position, int storedBytes, int rowsBytes) {}

    /** Takes each version. */
    @FunctionalInterface
    public interface Versions {
        void version(Key key, Lsn lsn, boolean base, byte[] bytes, int offset, int length);
    }

    public LayerDump(Disk disk, Path file) throws IOException {
        this.reader = LayerFileReader.open(disk, file, null, codec);
    }

    /** What the footer says. */
    public LayerDescriptor layer() {
        return reader.layer();
    }

    /** The size of the set of keys in the file. */
    public long filterBytes() {
        return reader.filterBytes();
    }

    /** The index. */
    public List<BlockRow> blocks() {
        List<BlockRow> rows = new ArrayList<>();
        for (int block = 0; block < reader.blocks(); block++) {
            rows.add(new BlockRow(
                    block,
                    reader.firstKey(block),
                    Lsn.of(reader.firstLsn(block)),
                    reader.position(block),
                    Math.toIntExact(reader.position(block + 1) - reader.position(block)),
                    reader.rowsBytes(block)));
        }
        return rows;
    }

    /** Reads and checks every block of a range of keys and passes its versions on: keys rise, LSNs fall. */
    public void versions(KeyRange keys, Versions versions) throws IOException {
        LayerCursor cursor = reader.cursor(keys);
        while (cursor.next()) {
            versions.version(
                    new Key(cursor.high(), cursor.low()),
                    Lsn.of(cursor.lsn()),
                    cursor.isBase(),
                    cursor.bytes(),
                    cursor.offset(),
                    cursor.length());
        }
    }

    @Override
    public void close() throws IOException {
        reader.close();
        codec.close();
    }
}
