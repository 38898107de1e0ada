package io.tidemark.pageserver.key;

import io.tidemark.pageserver.key.Value.Image;
import io.tidemark.pageserver.key.Value.MultixactMembers;
import io.tidemark.pageserver.key.Value.MultixactOffsets;
import io.tidemark.pageserver.key.Value.Redo;
import io.tidemark.pageserver.key.Value.Removed;
import io.tidemark.pageserver.key.Value.TransactionStatus;
import io.tidemark.pageserver.key.Value.VisibilityCleared;
import io.tidemark.pageserver.key.Value.VisibilityTruncated;
import io.tidemark.pageserver.key.Value.ZeroPage;
import io.tidemark.wire.wal.LittleEndian;
import java.util.Arrays;

/**
 * Values as bytes, little endian. The length is known from outside.
 *
 * <pre>
 *   value = 00                                                     removed                  base
 *         | 01                                                     a page of zeros          base
 *         | 02 bytes                                               image                    base
 *         | 03 holeOffset(u16) holeLength(u16) bytes               image of 8192 bytes without a run of zeros    base
 *         | 04 blockId(u8) beforeEnd(varint) record                WAL record
 *         | 05 blockId(u8) beforeEnd(varint) record                WAL record on zeros      base
 *         | 06 { heapBlock(u32) bits(u8) }+                        visibility bits cleared
 *         | 07 heapBlocks(u32)                                     visibility map cut
 *         | 08 status(u8) { xid(u32) }+                            status of transactions
 *         | 09 { multi(u32) offset(u32) }+                         offsets of multixacts
 *         | 0A firstOffset(u32) { xid(u32) flags(u8) }+            members of a multixact
 *   varint = 7 bits per byte, low ones first, the top bit says that more follow; at most 10 bytes
 * </pre>
 *
 * <p>A base needs no older version. Decoding answers with a value or an {@link InvalidValueException} and allocates no more than a
 * small multiple of the given length, or one page.
 */
public final class ValueFormat {
    /** Files that hold values name this number. */
    public static final int VERSION = 1;

    public static final int PAGE_SIZE_BYTES = 8192;

    static final int REMOVED = 0x00;
    static final int ZERO_PAGE = 0x01;
    static final int IMAGE = 0x02;
    static final int IMAGE_WITH_HOLE = 0x03;
    static final int RECORD = 0x04;
    static final int RECORD_ON_ZEROS = 0x05;
    static final int VISIBILITY_CLEARED = 0x06;
    static final int VISIBILITY_TRUNCATED = 0x07;
    static final int TRANSACTION_STATUS = 0x08;
    static final int MULTIXACT_OFFSETS = 0x09;
    static final int MULTIXACT_MEMBERS = 0x0A;

    private static final byte[] ZEROS = new byte[PAGE_SIZE_BYTES];
    private static final int HOLE_HEADER_BYTES = 5;

    // A shorter hole is not worth looking for.
    private static final int MIN_HOLE_BYTES = 64;

    // Where a page's header says that free space begins and ends.
    private static final int PD_LOWER = 12;
    private static final int PD_UPPER = 14;
    private static final int PAGE_HEADER_BYTES = 24;

    private ValueFormat() {}

    /** Whether an encoded value needs no older version; false for no bytes. */
    public static boolean isBase(byte[] array, int offset, int length) {
        int tag = length == 0 ? -1 : array[offset];
        return tag >= REMOVED && tag <= IMAGE_WITH_HOLE || tag == RECORD_ON_ZEROS;
    }

    public static byte[] encode(Value value) {
        return switch (value) {
            case Removed removed -> new byte[] {REMOVED};
            case ZeroPage zeros -> new byte[] {ZERO_PAGE};
            case Image image -> encodeImage(image.bytes());
            case Redo record -> encodeRecord(record);
            case VisibilityCleared cleared -> encodePairs(VISIBILITY_CLEARED, 1, cleared.heapBlocks(), cleared.bits());
            case VisibilityTruncated truncated -> {
                byte[] out = tagged(VISIBILITY_TRUNCATED, 5);
                LittleEndian.putI32(out, 1, truncated.heapBlocks());
                yield out;
            }
            case TransactionStatus status -> {
                byte[] out = tagged(TRANSACTION_STATUS, 2 + 4 * status.xids().length);
                out[1] = (byte) status.status();
                for (int i = 0; i < status.xids().length; i++) {
                    LittleEndian.putI32(out, 2 + 4 * i, status.xids()[i]);
                }
                yield out;
            }
            case MultixactOffsets offsets -> {
                byte[] out = tagged(MULTIXACT_OFFSETS, 1 + 8 * offsets.multis().length);
                for (int i = 0; i < offsets.multis().length; i++) {
                    LittleEndian.putI32(out, 1 + 8 * i, offsets.multis()[i]);
                    LittleEndian.putI32(out, 5 + 8 * i, offsets.offsets()[i]);
                }
                yield out;
            }
            case MultixactMembers members -> {
                byte[] out = encodePairs(MULTIXACT_MEMBERS, 5, members.xids(), members.flags());
                LittleEndian.putI32(out, 1, members.firstOffset());
                yield out;
            }
        };
    }

