package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.wire.wal.LittleEndian;

/**
 * A part of a record, its main data or one block's, read from the front: little endian, unaligned, never past its end.
 *
 * <p>Refers to the record's bytes. Reading past the end is a {@link PageException}.
 */
public final class RecordData {
    private final byte[] bytes;
    private final int start;
    private final int end;
    private int at;

    public RecordData(byte[] bytes, int start, int length) {
        this.bytes = bytes;
        this.start = start;
        this.end = start + length;
        this.at = start;
    }

    /** The array that holds it; valid from {@link #position} to {@link #end}. */
    public byte[] array() {
        return bytes;
    }

    /** Where the next byte is in {@link #array}. */
    public int position() {
        return at;
    }

    /** Where it ends in {@link #array}. */
    public int end() {
        return end;
    }

    /** Bytes not yet read. */
    public int remaining() {
        return end - at;
    }

    /** Bytes read so far. */
    public int consumed() {
        return at - start;
    }

    /** Goes on at this many bytes from the start. */
    public RecordData seek(int offset) {
        if (offset < 0 || offset > end - start) {
            throw tooShort(offset);
        }
        at = start + offset;
        return this;
    }

    public int u8() {
        return bytes[take(1)] & 0xFF;
    }

    public int u16() {
        return LittleEndian.u16(bytes, take(2));
    }

    public int i32() {
        return LittleEndian.i32(bytes, take(4));
    }

    public long i64() {
        return LittleEndian.i64(bytes, take(8));
    }

    public boolean bool() {
        return u8() != 0;
    }

    public RecordData skip(int count) {
        take(count);
        return this;
    }

    /** Steps over {@code count} bytes and returns where they start in {@link #array}. */
    public int take(int count) {
        if (count < 0 || end - at < count) {
            throw tooShort(consumed() + count);
        }
        int taken = at;
        at += count;
        return taken;
    }

    /** Reads {@code count} u16. */
    public int[] u16s(int count) {
        int from = take(2 * count);
        int[] values = new int[count];
        for (int i = 0; i < count; i++) {
            values[i] = LittleEndian.u16(bytes, from + 2 * i);
        }
        return values;
    }

    /** Throws unless everything has been read. */
    public void requireConsumed() {
        if (at != end) {
            throw new PageException("the record has " + remaining() + " bytes more than it should");
        }
    }

    private PageException tooShort(int wanted) {
        return new PageException("the record's data ends after " + (end - start) + " bytes, " + wanted + " are needed");
    }
}
