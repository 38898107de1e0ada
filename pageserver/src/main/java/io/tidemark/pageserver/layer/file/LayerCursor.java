package io.tidemark.pageserver.layer.file;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Goes through the versions of a layer file within a range of keys, in the order of the file: keys rise, LSNs fall. Stands before
 * the first one until {@link #next} is called. Reads ahead, so that a whole layer costs few system calls. Used by one thread.
 */
public final class LayerCursor {
    private static final int READ_AHEAD_BYTES = 256 << 10;

    private final LayerFileReader reader;
    private final KeyRange keys;
    private int number;
    private LayerFileReader.@Nullable Blocks ahead;
    private @Nullable Block block;
    private int row;

    LayerCursor(LayerFileReader reader, int firstBlock, KeyRange keys) {
        this.reader = reader;
        this.keys = keys;
        this.number = firstBlock;
    }

    /** Goes to the next version; answers false behind the last one. */
    public boolean next() throws IOException {
        Block current = block;
        if (current == null) {
            if (reader.blocks() == 0) {
                return false;
            }
            current = load(number);
            row = current.find(keys.start().high(), keys.start().low(), -1);
        } else {
            row++;
        }
        if (row >= current.count()) {
            number++;
            if (number == reader.blocks()) {
                return false;
            }
            current = load(number);
            row = 0;
        }
        Key end = keys.end();
        return Key.compare(current.high(row), current.low(row), end.high(), end.low()) < 0;
    }

    private Block load(int blockNumber) throws IOException {
        LayerFileReader.Blocks blocks = ahead;
        if (blocks == null || blockNumber >= blocks.to()) {
            blocks = reader.readAhead(blockNumber, READ_AHEAD_BYTES);
            ahead = blocks;
        }
        Block loaded = reader.decode(blocks, blockNumber);
        block = loaded;
        return loaded;
    }

    private Block current() {
        Block current = block;
        if (current == null) {
            throw new IllegalStateException("next() was not called");
        }
        return current;
    }

    public long high() {
        return current().high(row);
    }

    public long low() {
        return current().low(row);
    }

    public long lsn() {
        return current().lsn(row);
    }

    public boolean isBase() {
        return current().isBase(row);
    }

    /** The array that holds the value, from {@link #offset}, {@link #length} bytes; not to be changed. */
    public byte[] bytes() {
        return current().bytes();
    }

    public int offset() {
        return current().offset(row);
    }

    public int length() {
        return current().length(row);
    }
}
