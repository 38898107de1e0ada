package io.tidemark.pageserver.layer.file;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** The rows of one block, decompressed. Rows are numbered from 0. Immutable; values are slices of {@link #bytes}. */
final class Block {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int BASE = 0x8000_0000;

    private final byte[] bytes;
    private final int count;
    private final int valuesStart;

    /**
     * Takes the rows over.
     *
     * @throws IllegalArgumentException when the lengths in it contradict each other
     */
    Block(byte[] bytes) {
        this.bytes = bytes;
        if (bytes.length < Integer.BYTES) {
            throw new IllegalArgumentException("a block of " + bytes.length + " bytes");
        }
        this.count = (int) INT.get(bytes, 0);
        long start = Integer.BYTES + (long) count * LayerFileFormat.ROW_BYTES;
        if (count < 1 || start > bytes.length) {
            throw new IllegalArgumentException(count + " rows in a block of " + bytes.length + " bytes");
        }
        this.valuesStart = (int) start;
        int before = 0;
        for (int row = 0; row < count; row++) {
            int end = end(row);
            if (end < before) {
                throw new IllegalArgumentException("row " + row + " ends before it begins");
            }
            before = end;
        }
        if (before != bytes.length - valuesStart) {
            throw new IllegalArgumentException("values of " + before + " bytes in a block of " + bytes.length);
        }
    }

    byte[] bytes() {
        return bytes;
    }

    int count() {
        return count;
    }

    long high(int row) {
        return (long) LONG.get(bytes, Integer.BYTES + row * Long.BYTES);
    }

    long low(int row) {
        return (long) LONG.get(bytes, Integer.BYTES + (count + row) * Long.BYTES);
    }

    long lsn(int row) {
        return (long) LONG.get(bytes, Integer.BYTES + (2 * count + row) * Long.BYTES);
    }

    private int rawEnd(int row) {
        return (int) INT.get(bytes, Integer.BYTES + 3 * count * Long.BYTES + row * Integer.BYTES);
    }

    private int end(int row) {
        return rawEnd(row) & ~BASE;
    }

    boolean isBase(int row) {
        return (rawEnd(row) & BASE) != 0;
    }

    /** Where the value begins in {@link #bytes}. */
    int offset(int row) {
        return valuesStart + (row == 0 ? 0 : end(row - 1));
    }

    int length(int row) {
        return end(row) - (row == 0 ? 0 : end(row - 1));
    }

    /** The first row of this key at or below the LSN, or the first row behind it; the count when there is none. */
    int find(long high, long low, long lsn) {
        int from = 0;
        int to = count;
        while (from < to) {
            int middle = (from + to) >>> 1;
            int order = LayerFileFormat.compareRows(high(middle), low(middle), lsn(middle), high, low, lsn);
            if (order < 0) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        return from;
    }
}