    private static byte[] encodeImage(byte[] bytes) {
        if (bytes.length == PAGE_SIZE_BYTES) {
            if (Arrays.equals(bytes, ZEROS)) {
                return new byte[] {ZERO_PAGE};
            }
            int lower = LittleEndian.u16(bytes, PD_LOWER);
            int upper = LittleEndian.u16(bytes, PD_UPPER);
            if (lower >= PAGE_HEADER_BYTES
                    && upper - lower >= MIN_HOLE_BYTES
                    && upper <= PAGE_SIZE_BYTES
                    && Arrays.equals(bytes, lower, upper, ZEROS, 0, upper - lower)) {
                byte[] out = tagged(IMAGE_WITH_HOLE, HOLE_HEADER_BYTES + PAGE_SIZE_BYTES - (upper - lower));
                LittleEndian.putU16(out, 1, lower);
                LittleEndian.putU16(out, 3, upper - lower);
                System.arraycopy(bytes, 0, out, HOLE_HEADER_BYTES, lower);
                System.arraycopy(bytes, upper, out, HOLE_HEADER_BYTES + lower, PAGE_SIZE_BYTES - upper);
                return out;
            }
        }
        byte[] out = tagged(IMAGE, 1 + bytes.length);
        System.arraycopy(bytes, 0, out, 1, bytes.length);
        return out;
    }

    private static byte[] encodeRecord(Redo record) {
        int header = 2 + varintLength(record.beforeEnd());
        byte[] out = tagged(record.onZeros() ? RECORD_ON_ZEROS : RECORD, header + record.length());
        out[1] = (byte) record.blockId();
        long rest = record.beforeEnd();
        for (int at = 2; at < header; at++) {
            out[at] = (byte) (at == header - 1 ? rest : rest | 0x80);
            rest >>>= 7;
        }
        System.arraycopy(record.array(), record.offset(), out, header, record.length());
        return out;
    }

    private static int varintLength(long value) {
        return Math.max(1, (64 - Long.numberOfLeadingZeros(value) + 6) / 7);
    }

    private static byte[] encodePairs(int tag, int header, int[] numbers, byte[] flags) {
        byte[] out = tagged(tag, header + 5 * numbers.length);
        for (int i = 0; i < numbers.length; i++) {
            LittleEndian.putI32(out, header + 5 * i, numbers[i]);
            out[header + 5 * i + 4] = flags[i];
        }
        return out;
    }

    private static byte[] tagged(int tag, int length) {
        byte[] out = new byte[length];
        out[0] = (byte) tag;
        return out;
    }

    /**
     * Reads a value. A {@link Redo} refers to {@code array}, everything else is copied.
     *
     * @throws InvalidValueException when the bytes are none
     */
    public static Value decode(byte[] array, int offset, int length) throws InvalidValueException {
        int tag = tagOf(array, offset, length);
        int body = offset + 1;
        int bodyLength = length - 1;
        return switch (tag) {
            case REMOVED -> {
                require(bodyLength == 0, tag, length);
                yield Value.REMOVED;
            }
            case ZERO_PAGE -> {
                require(bodyLength == 0, tag, length);
                yield Value.ZERO_PAGE;
            }
            case IMAGE -> new Image(Arrays.copyOfRange(array, body, body + bodyLength));
            case IMAGE_WITH_HOLE -> {
                byte[] page = new byte[PAGE_SIZE_BYTES];
                fillHole(array, offset, length, page);
                yield new Image(page);
            }
            case RECORD, RECORD_ON_ZEROS -> decodeRecord(tag, array, offset, length);
            case VISIBILITY_CLEARED -> {
                int count = count(bodyLength, 5, tag, length);
                yield new VisibilityCleared(numbers(array, body, count, 5), flags(array, body + 4, count));
            }
            case VISIBILITY_TRUNCATED -> {
                require(bodyLength == 4, tag, length);
                yield new VisibilityTruncated(LittleEndian.i32(array, body));
            }
            case TRANSACTION_STATUS -> {
                int count = count(bodyLength - 1, 4, tag, length);
                yield new TransactionStatus(array[body], numbers(array, body + 1, count, 4));
            }
            case MULTIXACT_OFFSETS -> {
                int count = count(bodyLength, 8, tag, length);
                yield new MultixactOffsets(numbers(array, body, count, 8), numbers(array, body + 4, count, 8));
            }
            case MULTIXACT_MEMBERS -> {
                int count = count(bodyLength - 4, 5, tag, length);
                yield new MultixactMembers(
                        LittleEndian.i32(array, body),
                        numbers(array, body + 4, count, 5),
                        flags(array, body + 8, count));
            }
            default -> throw new InvalidValueException("no value starts with the byte " + tag);
        };
    }

