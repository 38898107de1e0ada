package io.tidemark.pageserver.layer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Versions in off-heap memory, appended by one writer, read by anybody who was given an address.
 *
 * <pre>
 * version := previous:i32 jump:i32 depth:i32 length:i32 (top bit: a base) lsn:u64 bytes        at a multiple of 8
 * address := its place in units of 8 bytes; 0 means none
 * </pre>
 *
 * <p>The versions of a key are a list from the newest to the oldest. {@code jump} leads further back, so that any LSN is found in
 * a logarithmic number of steps (Myers, "An applicative random-access stack", 1983): a hot key has a million versions, and a
 * reader may want the first.
 *
 * <p>A version never changes once its address is published with release semantics; that is the whole of the synchronisation.
 */
final class VersionArena implements AutoCloseable {
    static final int HEADER_BYTES = 24;

    private static final int CHUNK_BITS = 20;
    private static final long CHUNK_BYTES = 1L << CHUNK_BITS;
    private static final int ADDRESS_SHIFT = 3;
    private static final int BASE = 0x8000_0000;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    private final Arena arena = Arena.ofShared();
    /**
     * By the upper bits of the position. A value larger than a chunk gets a segment of several chunks; each of them is entered with
     * what is left of the segment, so a version may reach into the next.
     */
    private volatile MemorySegment[] chunks = new MemorySegment[16];

    /** Address 0 stays zero: the version that is behind every list, of depth 0. */
    private long position = HEADER_BYTES;
    /** No chunk before the first version: many timelines are idle. */
    private long chunkEnd;

    /** Off-heap memory in use, in bytes. */
    long sizeBytes() {
        return chunkEnd;
    }

    private void nextChunk(long bytes) {
        long slots = (bytes + CHUNK_BYTES - 1) >>> CHUNK_BITS;
        int slot = (int) (chunkEnd >>> CHUNK_BITS);
        MemorySegment[] known = chunks;
        if (slot + slots > known.length) {
            known = java.util.Arrays.copyOf(known, (int) Math.max(2L * known.length, slot + slots));
        }
        MemorySegment segment = arena.allocate(slots << CHUNK_BITS, 8);
        for (int i = 0; i < slots; i++) {
            known[slot + i] = segment.asSlice((long) i << CHUNK_BITS);
        }
        chunks = known;
        position = chunkEnd == 0 ? HEADER_BYTES : chunkEnd;
        chunkEnd += slots << CHUNK_BITS;
    }

    private MemorySegment chunk(int address) {
        return chunks[(int) (Integer.toUnsignedLong(address) >>> (CHUNK_BITS - ADDRESS_SHIFT))];
    }

    private static long offset(int address) {
        return (Integer.toUnsignedLong(address) << ADDRESS_SHIFT) & (CHUNK_BYTES - 1);
    }

    /** Appends a version in front of {@code previous}; answers its address. */
    int append(int previous, long lsn, boolean base, byte[] bytes, int bytesOffset, int length) {
        long size = (HEADER_BYTES + (long) length + 7) & ~7L;
        if (position + size > chunkEnd) {
            nextChunk(HEADER_BYTES + size);
        }
        int address = (int) (position >>> ADDRESS_SHIFT);
        MemorySegment chunk = chunk(address);
        long at = offset(address);
        int back = jump(previous);
        boolean asFarAgain = previous != 0 && depth(previous) - depth(back) == depth(back) - depth(jump(back));
        chunk.set(INT, at, previous);
        chunk.set(INT, at + 4, asFarAgain ? jump(back) : previous);
        chunk.set(INT, at + 8, depth(previous) + 1);
        chunk.set(INT, at + 12, length | (base ? BASE : 0));
        chunk.set(LONG, at + 16, lsn);
        MemorySegment.copy(bytes, bytesOffset, chunk, ValueLayout.JAVA_BYTE, at + HEADER_BYTES, length);
        position += size;
        return address;
    }

    int previous(int address) {
        return chunk(address).get(INT, offset(address));
    }

    private int jump(int address) {
        return chunk(address).get(INT, offset(address) + 4);
    }

    private int depth(int address) {
        return chunk(address).get(INT, offset(address) + 8);
    }

    long lsn(int address) {
        return chunk(address).get(LONG, offset(address) + 16);
    }

    boolean isBase(int address) {
        return chunk(address).get(INT, offset(address) + 12) < 0;
    }

    int length(int address) {
        return chunk(address).get(INT, offset(address) + 12) & ~BASE;
    }

    void copyTo(int address, byte[] into) {
        MemorySegment.copy(
                chunk(address), ValueLayout.JAVA_BYTE, offset(address) + HEADER_BYTES, into, 0, length(address));
    }

    /** The newest version of a list at or below an LSN; 0 when there is none. */
    int find(int newest, long lsn) {
        int at = newest;
        while (at != 0 && Long.compareUnsigned(lsn(at), lsn) > 0) {
            int further = jump(at);
            at = further != 0 && Long.compareUnsigned(lsn(further), lsn) > 0 ? further : previous(at);
        }
        return at;
    }

    /** Gives the memory back. Nobody may read any more. */
    @Override
    public void close() {
        arena.close();
    }
}
