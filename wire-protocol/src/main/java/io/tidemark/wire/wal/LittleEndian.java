package io.tidemark.wire.wal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Unaligned little-endian access to byte arrays, as PostgreSQL's structs are laid out on x86-64 and arm64. The bounds are
 * the array's: outside of them every method throws {@link IndexOutOfBoundsException}, so callers check the record's first.
 */
public final class LittleEndian {
    private static final VarHandle SHORTS =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private LittleEndian() {}

    public static int u8(byte[] bytes, int at) {
        return bytes[at] & 0xFF;
    }

    public static int u16(byte[] bytes, int at) {
        return (short) SHORTS.get(bytes, at) & 0xFFFF;
    }

    public static int i32(byte[] bytes, int at) {
        return (int) INTS.get(bytes, at);
    }

    public static long i64(byte[] bytes, int at) {
        return (long) LONGS.get(bytes, at);
    }

    public static void putU8(byte[] bytes, int at, int value) {
        bytes[at] = (byte) value;
    }

    public static void putU16(byte[] bytes, int at, int value) {
        SHORTS.set(bytes, at, (short) value);
    }

    public static void putI32(byte[] bytes, int at, int value) {
        INTS.set(bytes, at, value);
    }

    public static void putI64(byte[] bytes, int at, long value) {
        LONGS.set(bytes, at, value);
    }
}
