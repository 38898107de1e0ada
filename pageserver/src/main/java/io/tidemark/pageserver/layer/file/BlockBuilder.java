package io.tidemark.pageserver.layer.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Rows on their way into a block. Used again for the next one. */
final class BlockBuilder {
    private static final int BASE = 0x8000_0000;

    private long[] highs = new long[64];
    private long[] lows = new long[64];
    private long[] lsns = new long[64];
    private int[] ends = new int[64];
    private byte[] values = new byte[32 << 10];
    private int count;
    private int valueBytes;

    boolean isEmpty() {
        return count == 0;
    }

    /** The size of the rows so far. */
    int sizeBytes() {
        return Integer.BYTES + count * LayerFileFormat.ROW_BYTES + valueBytes;
    }

    long firstHigh() {
        return highs[0];
    }

    long firstLow() {
        return lows[0];
    }

    long firstLsn() {
        return lsns[0];
    }

    void add(long high, long low, long lsn, boolean base, byte[] bytes, int offset, int length) {
        if (count == ends.length) {
            highs = Arrays.copyOf(highs, 2 * count);
            lows = Arrays.copyOf(lows, 2 * count);
            lsns = Arrays.copyOf(lsns, 2 * count);
            ends = Arrays.copyOf(ends, 2 * count);
        }
        if (valueBytes + length > values.length) {
            values = Arrays.copyOf(values, Math.max(2 * values.length, valueBytes + length));
        }
        System.arraycopy(bytes, offset, values, valueBytes, length);
        valueBytes += length;
        highs[count] = high;
        lows[count] = low;
        lsns[count] = lsn;
        ends[count] = valueBytes | (base ? BASE : 0);
        count++;
    }

    /** The rows as bytes; the builder is empty afterwards. */
    byte[] take() {
        byte[] rows = new byte[sizeBytes()];
        ByteBuffer out = ByteBuffer.wrap(rows).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(count);
        out.asLongBuffer().put(highs, 0, count).put(lows, 0, count).put(lsns, 0, count);
        out.position(out.position() + 3 * count * Long.BYTES);
        out.asIntBuffer().put(ends, 0, count);
        out.position(out.position() + count * Integer.BYTES);
        out.put(values, 0, valueBytes);
        count = 0;
        valueBytes = 0;
        if (values.length > 1 << 20) {
            values = new byte[32 << 10];
        }
        return rows;
    }
}
