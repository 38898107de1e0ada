package io.tidemark.pageserver.layer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Versions in off-heap memory, appended by one writer, read by anybody who was given an address.
 *
 * <pre>
 * version := previous:i32 jump:i32 lsn:u64 length:i32 (top bit: a base) bytes        at a multiple of 8
 * address := where it is in units of 8 bytes; 0 means none
 * place   := address:i32 depth:i32                                                   depth: how many versions its list has from it on
 * </pre>
 *
 * <p>The versions of a key are a list from the newest to the oldest. {@code jump} leads further back, so that any LSN is found in
 * a logarithmic number of steps (Myers, "An applicative random-access stack", 1983): a hot key has a million versions, and a
 * reader may want the first. How far it leads follows from how many versions there are before it, so an append reads none of the older
 * ones but for every other jump: they are scattered over the memory, and each would be a cache miss.
 *
 * <p>A version never changes once its address is published with release semantics; that is the whole of the synchronisation.
 */
final class VersionArena implements AutoCloseable {
    static final int HEADER_BYTES = 20;

    private static final int CHUNK_BITS = 20;
    private static final long CHUNK_BYTES = 1L << CHUNK_BITS;
    private static final int ADDRESS_SHIFT = 3;
    private static final int BASE = 0x8000_0000;
    private static final int LSN_AT = 8;
    private static final int LENGTH_AT = 16;
    private static final int FIRST_POSITION = 24;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    private final Arena arena = Arena.ofShared();
    /**
     * By the upper bits of the position. A value larger than a chunk gets a segment of several chunks; each of them is entered with
     * what is left of the segment, so a version may reach into the next.
     */
    private volatile MemorySegment[] chunks = new MemorySegment[16];

    /** Address 0 stays zero: the version that is behind every list. */
    private long position = FIRST_POSITION;
    /** No chunk before the first version: many timelines are idle. */
    private long chunkEnd;

    static long place(int address, int depth) {
        return (long) address << 32 | depth;
    }

    static int addressOf(long place) {
        return (int) (place >>> 32);
    }

    static int depthOf(long place) {
        return (int) place;
    }

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
        position = chunkEnd == 0 ? FIRST_POSITION : chunkEnd;
        chunkEnd += slots << CHUNK_BITS;
    }

    private MemorySegment chunk(int address) {
        return chunks[(int) (Integer.toUnsignedLong(address) >>> (CHUNK_BITS - ADDRESS_SHIFT))];
    }

    private static long offset(int address) {
        return (Integer.toUnsignedLong(address) << ADDRESS_SHIFT) & (CHUNK_BYTES - 1);
    }

    /**
     * Where the version in front of {@code newest} jumps to.
     *
     * @param newest the newest version of a list; 0 when there is none
     * @param jump where that one jumps to
     * @param depth how long the list is
     */
    int jumpInFrontOf(int newest, int jump, int depth) {
        int behind = jumpDepth(depth);
        boolean asFarAgain = newest != 0 && depth - behind == behind - jumpDepth(behind);
        return asFarAgain ? jump(jump) : newest;
    }

    /** How long the list is that the newest version of one of this length jumps to: without its last skew-binary digit. */
    static int jumpDepth(int depth) {
        int rest = depth;
        int digit;
        do {
            digit = Integer.highestOneBit(rest + 1) - 1; // the largest 2^k - 1 that is left
            rest -= digit;
        } while (rest > 0);
        return depth - digit;
    }

    /**
     * Appends a version in front of {@code previous}; answers its address.
     *
     * @param jump of {@link #jumpInFrontOf}
     */
    int append(int previous, int jump, long lsn, boolean base, byte[] bytes, int bytesOffset, int length) {
        long size = (HEADER_BYTES + (long) length + 7) & ~7L;
        if (position + size > chunkEnd) {
            nextChunk(FIRST_POSITION + size);
        }
        int address = (int) (position >>> ADDRESS_SHIFT);
        MemorySegment chunk = chunk(address);
        long at = offset(address);
        chunk.set(INT, at, previous);
        chunk.set(INT, at + 4, jump);
        chunk.set(LONG, at + LSN_AT, lsn);
        chunk.set(INT, at + LENGTH_AT, length | (base ? BASE : 0));
        MemorySegment.copy(bytes, bytesOffset, chunk, ValueLayout.JAVA_BYTE, at + HEADER_BYTES, length);
        position += size;
        return address;
    }

    /** Where a version's {@link #previous} and, in the upper half, its {@link #jump} lead. */
    long links(int address) {
        return chunk(address).get(LONG, offset(address));
    }

    int previous(int address) {
        return chunk(address).get(INT, offset(address));
    }

    int jump(int address) {
        return chunk(address).get(INT, offset(address) + 4);
    }

    long lsn(int address) {
        return chunk(address).get(LONG, offset(address) + LSN_AT);
    }

    boolean isBase(int address) {
        return chunk(address).get(INT, offset(address) + LENGTH_AT) < 0;
    }

    int length(int address) {
        return chunk(address).get(INT, offset(address) + LENGTH_AT) & ~BASE;
    }

    /** Copies the bytes of a version; answers how many there are. */
    int copyTo(int address, byte[] into, int intoOffset) {
        MemorySegment chunk = chunk(address);
        long at = offset(address);
        int length = chunk.get(INT, at + LENGTH_AT) & ~BASE;
        MemorySegment.copy(chunk, ValueLayout.JAVA_BYTE, at + HEADER_BYTES, into, intoOffset, length);
        return length;
    }

    /** The place of the newest version of a list at or below an LSN; 0 when there is none. */
    long find(long newest, long lsn) {
        int at = addressOf(newest);
        int depth = depthOf(newest);
        while (at != 0 && Long.compareUnsigned(lsn(at), lsn) > 0) {
            int further = jump(at);
            if (further != 0 && Long.compareUnsigned(lsn(further), lsn) > 0) {
                at = further;
                depth = jumpDepth(depth);
            } else {
                at = previous(at);
                depth--;
            }
        }
        return at == 0 ? 0 : place(at, depth);
    }

    /** Gives the memory back. Nobody may read any more. */
    @Override
    public void close() {
        arena.close();
    }
}