    /** Whether an encoded value is a WAL record. */
    public static boolean isRecord(byte[] array, int offset, int length) {
        return length > 0 && (array[offset] == RECORD || array[offset] == RECORD_ON_ZEROS);
    }

    /**
     * Reads a value as {@link #decode} does, when {@link #isRecord}: by itself it is small enough for a compiler to spare the object.
     *
     * @throws InvalidValueException when the bytes are none
     */
    public static Redo decodeRecord(byte[] array, int offset, int length) throws InvalidValueException {
        return decodeRecord(tagOf(array, offset, length), array, offset, length);
    }

    private static Redo decodeRecord(int tag, byte[] array, int offset, int length) throws InvalidValueException {
        int end = offset + length;
        int at = offset + 2;
        long beforeEnd = 0;
        for (int shift = 0; ; shift += 7) {
            require(at < end && shift < 64, tag, length);
            byte next = array[at++];
            beforeEnd |= (next & 0x7FL) << shift;
            if (next >= 0) {
                break;
            }
        }
        return new Redo(array[offset + 1] & 0xFF, beforeEnd, tag == RECORD_ON_ZEROS, array, at, end - at);
    }

    /**
     * Puts an encoded page into an array, if it is one that stands for itself.
     *
     * @param page of {@link #PAGE_SIZE_BYTES}
     * @return false when the value is not an image of a page, nor zeros, nor removed (which reads as zeros); the array is untouched
     */
    public static boolean readPage(byte[] array, int offset, int length, byte[] page) throws InvalidValueException {
        int tag = tagOf(array, offset, length);
        switch (tag) {
            case REMOVED, ZERO_PAGE -> Arrays.fill(page, (byte) 0);
            case IMAGE -> {
                require(length == 1 + PAGE_SIZE_BYTES, tag, length);
                System.arraycopy(array, offset + 1, page, 0, PAGE_SIZE_BYTES);
            }
            case IMAGE_WITH_HOLE -> {
                fillHole(array, offset, length, page);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static void fillHole(byte[] array, int offset, int length, byte[] page) throws InvalidValueException {
        require(length >= HOLE_HEADER_BYTES, IMAGE_WITH_HOLE, length);
        int holeOffset = LittleEndian.u16(array, offset + 1);
        int holeLength = LittleEndian.u16(array, offset + 3);
        int rest = length - HOLE_HEADER_BYTES;
        require(rest + holeLength == PAGE_SIZE_BYTES && holeOffset <= rest, IMAGE_WITH_HOLE, length);
        int holeEnd = holeOffset + holeLength;
        int bytes = offset + HOLE_HEADER_BYTES;
        System.arraycopy(array, bytes, page, 0, holeOffset);
        Arrays.fill(page, holeOffset, holeEnd, (byte) 0);
        System.arraycopy(array, bytes + holeOffset, page, holeEnd, PAGE_SIZE_BYTES - holeEnd);
    }

    private static int tagOf(byte[] array, int offset, int length) throws InvalidValueException {
        if (length < 1) {
            throw new InvalidValueException("a value has no bytes");
        }
        return array[offset];
    }

    private static int count(int bytes, int size, int tag, int length) throws InvalidValueException {
        require(bytes >= size && bytes % size == 0, tag, length);
        return bytes / size;
    }

    private static void require(boolean condition, int tag, int length) throws InvalidValueException {
        if (!condition) {
            throw new InvalidValueException(
                    "a value that starts with the byte " + tag + " has " + length + " bytes, which cannot be");
        }
    }

    private static int[] numbers(byte[] array, int at, int count, int stride) {
        int[] numbers = new int[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = LittleEndian.i32(array, at + stride * i);
        }
        return numbers;
    }

    private static byte[] flags(byte[] array, int at, int count) {
        byte[] flags = new byte[count];
        for (int i = 0; i < count; i++) {
            flags[i] = array[at + 5 * i];
        }
        return flags;
    }
}
